internal import Platform
internal import EngineCore
internal import EngineModel
internal import Primitives

// What a routing table is made of: immutable, compiled off the workers, shared by successive tables while unchanged.

/// One immutable table: what every bound port does. Published by one pointer and a generation.
final class RoutingTable: Sendable {
    let generation: UInt64
    /// By binding slot; nil where nothing is bound any more.
    let bindings: [BindingRuntime?]
    /// For connections that wait for a name's first answer.
    let backends: BackendMap
    /// Goes up with each change of what limits sessions that are there (``BandwidthRegistry/changes``).
    let bandwidthChanges: UInt64
    /// Of the configuration it was made from: as metrics and lines of the access log name it.
    let configurationGeneration: UInt64

    init(
        generation: UInt64, bindings: [BindingRuntime?], backends: BackendMap, bandwidthChanges: UInt64 = 0,
        configurationGeneration: UInt64 = 0
    ) {
        self.configurationGeneration = configurationGeneration
        self.bandwidthChanges = bandwidthChanges
        self.generation = generation
        self.bindings = bindings
        self.backends = backends
    }
}

/// What one bound port does.
final class BindingRuntime: Sendable {
    enum Traffic: Sendable {
        case tcp
        /// TLS listeners told apart by host name; values are indices of `listeners`.
        case tls(names: ServerNameTable)
    }
    let binding: Binding
    /// Where it is bound to; port 0: to every local address.
    let destination: SocketAddress
    let traffic: Traffic
    let listeners: [ListenerRuntime]
    /// Whom a connection counts for before its listener is known: the one for every name, else the first. What acts before
    /// that is equal on all of them and taken from its settings.
    let primary: ListenerRuntime
    /// Where a connection begins, and where it goes on once the client's address is known.
    let firstStage: Stage
    let stageAfterProxy: Stage
    /// Limits at which nothing more is accepted; nil for nearly all.
    let pauses: PauseSet?
    /// Limits of sources before a hello is there; nil for nearly all, and without TLS, where nobody waits to be judged.
    let waiting: WaitingSources?

    init(binding: Binding, traffic: Traffic, listeners: [ListenerRuntime], primary: ListenerRuntime) {
        pauses = PauseSet(listeners)
        self.binding = binding
        destination =
            if let address = binding.address, !address.isUnspecified {
                SocketAddress(address.unmapped, binding.port)
            } else {
                SocketAddress(.anyV4, 0)
            }
        self.traffic = traffic
        self.listeners = listeners
        self.primary = primary
        stageAfterProxy =
            switch traffic {
            case .tcp: .admit
            case .tls: primary.configuration.settings.startTLS == nil ? .inspect : .startTLS
            }
        waiting = if case .tls = traffic { WaitingSources(listeners) } else { nil }
        firstStage = primary.configuration.settings.proxyProtocol == nil ? stageAfterProxy : .proxyHeader
    }

    var settings: ListenerSettings { primary.configuration.settings }
}

/// One listener at one port.
final class ListenerRuntime: Sendable {
    /// Without the routes: those are in ``slots``.
    let configuration: ListenerConfiguration
    let state: ListenerState
    /// Values are slots.
    let names: ServerNameTable
    let slots: RouteSlots
    /// TCP: the route. TLS: the catch-all.
    let fallback: RouteRuntime?
    /// Only where TLS is terminated.
    let termination: TLSServerContexts?
    let limits: LimitSet?
    let accessFormat: AccessFormatID
    /// Of connections that have no route.
    let access: AccessChoice

    init(
        configuration: ListenerConfiguration, state: ListenerState, names: ServerNameTable, slots: RouteSlots,
        fallback: RouteRuntime?, termination: TLSServerContexts?, limits: LimitSet?,
        accessFormat: AccessFormatID = .json
    ) {
        self.accessFormat = accessFormat
        access = AccessChoice(configuration.settings.accessLog)
        self.configuration = configuration
        self.state = state
        self.names = names
        self.slots = slots
        self.fallback = fallback
        self.termination = termination
        self.limits = limits
    }

    func route(for serverName: String?) -> RouteRuntime? {
        guard let slot = names.lookup(serverName) else { return fallback }
        return slots[slot]
    }

    /// False where its TLS could not be set up as configured: the next table tries again.
    var isComplete: Bool {
        guard case .tls(let tls) = configuration.traffic, case .terminate(let wanted) = tls.mode else { return true }
        return termination?.configuration == wanted
    }

    /// Whether nobody is let in without a certificate that verifies.
    var demandsCertificates: Bool {
        guard case .tls(let tls) = configuration.traffic, case .terminate(let wanted) = tls.mode else { return false }
        return wanted.clientValidation?.mode == .validOnly
    }

    /// Times in milliseconds.
    var inspectionTimeout: Int64 { configuration.settings.inspectionTimeout.wholeMilliseconds }
    var handshakeTimeout: Int64 { configuration.settings.tlsHandshakeTimeout.wholeMilliseconds }
}

/// One rule of a route on one listener.
///
/// What a connection needs comes first: with thousands of routes each cache line is one that has to be fetched.
final class RouteRuntime: Sendable {
    /// The state's.
    let cells: WorkerCells
    /// The backend of every connection, where there is no choice.
    let only: BackendRuntime?
    let limits: LimitSet?
    let idleTimeout: Int64
    let halfCloseTimeout: Int64
    let maxDuration: Int64
    let access: AccessChoice
    /// Whether one of those that concern one direction is set.
    let hasTimeoutsOfSides: Bool
    let state: RouteState
    let configuration: RouteConfiguration
    let ticket: RuleTicket
    let sequence: WeightedSequence
    /// Nil where no backend is a fallback for others.
    let tiers: RouteTiers?
    /// Parallel to the configuration's backends; nil: its share is refused.
    let targets: [BackendRuntime?]
    /// Whether a backend that the configuration names is none of the table's.
    let hasUnknownBackend: Bool
    let alpn: ALPNList
    /// Nil for a rule that never had fallback backends.
    let fallbackRule: FallbackRule?
    let clientIdleTimeout: Int64
    let serverIdleTimeout: Int64
    let firstByteTimeout: Int64

    init(
        configuration: RouteConfiguration, state: RouteState, ticket: RuleTicket, targets: [BackendRuntime?],
        alpn: ALPNList, limits: LimitSet?, fallbackRule: FallbackRule? = nil
    ) {
        self.configuration = configuration
        self.state = state
        self.ticket = ticket
        self.targets = targets
        self.alpn = alpn
        self.limits = limits
        self.fallbackRule = fallbackRule
        cells = state.counters.cells
        only = targets.count == 1 && configuration.backends.allSatisfy { $0.weight > 0 } ? targets[0] : nil
        hasUnknownBackend = zip(targets, configuration.backends).contains { $0 == nil && $1.target != .invalid }
        access = AccessChoice(configuration.settings.accessLog)
        sequence = WeightedSequence(weights: configuration.backends.map(\.weight))
        tiers = RouteTiers(configuration.backends)
        let settings = configuration.settings
        idleTimeout = settings.idleTimeout?.wholeMilliseconds ?? 0
        halfCloseTimeout = settings.halfCloseTimeout?.wholeMilliseconds ?? 0
        maxDuration = settings.maxConnectionDuration?.wholeMilliseconds ?? 0
        clientIdleTimeout = settings.clientIdleTimeout?.wholeMilliseconds ?? 0
        serverIdleTimeout = settings.serverIdleTimeout?.wholeMilliseconds ?? 0
        firstByteTimeout = settings.firstByteTimeout?.wholeMilliseconds ?? 0
        hasTimeoutsOfSides = clientIdleTimeout > 0 || serverIdleTimeout > 0 || firstByteTimeout > 0
    }

    /// ``maxDuration`` as one connection has it: shorter by up to the jitter, so that those that came together do not all come
    /// back together. A connection always gets the same.
    func maxDuration(of connection: UInt64) -> Int64 {
        let jitter = Int64(min(max(configuration.settings.maxConnectionDurationJitter, 0), 50))
        let spread = maxDuration / 100 * jitter + maxDuration % 100 * jitter / 100
        guard spread > 0 else { return maxDuration }
        return maxDuration - DrainCell.share(of: connection) % (spread + 1)
    }

    /// The backend the next connection goes to, where there are several and none is a fallback; nil: refuse it.
    func nextBackend() -> BackendRuntime? {
        sequence.index(ticket: ticket.draw()).flatMap { targets[$0] }
    }
}
