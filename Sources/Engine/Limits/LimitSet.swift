internal import EngineCore
internal import EngineModel
internal import Platform
internal import Primitives

/// The limits of one listener or route: immutable, made anew with their values. What was counted and spent lies in states that
/// go on.
final class LimitSet: Sendable {
    /// The widest target's first.
    let levels: [LimitLevel]
    let hasAuthorization: Bool
    let hasRates: Bool

    /// Nil where nothing is limited.
    init?(_ levels: [LimitLevel]) {
        guard !levels.isEmpty else { return nil }
        self.levels = levels
        hasAuthorization = levels.contains { $0.authorization != nil }
        hasRates = levels.contains { $0.configuration.connectionRate != nil }
    }

    /// Levels that must be judged again for sessions that are there already, as they were not judged so before.
    func changedAuthorization(since old: LimitSet?) -> [LimitLevel] {
        levels.filter { level in
            guard let own = level.authorization?.configuration, own.terminatesExisting else { return false }
            return old?.levels.contains { $0.id == level.id && $0.authorization?.configuration == own } != true
        }
    }
}

/// What one policy asks at one listener or route.
final class LimitLevel: Sendable {
    let configuration: ClientLimits
    let state: LimitState
    let authorization: AuthorizationLevel?
    /// Open connections; `Int.max`: any number.
    let most: Int
    let sourceCounts: SourceCounts?
    /// Of those that wait to be judged.
    let waitingCounts: SourceCounts?
    let sourceRates: SourceRates?
    /// Whether the listener stops accepting where there are ``most``.
    let pauses: Bool
    /// Milliseconds.
    let closeDelay: Int64
    let hits: LimitHits
    private let decisions: [DecisionCounter]
    private let byDefault: DecisionCounter?

    var id: LimitID { configuration.id }

    init(
        _ configuration: ClientLimits, state: LimitState, sourceCounts: SourceCounts?, waitingCounts: SourceCounts?,
        sourceRates: SourceRates?, hits: LimitHits, counter: (_ rule: String, _ action: String) -> DecisionCounter
    ) {
        self.configuration = configuration
        self.state = state
        self.sourceCounts = sourceCounts
        self.waitingCounts = waitingCounts
        self.sourceRates = sourceRates
        self.hits = hits
        authorization = configuration.authorization.map { state.authorization($0) }
        let connections = configuration.connections
        most = connections?.value.map { max(1, $0) } ?? .max
        pauses = connections?.onLimit == .pause && connections?.value != nil
        closeDelay = connections.map { min(max(0, $0.closeDelay.wholeMilliseconds), 60_000) } ?? 0
        decisions = configuration.authorization?.rules.map { counter($0.name, $0.action.rawValue) } ?? []
        byDefault = configuration.authorization.map { counter("", $0.allowsByDefault ? "allow" : "deny") }
    }

    func count(rule: Int?) {
        if let rule { decisions[rule].add() } else { byDefault?.add() }
    }

    /// Empty: no rule matched.
    func name(ofRule rule: Int?) -> String {
        rule.flatMap { configuration.authorization?.rules[$0].name } ?? ""
    }

    /// Counts a connection from an address, and nothing where it may not be.
    func enter(_ client: IPAddress, isReserved: Bool) -> LimitRefusal? {
        guard take(client, from: sourceCounts) else { return .sourceConnections }
        if isReserved || state.open.take(atMost: most) { return nil }
        giveBack(client, to: sourceCounts)
        hits.add(.connections)
        return .connections
    }

    /// Takes back what ``enter(_:isReserved:)`` counted. Workers to wake, as bits.
    func leave(_ client: IPAddress, isReserved: Bool) -> UInt64 {
        giveBack(client, to: sourceCounts)
        return isReserved ? 0 : state.open.giveBack()
    }

    /// Counts a connection from an address that is to be judged later. False: as many wait already as may be open.
    func enterWaiting(_ client: IPAddress) -> Bool { take(client, from: waitingCounts) }

    func leaveWaiting(_ client: IPAddress) { giveBack(client, to: waitingCounts) }

    private func take(_ client: IPAddress, from counts: SourceCounts?) -> Bool {
        guard let counts, let limit = configuration.connections?.perSource,
            !counts.take(SourceKey(client, limit.source), atMost: max(1, limit.value))
        else { return true }
        hits.add(.sourceConnections)
        return false
    }

    private func giveBack(_ client: IPAddress, to counts: SourceCounts?) {
        guard let counts, let limit = configuration.connections?.perSource else { return }
        counts.giveBack(SourceKey(client, limit.source))
    }

    /// Takes a new connection from the rates. A source's own comes first, so that what it may not do costs the others nothing.
    func takeRates(_ client: IPAddress, now: Int64) -> LimitRefusal? {
        guard let rate = configuration.connectionRate else { return nil }
        if let sourceRates, sourceRates.take(SourceKey(client, rate.source), now: now) != .admitted {
            hits.add(.sourceRate)
            return .sourceRate
        }
        guard !state.takeRate(now: now) else { return nil }
        hits.add(.rate)
        return .rate
    }
}

/// Why a level turns a connection away.
enum LimitRefusal {
    case connections, sourceConnections, rate, sourceRate

    var reason: CloseReason {
        switch self {
        case .connections: .connectionLimit
        case .sourceConnections: .sourceConnectionLimit
        case .rate, .sourceRate: .rateLimited
        }
    }

    var isDelayed: Bool { self == .connections || self == .sourceConnections }
}

/// Levels at one bound port at whose limit nothing more is accepted there (Pause). A connection is counted at them before it is
/// accepted; those that turn out not to be its listener's get it back.
final class PauseSet: Sendable {
    /// One for each state.
    let levels: [LimitLevel]

    /// Nil where nothing pauses.
    init?(_ listeners: [ListenerRuntime]) {
        var levels: [LimitLevel] = []
        for listener in listeners {
            for level in listener.limits?.levels ?? []
            where level.pauses && !levels.contains(where: { $0.state === level.state }) {
                levels.append(level)
            }
        }
        guard !levels.isEmpty else { return nil }
        self.levels = levels
    }

    func holds(_ state: LimitState) -> Bool { levels.contains { $0.state === state } }
}
