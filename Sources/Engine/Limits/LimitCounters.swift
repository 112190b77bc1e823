internal import EngineModel
internal import Synchronization

/// Whose limits they are: what metrics name beside the limit.
enum LimitScope: Hashable, Sendable {
    case listener(TableCompiler.ListenerKey)
    case route(RouteState.Key)
}

/// How often one rule of a policy decided at one listener or route; one cell for all workers.
final class DecisionCounter: Sendable {
    struct Key: Hashable, Sendable {
        var scope: LimitScope
        var policy: String
        /// Empty: no rule matched.
        var rule: String
        /// `allow`, `deny` or `audit`.
        var action: String
    }
    let key: Key
    private let cell = Atomic<UInt64>(0)

    init(key: Key) { self.key = key }

    func add() { cell.add(1, ordering: .relaxed) }
    var count: UInt64 { cell.load(ordering: .relaxed) }
}

/// How often limits took effect at one listener or route; one cell each for all workers.
final class LimitHits: Sendable {
    /// Label values of `sluice_limit_hits_total`.
    enum Limit: String, CaseIterable {
        case connections
        case sourceConnections = "source_connections"
        case rate
        case sourceRate = "source_rate"
        case bandwidth
    }
    let scope: LimitScope
    private let connections = Atomic<UInt64>(0)
    private let sourceConnections = Atomic<UInt64>(0)
    private let rate = Atomic<UInt64>(0)
    private let sourceRate = Atomic<UInt64>(0)
    private let bandwidth = Atomic<UInt64>(0)

    init(scope: LimitScope) { self.scope = scope }

    func add(_ limit: Limit) {
        switch limit {
        case .connections: connections.add(1, ordering: .relaxed)
        case .sourceConnections: sourceConnections.add(1, ordering: .relaxed)
        case .rate: rate.add(1, ordering: .relaxed)
        case .sourceRate: sourceRate.add(1, ordering: .relaxed)
        case .bandwidth: bandwidth.add(1, ordering: .relaxed)
        }
    }

    func count(_ limit: Limit) -> UInt64 {
        switch limit {
        case .connections: connections.load(ordering: .relaxed)
        case .sourceConnections: sourceConnections.load(ordering: .relaxed)
        case .rate: rate.load(ordering: .relaxed)
        case .sourceRate: sourceRate.load(ordering: .relaxed)
        case .bandwidth: bandwidth.load(ordering: .relaxed)
        }
    }
}
