internal import EngineModel
public import Observability
internal import Synchronization

extension Engine {
    /// Writes the engine's families (docs/reference/metrics.md: traffic, backends, TLS, client policies). Reads counters only:
    /// no worker is disturbed.
    public func writeMetrics(into text: inout PrometheusText) {
        let (listeners, routes, backends, acknowledgement, configured) = withCompiler { compiler, acknowledgement in
            (
                compiler.listenerStates.living(), compiler.routeStates.living(), compiler.backendStates.living(),
                acknowledgement, compiler.listeners.values.map { ($0.state, $0.configuration.bindings) }
            )
        }
        let sorted = listeners.sorted { $0.id < $1.id }
        writeListeners(sorted, &text)
        writeReadiness(configured, acknowledgement, &text)
        writeProxyHeaders(sorted, &text)
        writeHandshakes(sorted.filter { $0.counters.sum(ListenerField.accepted) > 0 }, &text)
        writeTicketKeys(&text)
        writeRoutes(routes.sorted { $0.key < $1.key }, &text)
        writeBackends(backends.sorted { $0.id < $1.id }, &text)
        writeLimits(into: &text)
        writeAccessLog(&text)
        text.single(.sessionsDisrupted, shared.disrupted.load(ordering: .relaxed))
        text.family(.engineApplyDuration) { $0.histogram(.empty, applyDurations) }
        text.single(.bufferedBytes, UInt64(max(0, shared.budget.inUse)))
        text.family(.overload) {
            $0.sample(LabelSet(["resource": "connections"]), shared.pausedAtLimit.load(ordering: .relaxed) > 0)
            $0.sample(LabelSet(["resource": "fds"]), shared.pausedForDescriptors.load(ordering: .relaxed) > 0)
            $0.sample(LabelSet(["resource": "memory"]), shared.budget.isTight)
        }
    }

    private func writeListeners(_ listeners: [ListenerState], _ text: inout PrometheusText) {
        text.family(.listenerAccepted) {
            for state in listeners { $0.sample(state.labels, state.counters.sum(ListenerField.accepted)) }
        }
        text.family(.listenerRejected) { family in
            for state in listeners where state.counters.sum(ListenerField.accepted) > 0 {
                family.counts(state.labels, MetricLabels.reasons) { state.counters.sum(ListenerField.rejected($0)) }
            }
        }
        text.family(.listenerActive) {
            for state in listeners { $0.sample(state.labels, state.counters.gauge(ListenerField.active)) }
        }
        text.family(.listenerHandshaking) {
            for state in listeners { $0.sample(state.labels, state.counters.gauge(ListenerField.handshaking)) }
        }
    }

    private func writeReadiness(
        _ listeners: [(state: ListenerState, bindings: [Binding])], _ acknowledgement: Acknowledgement,
        _ text: inout PrometheusText
    ) {
        let sorted = listeners.sorted { $0.state.id < $1.state.id }
        text.family(.listenerReady) {
            for (state, bindings) in sorted {
                $0.sample(state.labels, bindings.allSatisfy { binding in acknowledgement.bindings[binding] == .bound })
            }
        }
    }

    /// `listeners`: those that have accepted anything.
    private func writeHandshakes(_ listeners: [ListenerState], _ text: inout PrometheusText) {
        text.family(.handshakes) { family in
            for state in listeners {
                for kind in HandshakeKind.allCases {
                    for result in HandshakeResult.allCases {
                        let count = state.counters.sum(ListenerField.handshake(kind, result))
                        guard count > 0 else { continue }
                        let more = LabelSet(["mode": kind.mode, "version": kind.version, "result": result.label])
                        family.sample(state.labels, more, count)
                    }
                }
            }
        }
        text.family(.handshakeDuration) { family in
            for state in listeners { family.histogram(state.labels, ListenerField.handshakeDuration, state.counters) }
        }
        text.family(.resumptions) { family in
            for state in listeners { family.count(state.labels, state.counters.sum(ListenerField.resumptions)) }
        }
    }

    private func writeRoutes(_ routes: [RouteState], _ text: inout PrometheusText) {
        // Series appear with their first event.
        let used = routes.filter { $0.counters.sum(RouteField.opened) > 0 }
        text.family(.routeInfo) { for state in routes { $0.sample(state.labels, 1) } }
        text.family(.opened) {
            for state in used { $0.sample(state.labels, state.counters.sum(RouteField.opened)) }
        }
        text.family(.closed) { family in
            for state in used {
                family.counts(state.labels, MetricLabels.ends) { state.counters.sum(RouteField.closed($0.0, $0.1)) }
            }
        }
        text.family(.active) {
            for state in routes { $0.sample(state.labels, state.counters.gauge(RouteField.active)) }
        }
        text.family(.bytes) { family in
            for state in used {
                for (direction, labels) in MetricLabels.directions {
                    family.sample(state.labels, labels, state.counters.sum(RouteField.bytes(direction)))
                }
            }
        }
        text.family(.throttled) { family in
            for state in used {
                for (direction, labels) in MetricLabels.directions {
                    let time = state.counters.sum(RouteField.throttled(direction))
                    if time > 0 { family.sample(state.labels, labels, nanoseconds: time) }
                }
            }
        }
        let histograms: [(MetricDescriptor, HistogramLayout)] = [
            (.connectionDuration, RouteField.duration), (.setupDuration, RouteField.setup),
            (.firstResponseByte, RouteField.firstByte),
        ]
        for (descriptor, layout) in histograms {
            text.family(descriptor) { for state in used { $0.histogram(state.labels, layout, state.counters) } }
        }
    }
}
