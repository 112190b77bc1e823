internal import Platform
internal import COpenSSL
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

/// A backend with the addresses it has now. What a connection needs comes first, as in ``RouteRuntime``.
final class BackendRuntime: Sendable {
    /// The state's.
    let cells: WorkerCells
    /// The endpoint of every connection, where there is no choice.
    let only: EndpointState?
    let connectTimeout: Int64
    let tls: TLSClientContext?
    /// Whether endpoints are told something in the clear before anything else.
    let greets: Bool
    let state: BackendState
    let configuration: BackendConfiguration
    let resolved: ResolvedEndpoints
    let endpoints: [EndpointState]
    let picker: EndpointPicker
    /// Chooses in place of ``picker``; nil for most.
    let balancer: Balancer?
    /// Whether its endpoints depend on answers of DNS.
    let hasNames: Bool
    /// Whether some of them have an alternate (``ResolvedEndpoints/alternates``).
    let hasAlternates: Bool
    /// Nil: every endpoint can always be used.
    let health: BackendHealth?
    /// Parallel to ``endpoints``; empty without ``health``.
    let standings: [EndpointHealth]
    /// By endpoint, where what becomes of connections says something of it; else empty.
    let observed: [ObjectIdentifier: EndpointHealth]
    let isObserved: Bool
    /// Nil: any number of connections.
    let circuit: BackendCircuit?

    init(
        configuration: BackendConfiguration, state: BackendState, resolved: ResolvedEndpoints, tls: TLSClientContext?,
        health: BackendHealth?, balancer: Balancer?, circuit: BackendCircuit?
    ) {
        self.configuration = configuration
        self.balancer = balancer
        self.circuit = circuit
        self.health = health
        standings = health.map { health in resolved.endpoints.map { health.endpoint($0.address) } } ?? []
        isObserved = health?.failureLimit != nil
        observed =
            isObserved
            ? Dictionary(
                zip(resolved.endpoints.map { ObjectIdentifier($0) }, standings), uniquingKeysWith: { first, _ in first }
            )
            : [:]
        self.state = state
        self.tls = tls
        greets = configuration.settings.proxyProtocol != nil || configuration.settings.startTLS != nil
        self.resolved = resolved
        endpoints = resolved.endpoints
        cells = state.counters.cells
        only =
            endpoints.count == 1 && balancer == nil && resolved.weights.allSatisfy { $0 > 0 } ? endpoints[0] : nil
        picker = EndpointPicker(weights: resolved.weights)
        hasAlternates = !resolved.alternates.isEmpty
        hasNames = configuration.endpoints.contains { $0.address.isName }
        connectTimeout = configuration.settings.connectTimeout.wholeMilliseconds
    }
}

/// A backend's endpoints after names were turned into addresses.
struct ResolvedEndpoints: Sendable {
    var endpoints: [EndpointState] = []
    /// Parallel to the endpoints; relative to each other, 0 gets nothing.
    var weights: [Int] = []
    /// Parallel to the endpoints: those of the lowest number go first. Of SRV records by their priority.
    var preferences: [UInt8] = []
    /// Parallel to the endpoints; nil: not known.
    var zones: [String?] = []
    /// Parallel to the endpoints, where a name has addresses of both families and both are wanted: the index of one of the other
    /// family, or -1. Empty where there is none.
    var alternates: [Int32] = []
    /// Names whose first answer has not come yet.
    var isPending = false
    /// Every name failed and none ever resolved, or it led to refused addresses only.
    var hasFailed = false
    /// How many addresses of SRV records' targets are not used, because there are too many.
    var leftOut = 0
    /// Names without an address that could be used: one sentence each. Connections do not depend on it.
    var problems: [String] = []
    /// Addresses that names led to and that are not used: one sentence each.
    var refused: [String] = []

    static func == (left: ResolvedEndpoints, right: ResolvedEndpoints) -> Bool {
        left.isPending == right.isPending && left.hasFailed == right.hasFailed && left.refused == right.refused
            && left.endpoints.elementsEqual(right.endpoints, by: ===) && left.weights == right.weights
            && left.preferences == right.preferences && left.zones == right.zones
            && left.alternates == right.alternates && left.leftOut == right.leftOut
    }
}

/// ALPN names in wire format, at a stable address; held by a route, and so by every connection that was given it.
final class ALPNList: @unchecked Sendable {
    // Sendable because it is written in init only.
    let wire: UnsafeMutablePointer<sluice_alpn_list>
    /// As they were given.
    let names: [String]

    /// What nearly all routes offer: nothing.
    static let none = ALPNList([])

    /// Names of 1–255 bytes, in the order of preference; others are left out.
    init(_ names: [String]) {
        self.names = names
        let bytes = names.filter { (1...255).contains($0.utf8.count) }
            .flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, bytes.count))
        memory.initialize(from: bytes, count: bytes.count)
        wire = .allocate(capacity: 1)
        wire.initialize(to: sluice_alpn_list(bytes: memory, count: UInt32(bytes.count)))
    }

    deinit {
        wire.pointee.bytes.deallocate()
        wire.deallocate()
    }
}
