internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform
internal import Primitives

/// Turns configurations into routing tables, each out of the one before: a list that changed is looked through once, what changed
/// in it is compiled, and all else is shared with the table before. Used by one thread at a time.
struct TableCompiler {
    let workers: Int
    let logger: Logger
    let ticketKeys: TicketKeyStore
    let accessFormats: AccessFormats
    /// What rates are converted by, and since when endpoints warm up.
    let clock: @Sendable () -> MonotonicTime
    private let slab = CounterSlab()
    /// Those of the newest table.
    var listeners: [ListenerKey: ListenerRuntime] = [:]
    var bindings: [Binding: BindingRuntime] = [:]
    private(set) var backends = BackendMap()
    /// What the newest table's TLS listeners route; their runtimes are without.
    var routes: [ListenerKey: [TLSListener.HostnameRoute]] = [:]
    private var configuredBackends: [BackendConfiguration] = []
    /// Backends whose endpoints depend on answers of DNS.
    private var named: [BackendID: Set<NameKey>] = [:]
    /// What the newest table knows of their names.
    private(set) var namesOfBackends: [BackendID: NamesOfBackend] = [:]
    private var clientContexts: [BackendTLS: TLSClientContext] = [:]
    /// Which routes of the newest table lead to which backend, by TLS listener.
    var users: [ListenerKey: BackendUsers] = [:]

    // Of the compilation under way.
    private var backendDifference: ListDifference?
    /// Where the configuration may differ from the one before; nil: not known.
    var change: ConfigurationChange?
    /// Backends of the table before that are others now, or gone.
    var replacedBackends: [ObjectIdentifier: BackendRuntime] = [:]
    var hasNewBackends = false

    let listenerStates = Registry<ListenerKey, ListenerState>()
    let routeStates = Registry<RouteState.Key, RouteState>()
    let backendStates = Registry<BackendID, BackendState>()
    /// Without variant: those whose endpoints have metrics of their own.
    var countedBackends: Set<BackendID> = []
    let tickets = Registry<RouteID, RuleTicket>()
    let bandwidth = BandwidthRegistry()
    let circuits = CircuitRegistry()
    let fallbackRules = Registry<RouteID, FallbackRule>()
    /// Backends of the newest table that say what becomes of sessions.
    private(set) var actingBackends: Set<BackendID> = []
    let endpointStates = Registry<EndpointKey, EndpointState>()
    let maglevTables = Registry<SharedMaglevTable.Key, SharedMaglevTable>()
    let healths = Registry<BackendHealth.Key, BackendHealth>()
    var healthBook = HealthBook()
    let limitStates = Registry<LimitID, LimitState>()
    let sourceCounts = Registry<SourcesKey, SourceCounts>()
    /// Of those that wait to be judged.
    let waitingCounts = Registry<SourcesKey, SourceCounts>()
    let sourceRates = Registry<SourcesKey, SourceRates>()
    let decisionCounters = Registry<DecisionCounter.Key, DecisionCounter>()
    let limitHits = Registry<LimitScope, LimitHits>()

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
        var backends: BackendMap
        var changes: [ListenerChange]
    }

    /// A listener that is not what it was; `old` or `new` is nil where it came or went.
    struct ListenerChange {
        var old: ListenerRuntime?
        var new: ListenerRuntime?
        /// Of its routes those that were in no name of the table before, and those that are in none of this one.
        var arrived: [RouteState] = []
        var left: [RouteState] = []
        /// Sessions that must be judged again.
        var rechecks: [AuthorizationRecheck] = []
    }

    init(
        workers: Int, logger: Logger, ticketKeys: TicketKeyStore = TicketKeyStore(),
        accessFormats: AccessFormats = AccessFormats(), clock: @escaping @Sendable () -> MonotonicTime = { .now() }
    ) {
        self.clock = clock
        self.accessFormats = accessFormats
        self.workers = workers
        self.logger = logger
        self.ticketKeys = ticketKeys
    }

    /// What every binding of the configuration does, and the backends by identity; `names` holds the latest answers for
    /// DNS endpoints.
    mutating func compile(_ configuration: EngineConfiguration, names: NameAnswers) -> Output {
        compileBackends(configuration.backends, names: names)
        let changes = compileListeners(configuration.listeners)
        noteCountedBackends()
        (replacedBackends, hasNewBackends, change) = ([:], false, nil)
        return Output(bindings: bindings, backends: backends, changes: changes)
    }

    func block(_ fields: Int) -> CounterBlock { CounterBlock(fields: fields, workers: workers, slab: slab) }
}

extension TableCompiler {
    // MARK: Backends

    /// The names that a configuration needs answers for, each with its backends without variant, where they are others than
    /// before; nil: they are the same. What it finds out serves the compilation that follows, and so does `change`.
    mutating func changedNames(_ configuration: EngineConfiguration, _ change: ConfigurationChange? = nil)
        -> [NameKey: Set<BackendID>]?
    {
        let configurations = configuration.backends
        self.change = change
        let difference = backendDifference(to: configurations)
        backendDifference = difference
        let before = named
        if !named.isEmpty { for index in difference.removed { named[configuredBackends[index].id] = nil } }
        for index in difference.added {
            let names = configurations[index].names
            if !names.isEmpty { named[configurations[index].id] = names }
        }
        guard named != before else { return nil }
        return named.reduce(into: [:]) { names, entry in
            for name in entry.value { names[name, default: []].insert(entry.key.withoutVariant) }
        }
    }

    private func backendDifference(to configurations: [BackendConfiguration]) -> ListDifference {
        if let change, isSameStorage(change.before.backends, configuredBackends),
            let known = ListDifference(
                from: configuredBackends, to: configurations, at: change.backends, key: { $0.id })
        {
            return known
        }
        return ListDifference(from: configuredBackends, to: configurations) { $0.id < $1.id }
    }

    private mutating func compileBackends(_ configurations: [BackendConfiguration], names: NameAnswers) {
        if backendDifference == nil { _ = changedNames(EngineConfiguration(backends: configurations)) }
        let difference = backendDifference ?? ListDifference()
        backendDifference = nil
        var gone: [BackendID: BackendRuntime] = [:]
        for index in difference.removed {
            let id = configuredBackends[index].id
            gone[id] = backends[id]
            healthBook.noteGone(backends[id])
            backends[id] = nil
            if !actingBackends.isEmpty { actingBackends.remove(id) }
            namesOfBackends[id] = nil
        }
        for index in difference.added {
            let configuration = configurations[index]
            take(configuration, old: gone.removeValue(forKey: configuration.id), names: names)
        }
        for old in gone.values { replacedBackends[ObjectIdentifier(old)] = old }
        for id in named.keys {
            if let old = backends[id] { take(old.configuration, old: old, names: names) }
        }
        configuredBackends = configurations
        healthBook.replaced = [:]
        forgetClientContexts()
    }

    private mutating func take(_ configuration: BackendConfiguration, old: BackendRuntime?, names: NameAnswers) {
        let runtime = compileBackend(configuration, old: old, names: names)
        if let old, old !== runtime { replacedBackends[ObjectIdentifier(old)] = old }
        if old == nil { hasNewBackends = true }
        if old !== runtime || healthBook.lacks(runtime) { healthBook.note(runtime) }
        backends[configuration.id] = runtime
        if configuration.actsOnSessions { actingBackends.insert(configuration.id) }
    }

    /// Keys of certificates that are shown no more do not stay in memory.
    private mutating func forgetClientContexts() {
        guard !clientContexts.isEmpty, !replacedBackends.isEmpty else { return }
        let used = Set(backends.compactMap { $0.value.tls.map(ObjectIdentifier.init) })
        clientContexts = clientContexts.filter { used.contains(ObjectIdentifier($0.value)) }
    }

    private mutating func compileBackend(
        _ backend: BackendConfiguration, old: BackendRuntime?, names: NameAnswers
    ) -> BackendRuntime {
        if let old, !old.hasNames, old.configuration == backend { return old }
        let resolved = resolve(backend, names: names)
        if !backend.names.isEmpty { namesOfBackends[backend.id] = NamesOfBackend(resolved) }
        if let old, old.configuration == backend, old.resolved == resolved { return old }
        report(backend, resolved, before: old?.resolved)
        let id = backend.id.withoutVariant
        let state = backendStates.state(id) {
            BackendState(id: id, counters: block(BackendField.count), retired: accessFormats.retired)
        }
        let tls = backend.tls.map { clientContexts[$0] ?? TLSClientContext($0) }
        if let configuration = backend.tls { clientContexts[configuration] = tls }
        if let problem = tls?.problem {
            logger.error("backend TLS cannot be used", ["backend": "\(backend.id)", "problem": "\(problem)"])
        }
        let health = health(of: backend, before: old, tls: tls)
        noteJoined(resolved, of: backend, since: old)
        return BackendRuntime(
            configuration: backend, state: state, resolved: resolved, tls: tls, health: health,
            balancer: balancer(of: backend, resolved, state: state, health: health),
            circuit: circuit(backend, resolved.endpoints))
    }

    /// Whether the route leads to the backends of this table.
    func isCurrent(_ route: RouteRuntime) -> Bool {
        if !replacedBackends.isEmpty, leadsToReplaced(route) { return false }
        guard hasNewBackends, route.hasUnknownBackend else { return true }
        return zip(route.targets, route.configuration.backends).allSatisfy { target, entry in
            guard target == nil, case .backend(let id) = entry.target else { return true }
            return backends[id] == nil
        }
    }

    private func leadsToReplaced(_ route: RouteRuntime) -> Bool {
        for target in route.targets {
            if let target, replacedBackends[ObjectIdentifier(target)] != nil { return true }
        }
        return false
    }
}
