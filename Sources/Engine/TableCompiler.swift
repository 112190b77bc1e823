internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform
internal import Primitives

/// Turns configurations into routing tables and reuses every part that did not change. Used by one thread at a time.
struct TableCompiler {
    private let workers: Int
    private let logger: Logger
    private let slab = CounterSlab()
    private var listeners: [ListenerKey: ListenerRuntime] = [:]
    private var routes: [RouteKey: RouteRuntime] = [:]
    private var backends: [BackendID: BackendRuntime] = [:]
    private var terminations: [ListenerID: (configuration: TLSTermination, contexts: TLSServerContexts)] = [:]
    private var clientContexts: [BackendTLS: TLSClientContext] = [:]

    let listenerStates = Registry<ListenerKey, ListenerState>()
    let routeStates = Registry<RouteState.Key, RouteState>()
    let backendStates = Registry<BackendID, BackendState>()
    private let tickets = Registry<RouteID, RuleTicket>()
    private let endpointStates = Registry<EndpointKey, EndpointState>()

    struct ListenerKey: Hashable, Sendable {
        var id: ListenerID
        /// What clients dial.
        var port: UInt16
    }
    struct RouteKey: Hashable {
        var listener: ListenerKey
        var route: RouteID
    }
    struct EndpointKey: Hashable, Sendable {
        var backend: BackendID
        var address: StreamAddress
    }

    init(workers: Int, logger: Logger) {
        self.workers = workers
        self.logger = logger
    }

    /// What every binding of the configuration does, and the backends by identity; `names` holds the latest answers for
    /// DNS endpoints.
    mutating func compile(
        _ configuration: EngineConfiguration, names: NameAnswers
    ) -> (bindings: [Binding: BindingRuntime], backends: [BackendID: BackendRuntime]) {
        compileBackends(configuration.backends, names: names)
        var byBinding: [Binding: [ListenerRuntime]] = [:]
        var usedListeners: [ListenerKey: ListenerRuntime] = [:]
        var usedRoutes: [RouteKey: RouteRuntime] = [:]
        var usedTerminations: Set<ListenerID> = []
        for listener in configuration.listeners where !listener.bindings.isEmpty {
            let key = ListenerKey(id: listener.id, port: listener.port)
            let runtime = compileListener(listener, key: key, routes: &usedRoutes)
            usedListeners[key] = runtime
            if runtime.termination != nil { usedTerminations.insert(listener.id) }
            for binding in listener.bindings { byBinding[binding, default: []].append(runtime) }
        }
        listeners = usedListeners
        routes = usedRoutes
        terminations = terminations.filter { usedTerminations.contains($0.key) }
        return (Dictionary(uniqueKeysWithValues: byBinding.map { ($0, bindingRuntime($0, $1)) }), backends)
    }

    /// The listeners of the newest table, and how many endpoints each backend has.
    var current: (listeners: [ListenerConfiguration], endpoints: [BackendID: Int]) {
        (
            listeners.values.map(\.configuration).sorted { $0.id < $1.id },
            Dictionary(backends.map { ($0.withoutVariant, $1.endpoints.count) }, uniquingKeysWith: max)
        )
    }

    private mutating func compileBackends(_ configurations: [BackendConfiguration], names: NameAnswers) {
        var used: [BackendID: BackendRuntime] = [:]
        used.reserveCapacity(configurations.count)
        var usedContexts: [BackendTLS: TLSClientContext] = [:]
        for backend in configurations {
            let resolved = resolve(backend, names: names)
            if let tls = backend.tls {
                usedContexts[tls] = usedContexts[tls] ?? clientContexts[tls] ?? TLSClientContext(tls)
            }
            if let old = backends[backend.id], old.configuration == backend, old.isResolving == resolved.isPending,
                old.resolutionFailed == resolved.hasFailed, old.endpoints.elementsEqual(resolved.endpoints, by: ===)
            {
                used[backend.id] = old
                continue
            }
            let id = backend.id.withoutVariant
            let state = backendStates.state(id) { BackendState(id: id, counters: block(BackendField.count)) }
            let tls = backend.tls.flatMap { usedContexts[$0] }
            if let problem = tls?.problem {
                logger.error("backend TLS cannot be used", ["backend": "\(backend.id)", "problem": "\(problem)"])
            }
            used[backend.id] = BackendRuntime(configuration: backend, state: state, resolved: resolved, tls: tls)
        }
        backends = used
        clientContexts = usedContexts
    }

    private func resolve(_ backend: BackendConfiguration, names: NameAnswers) -> ResolvedEndpoints {
        var resolved = ResolvedEndpoints()
        var failures = 0
        func add(_ address: StreamAddress, _ weight: Int) {
            let key = EndpointKey(backend: backend.id, address: address)
            resolved.endpoints.append(endpointStates.state(key) { EndpointState(address: address) })
            resolved.weights.append(weight)
        }
        for endpoint in backend.endpoints {
            switch endpoint.address {
            case .ip(let address): add(.ip(address), endpoint.weight)
            case .unix(let path): add(.unix(path: path), endpoint.weight)
            case .name(let name, let port):
                switch names.answer(NameKey(name: name, settings: backend.settings)) {
                case .pending: resolved.isPending = true
                case .failed: failures += 1
                case .addresses(let addresses):
                    for ip in addresses { add(.ip(SocketAddress(ip, port)), endpoint.weight) }
                }
            }
        }
        resolved.hasFailed = failures > 0 && resolved.endpoints.isEmpty
        return resolved
    }

    private mutating func compileListener(
        _ listener: ListenerConfiguration, key: ListenerKey, routes used: inout [RouteKey: RouteRuntime]
    ) -> ListenerRuntime {
        var runtimes: [RouteRuntime] = []
        var entries: [(HostnamePattern, Int32)] = []
        var fallback: RouteRuntime?
        var termination: TLSServerContexts?
        switch listener.traffic {
        case .tcp(let route):
            fallback = route.map { compileRoute($0, listener: key, alpn: nil, routes: &used) }
        case .tls(let tls):
            var alpn: [String]?
            if case .terminate(let configuration) = tls.mode {
                termination = serverContexts(configuration, listener: listener.id)
                alpn = configuration.alpnProtocols
            }
            for entry in tls.routes {
                entries.append((entry.hostname, Int32(runtimes.count)))
                runtimes.append(compileRoute(entry.route, listener: key, alpn: alpn, routes: &used))
            }
            fallback = tls.fallback.map { compileRoute($0, listener: key, alpn: alpn, routes: &used) }
        }
        if let old = listeners[key], old.configuration == listener, old.fallback === fallback,
            old.routes.elementsEqual(runtimes, by: ===), old.termination === termination
        {
            return old
        }
        let state = listenerStates.state(key) {
            ListenerState(id: listener.id, port: key.port, counters: block(ListenerField.count))
        }
        return ListenerRuntime(
            configuration: listener, state: state, names: ServerNameTable(entries, fallback: nil), routes: runtimes,
            fallback: fallback, termination: termination)
    }

    private mutating func serverContexts(_ termination: TLSTermination, listener: ListenerID) -> TLSServerContexts? {
        if let known = terminations[listener], known.configuration == termination { return known.contexts }
        do throws(TLSSetupError) {
            let contexts = try TLSServerContexts(termination, listener: listener)
            terminations[listener] = (termination, contexts)
            return contexts
        } catch {
            logger.error("TLS listener cannot be set up", ["listener": "\(listener)", "problem": "\(error.message)"])
            // What served before goes on serving, unless it asks for other clients than it should.
            guard let known = terminations[listener],
                known.configuration.clientValidation == termination.clientValidation
            else { return nil }
            return known.contexts
        }
    }

    private func compileRoute(
        _ route: RouteConfiguration, listener: ListenerKey, alpn: [String]?,
        routes used: inout [RouteKey: RouteRuntime]
    ) -> RouteRuntime {
        let key = RouteKey(listener: listener, route: route.id)
        let targets = route.backends.map { entry -> BackendRuntime? in
            if case .backend(let id) = entry.target { backends[id] } else { nil }
        }
        let offered = ALPNList(alpn ?? route.alpnProtocols)
        func isSame(_ old: RouteRuntime) -> Bool {
            old.configuration == route && old.targets.elementsEqual(targets, by: ===) && old.alpn.names == offered.names
        }
        if let shared = used[key], isSame(shared) { return shared }
        if let old = routes[key], isSame(old) {
            used[key] = old
            return old
        }
        let stateKey = RouteState.Key(
            listener: listener.id, port: listener.port, kind: route.id.kind, namespace: route.id.namespace,
            name: route.id.name)
        let runtime = RouteRuntime(
            configuration: route,
            state: routeStates.state(stateKey) { RouteState(key: stateKey, counters: block(RouteField.count)) },
            ticket: tickets.state(route.id) { RuleTicket() }, targets: targets, alpn: offered)
        used[key] = runtime
        return runtime
    }

    private func bindingRuntime(_ binding: Binding, _ runtimes: [ListenerRuntime]) -> BindingRuntime {
        if runtimes.count == 1, case .tcp = runtimes[0].configuration.traffic {
            return BindingRuntime(binding: binding, traffic: .tcp, primary: runtimes[0])
        }
        var entries: [(HostnamePattern, Int32)] = []
        var anyName: Int32?
        for (index, runtime) in runtimes.enumerated() {
            guard case .tls(let tls) = runtime.configuration.traffic else { continue }
            if let hostname = tls.hostname {
                entries.append((hostname, Int32(index)))
            } else {
                anyName = anyName ?? Int32(index)
            }
        }
        let primary = runtimes[Int(anyName ?? 0)]
        return BindingRuntime(
            binding: binding, traffic: .tls(names: ServerNameTable(entries, fallback: anyName), listeners: runtimes),
            primary: primary)
    }

    private func block(_ fields: Int) -> CounterBlock { CounterBlock(fields: fields, workers: workers, slab: slab) }
}
