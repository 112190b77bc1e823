internal import EngineModel
public import Observability
internal import Synchronization

extension Engine {
    /// Writes the engine's families (POLICY: traffic, backends, TLS). Reads counters only: no worker is disturbed.
    public func writeMetrics(into text: inout PrometheusText) {
        let (listeners, routes, backends, acknowledgement, configured) = withCompiler { compiler, acknowledgement in
            (
                compiler.listenerStates.living(), compiler.routeStates.living(), compiler.backendStates.living(),
                acknowledgement, compiler.configuredListeners
            )
        }
        let byListener = listeners.map { (LabelSet(of: $0), $0) }.sorted { $0.1.id < $1.1.id }
        writeListeners(byListener, &text)
        writeReadiness(configured, acknowledgement, &text)
        writeProxyHeaders(byListener, &text)
        writeHandshakes(byListener, &text)
        writeTicketKeys(&text)
        writeRoutes(routes.map { (LabelSet(of: $0), $0) }.sorted { $0.1.key.order < $1.1.key.order }, &text)
        let byBackend = backends.map { (LabelSet(of: $0), $0) }.sorted { $0.1.id < $1.1.id }
        writeBackends(byBackend, &text)
        writeHealth(&text)
        writeDroppedTLVs(byBackend, &text)
        writeBalancing(into: &text)
        writeSessions(byBackend, &text)
        writeNames(&text)
        writeLimits(into: &text)
        writeAccessLog(&text)
        text.single(
            "sluice_config_sessions_disrupted_total", .counter,
            help: "Sessions closed because their listener or route was removed longer ago than it gives them.",
            shared.disrupted.load(ordering: .relaxed))
        text.family(
            "sluice_engine_apply_duration_seconds", .histogram,
            help: "From a configuration handed to the engine to its table in use on every worker."
        ) { $0.histogram(.empty, applyDurations) }
        text.single(
            "sluice_buffered_bytes", .gauge, help: "Bytes read from one side and not yet taken by the other.",
            UInt64(max(0, shared.budget.inUse)))
        text.family("sluice_overload_active", .gauge, help: "Whether accepting is paused for want of this resource.") {
            $0.sample(LabelSet(["resource": "connections"]), shared.pausedAtLimit.load(ordering: .relaxed) > 0)
            $0.sample(LabelSet(["resource": "fds"]), shared.pausedForDescriptors.load(ordering: .relaxed) > 0)
        }
    }

    private func writeListeners(_ listeners: [(LabelSet, ListenerState)], _ text: inout PrometheusText) {
        text.family(
            "sluice_listener_connections_accepted_total", .counter, help: "Connections accepted by the listener."
        ) { for (labels, state) in listeners { $0.sample(labels, state.counters.sum(ListenerField.accepted)) } }
        text.family(
            "sluice_listener_connections_rejected_total", .counter,
            help: "Connections that ended before a route was chosen, by reason."
        ) { family in
            for (labels, state) in listeners {
                for reason in CloseReason.allCases {
                    let count = state.counters.sum(ListenerField.rejected(reason))
                    if count > 0 { family.sample(labels, LabelSet(["reason": reason.rawValue]), count) }
                }
            }
        }
        text.family(
            "sluice_listener_connections_active", .gauge, help: "Connections open, those in the handshake included."
        ) { for (labels, state) in listeners { $0.sample(labels, state.counters.sum(ListenerField.active)) } }
        text.family(
            "sluice_listener_handshaking_connections", .gauge,
            help: "Connections whose PROXY header, ClientHello or TLS handshake is not complete."
        ) { for (labels, state) in listeners { $0.sample(labels, state.counters.sum(ListenerField.handshaking)) } }
    }

    private func writeReadiness(
        _ listeners: [ListenerConfiguration], _ acknowledgement: Acknowledgement, _ text: inout PrometheusText
    ) {
        text.family("sluice_listener_ready", .gauge, help: "Whether the listener is bound and serves.") { family in
            for listener in listeners {
                let port = listener.port
                family.sample(
                    LabelSet(listener: listener.id, port: port),
                    listener.bindings.allSatisfy { acknowledgement.bindings[$0] == .bound })
            }
        }
    }

    private func writeHandshakes(_ listeners: [(LabelSet, ListenerState)], _ text: inout PrometheusText) {
        text.family("sluice_tls_handshakes_total", .counter, help: "TLS handshakes with clients, by result.") {
            family in
            for (labels, state) in listeners {
                for kind in HandshakeKind.allCases {
                    for result in HandshakeResult.allCases {
                        let count = state.counters.sum(ListenerField.handshake(kind, result))
                        guard count > 0 else { continue }
                        let more = LabelSet(["mode": kind.mode, "version": kind.version, "result": result.label])
                        family.sample(labels, more, count)
                    }
                }
            }
        }
        text.family(
            "sluice_tls_handshake_duration_seconds", .histogram,
            help: "From the ClientHello to the end of the handshake."
        ) { family in
            for (labels, state) in listeners {
                family.histogram(labels, ListenerField.handshakeDuration, state.counters)
            }
        }
        text.family("sluice_tls_session_resumptions_total", .counter, help: "Handshakes that resumed a session.") {
            family in
            for (labels, state) in listeners {
                let count = state.counters.sum(ListenerField.resumptions)
                if count > 0 { family.sample(labels, count) }
            }
        }
    }

    private func writeRoutes(_ routes: [(LabelSet, RouteState)], _ text: inout PrometheusText) {
        text.family("sluice_tcp_connections_opened_total", .counter, help: "Connections routed to the route.") {
            family in
            for (labels, state) in routes where state.isUsed {
                family.sample(labels, state.counters.sum(RouteField.opened))
            }
        }
        text.family("sluice_tcp_connections_closed_total", .counter, help: "Connections ended, by reason and side.") {
            family in
            for (labels, state) in routes where state.isUsed {
                for reason in CloseReason.allCases {
                    for side in CloseSide.allCases {
                        let count = state.counters.sum(RouteField.closed(reason, side))
                        guard count > 0 else { continue }
                        family.sample(labels, LabelSet(["reason": reason.rawValue, "side": side.rawValue]), count)
                    }
                }
            }
        }
        text.family("sluice_tcp_connections_active", .gauge, help: "Connections open on the route.") { family in
            for (labels, state) in routes { family.sample(labels, state.counters.sum(RouteField.active)) }
        }
        text.family("sluice_tcp_bytes_total", .counter, help: "Bytes relayed; request: from client to backend.") {
            family in
            for (labels, state) in routes where state.isUsed {
                family.sample(labels, LabelSet(["direction": "request"]), state.counters.sum(RouteField.requestBytes))
                family.sample(labels, LabelSet(["direction": "response"]), state.counters.sum(RouteField.responseBytes))
            }
        }
        writeThrottled(routes, &text)
        let histograms: [(String, String, HistogramLayout)] = [
            ("sluice_tcp_connection_duration_seconds", "How long connections lived.", RouteField.duration),
            ("sluice_tcp_setup_duration_seconds", "From accept until bytes can flow.", RouteField.setup),
            (
                "sluice_tcp_first_response_byte_seconds", "From the connected backend to its first byte.",
                RouteField.firstByte
            ),
        ]
        for (name, help, layout) in histograms {
            text.family(name, .histogram, help: help) { family in
                for (labels, state) in routes { family.histogram(labels, layout, state.counters) }
            }
        }
    }

    private func writeThrottled(_ routes: [(LabelSet, RouteState)], _ text: inout PrometheusText) {
        text.family(
            "sluice_throttled_seconds_total", .counter,
            help: "Time in which connections waited for their share of a limited bandwidth, added up."
        ) { family in
            for (labels, state) in routes {
                for (name, direction) in [("request", Direction.request), ("response", .response)] {
                    let time = state.counters.sum(RouteField.throttled(direction))
                    if time > 0 { family.sample(labels, LabelSet(["direction": name]), nanoseconds: time) }
                }
            }
        }
    }

    private func writeBackends(
        _ backends: [(LabelSet, BackendState)], _ text: inout PrometheusText
    ) {
        text.family("sluice_backend_connects_total", .counter, help: "Attempts to connect to an endpoint, by result.") {
            family in
            for (labels, state) in backends {
                for result in ConnectResult.allCases {
                    let count = state.counters.sum(BackendField.connects(result))
                    if count > 0 { family.sample(labels, LabelSet(["result": result.label]), count) }
                }
            }
        }
        text.family(
            "sluice_backend_connect_duration_seconds", .histogram,
            help: "Time to connect, TLS included where it is used."
        ) { family in
            for (labels, state) in backends { family.histogram(labels, BackendField.connectDuration, state.counters) }
        }
        text.family(
            "sluice_backend_connect_retries_total", .counter, help: "Attempts repeated after a failed one."
        ) { family in
            for (labels, state) in backends {
                let count = state.counters.sum(BackendField.retries)
                if count > 0 { family.sample(labels, count) }
            }
        }
        text.family("sluice_backend_connections_active", .gauge, help: "Connections that use the backend now.") {
            family in
            for (labels, state) in backends { family.sample(labels, state.counters.sum(BackendField.active)) }
        }
        text.family(
            "sluice_backend_rejected_total", .counter, help: "Connections refused for want of an endpoint, by reason."
        ) { family in
            for (labels, state) in backends {
                for reason in CloseReason.allCases {
                    let count = state.counters.sum(BackendField.rejected(reason))
                    if count > 0 { family.sample(labels, LabelSet(["reason": reason.rawValue]), count) }
                }
            }
        }
    }
}

extension MetricFamily {
    /// Written once it has counted something.
    mutating func histogram(_ labels: LabelSet, _ layout: HistogramLayout, _ block: CounterBlock) {
        let counts = layout.counts(block)
        guard counts.contains(where: { $0 > 0 }) else { return }
        histogram(labels, layout.bounds, counts: counts, sumNanoseconds: block.sum(layout.sumField))
    }
}

extension LabelSet {
    init(listener: ListenerID, port: UInt16) {
        self.init([
            "gateway_namespace": listener.gatewayNamespace, "gateway": listener.gateway, "listener": listener.listener,
            "port": String(port),
        ])
    }

    fileprivate init(of state: ListenerState) { self.init(listener: state.id, port: state.port) }

    fileprivate init(of state: RouteState) { self.init(of: state.key) }

    init(of key: RouteState.Key) {
        self.init([
            "gateway_namespace": key.listener.gatewayNamespace, "gateway": key.listener.gateway,
            "listener": key.listener.listener, "port": String(key.port), "route_kind": key.kind,
            "route_namespace": key.namespace, "route": key.name,
        ])
    }

    fileprivate init(of state: BackendState) { self.init(backend: state.id) }

    init(backend id: BackendID) {
        self.init([
            "backend_kind": id.kind, "backend_namespace": id.namespace, "backend": id.name,
            "backend_port": id.port == 0 ? "" : String(id.port),
        ])
    }
}

extension RouteState {
    /// Series appear with their first event.
    fileprivate var isUsed: Bool { counters.sum(RouteField.opened) > 0 }
}

extension RouteState.Key {
    var order: String { "\(listener)/\(port)/\(kind)/\(namespace)/\(name)" }
}
