internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform
internal import Primitives

/// Turns configurations into routing tables and reuses every part that did not change: what a change costs is what it
/// changes, and one look at the rest. Used by one thread at a time.
struct TableCompiler {
    let workers: Int
    let logger: Logger
    private let slab = CounterSlab()
    /// Those of the newest table.
    var listeners: [ListenerKey: ListenerRuntime] = [:]
    var bindings: [Binding: BindingRuntime] = [:]
    private(set) var backends: [BackendID: BackendRuntime] = [:]
    /// The same, in the configuration's order.
    private var orderedBackends: [BackendRuntime] = []
    private var clientContexts: [BackendTLS: TLSClientContext] = [:]

    // Of the compilation under way.
    /// Backends of the table before that are others now, or gone.
    private var replacedBackends: Set<ObjectIdentifier> = []
    private var hasNewBackends = false

    let listenerStates = Registry<ListenerKey, ListenerState>()
    let routeStates = Registry<RouteState.Key, RouteState>()
    let backendStates = Registry<BackendID, BackendState>()
    let tickets = Registry<RouteID, RuleTicket>()
    private let endpointStates = Registry<EndpointKey, EndpointState>()

    struct ListenerKey: Hashable, Sendable {
        var id: ListenerID
        /// What clients dial.
        var port: UInt16
    }
    struct EndpointKey: Hashable, Sendable {
        var backend: BackendID
        var address: StreamAddress
    }

    /// A table to be, and how it differs from the one before.
    struct Output {
        var bindings: [Binding: BindingRuntime]
        var backends: [BackendID: BackendRuntime]
        var changes: [ListenerChange]
    }

    /// A listener that is not what it was; `old` or `new` is nil where it came or went.
    struct ListenerChange {
        var old: ListenerRuntime?
        var new: ListenerRuntime?
    }

    init(workers: Int, logger: Logger) {
        self.workers = workers
        self.logger = logger
    }

    /// What every binding of the configuration does, and the backends by identity; `names` holds the latest answers for
    /// DNS endpoints.
    mutating func compile(_ configuration: EngineConfiguration, names: NameAnswers) -> Output {
        compileBackends(configuration.backends, names: names)
        let changes = compileListeners(configuration.listeners)
        return Output(bindings: bindings, backends: backends, changes: changes)
    }

    /// The listeners of the newest table, and how many endpoints each backend has.
    var current: (listeners: [ListenerConfiguration], endpoints: [BackendID: Int]) {
        (
            listeners.values.map(\.configuration).sorted { $0.id < $1.id },
            Dictionary(backends.map { ($0.withoutVariant, $1.endpoints.count) }, uniquingKeysWith: max)
        )
    }

    func block(_ fields: Int) -> CounterBlock { CounterBlock(fields: fields, workers: workers, slab: slab) }
}

extension TableCompiler {
    // MARK: Backends

    private mutating func compileBackends(_ configurations: [BackendConfiguration], names: NameAnswers) {
        replacedBackends.removeAll(keepingCapacity: true)
        hasNewBackends = false
        var ordered: [BackendRuntime] = []
        ordered.reserveCapacity(configurations.count)
        var cursor = 0
        var kept = 0
        for index in configurations.indices {
            // Most stand where they stood, as they were: they cost one comparison.
            if cursor < orderedBackends.count, !orderedBackends[cursor].hasNames,
                orderedBackends[cursor].configuration == configurations[index]
            {
                ordered.append(orderedBackends[cursor])
                cursor += 1
                kept += 1
                continue
            }
            let configuration = configurations[index]
            let old = known(configuration.id, at: &cursor)
            if old != nil { kept += 1 } else { hasNewBackends = true }
            let runtime = compileBackend(configuration, old: old, names: names)
            if let old, old !== runtime { replacedBackends.insert(ObjectIdentifier(old)) }
            if old !== runtime { backends[configuration.id] = runtime }
            ordered.append(runtime)
        }
        if kept < orderedBackends.count {
            backends = Dictionary(ordered.map { ($0.configuration.id, $0) }, uniquingKeysWith: { $1 })
            for old in orderedBackends where backends[old.configuration.id] == nil {
                replacedBackends.insert(ObjectIdentifier(old))
            }
        }
        orderedBackends = ordered
        forgetClientContexts()
    }

    /// Keys of certificates that are shown no more do not stay in memory.
    private mutating func forgetClientContexts() {
        guard !clientContexts.isEmpty, !replacedBackends.isEmpty else { return }
        let used = Set(orderedBackends.compactMap { $0.tls.map(ObjectIdentifier.init) })
        clientContexts = clientContexts.filter { used.contains(ObjectIdentifier($0.value)) }
    }

    /// The backend of the table before: where `cursor` stands, or elsewhere.
    private func known(_ id: BackendID, at cursor: inout Int) -> BackendRuntime? {
        for index in cursor..<min(cursor + 2, orderedBackends.count)
        where orderedBackends[index].configuration.id == id {
            cursor = index + 1
            return orderedBackends[index]
        }
        return backends[id]
    }

    private mutating func compileBackend(
        _ backend: BackendConfiguration, old: BackendRuntime?, names: NameAnswers
    ) -> BackendRuntime {
        if let old, !old.hasNames, old.configuration == backend { return old }
        let resolved = resolve(backend, names: names)
        if let old, old.configuration == backend, old.resolved == resolved { return old }
        if !resolved.refused.isEmpty, old?.resolved.refused != resolved.refused {
            logger.warning(
                resolved.endpoints.isEmpty
                    ? "backend cannot be reached: its name leads only to addresses that are refused"
                    : "addresses of a backend's name are refused and left out",
                ["backend": "\(backend.id)", "problem": "\(resolved.refused.joined(separator: ", "))"])
        }
        let id = backend.id.withoutVariant
        let state = backendStates.state(id) { BackendState(id: id, counters: block(BackendField.count)) }
        let tls = backend.tls.map { clientContexts[$0] ?? TLSClientContext($0) }
        if let configuration = backend.tls { clientContexts[configuration] = tls }
        if let problem = tls?.problem {
            logger.error("backend TLS cannot be used", ["backend": "\(backend.id)", "problem": "\(problem)"])
        }
        return BackendRuntime(configuration: backend, state: state, resolved: resolved, tls: tls)
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
                    // Whoever answers for the name may say something else each time: every answer is looked at.
                    for ip in addresses {
                        if let kind = backend.settings.refusedAddresses.refusal(of: ip) {
                            resolved.refused.append("\(name) is \(ip) (\(kind))")
                        } else {
                            add(.ip(SocketAddress(ip, port)), endpoint.weight)
                        }
                    }
                }
            }
        }
        resolved.hasFailed = resolved.endpoints.isEmpty && (failures > 0 || !resolved.refused.isEmpty)
        return resolved
    }

    /// Whether the route leads to the backends of this table.
    func isCurrent(_ route: RouteRuntime) -> Bool {
        guard !replacedBackends.isEmpty || hasNewBackends else { return true }
        for (index, target) in route.targets.enumerated() {
            if let target {
                if replacedBackends.contains(ObjectIdentifier(target)) { return false }
            } else if hasNewBackends, case .backend(let id) = route.configuration.backends[index].target {
                if backends[id] != nil { return false }
            }
        }
        return true
    }
}
