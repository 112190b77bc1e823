internal import EngineCore
internal import EngineModel

/// The two tiers of a rule with fallback backends: the second one serves only while nobody of the first can.
final class RouteTiers: Sendable {
    private let primaries: Tier
    private let fallbacks: Tier

    private struct Tier: Sendable {
        /// Indices of the rule's backends that have a weight.
        let members: [Int]
        let sequence: WeightedSequence

        init(_ backends: [RouteConfiguration.WeightedBackend], isFallback: Bool) {
            members = backends.indices.filter { backends[$0].isFallback == isFallback && backends[$0].weight > 0 }
            sequence = WeightedSequence(weights: backends.map { $0.isFallback == isFallback ? $0.weight : 0 })
        }

        /// The best that one of its backends can offer.
        func prospect(_ targets: [BackendRuntime?], _ ask: (BackendRuntime) -> BackendRuntime.Prospect)
            -> BackendRuntime.Prospect
        {
            var best = BackendRuntime.Prospect.none
            for index in members {
                guard let target = targets[index] else { continue }
                best = max(best, ask(target))
                if best == .usable { break }
            }
            return best
        }
    }

    /// Nil where there is one tier.
    init?(_ backends: [RouteConfiguration.WeightedBackend]) {
        guard backends.contains(where: \.isFallback), !backends.allSatisfy(\.isFallback) else { return nil }
        primaries = Tier(backends, isFallback: false)
        fallbacks = Tier(backends, isFallback: true)
    }

    /// Which of the targets is next. A first tier that may turn out to be usable in a moment is waited for.
    func next(
        _ ticket: RuleTicket, _ targets: [BackendRuntime?], _ ask: (BackendRuntime) -> BackendRuntime.Prospect
    ) -> BackendRuntime? {
        let isDown = primaries.prospect(targets, ask) == .none && fallbacks.prospect(targets, ask) != .none
        return (isDown ? fallbacks : primaries).sequence.index(ticket: ticket.draw()).flatMap { targets[$0] }
    }
}

extension BackendRuntime {
    /// What a connection would find.
    enum Prospect: Int, Comparable {
        case none
        /// A name's first answer, or the first results of checks.
        case awaited
        case usable

        static func < (left: Prospect, right: Prospect) -> Bool { left.rawValue < right.rawValue }
    }

    /// On a worker.
    func prospect(worker: Int, now: Int64) -> Prospect { prospect { $0.view(worker: worker, now: now) } }

    /// From any thread.
    func prospect(now: Int64) -> Prospect { prospect { $0.view(now: now) } }

    private func prospect(_ view: (Balancer) -> BalancerView) -> Prospect {
        if let balancer {
            let shares = view(balancer).shares
            if !shares.isEmpty { return .usable }
            if shares.isWaiting { return .awaited }
        } else if !picker.isEmpty {
            return .usable
        }
        return resolved.isPending ? .awaited : .none
    }
}
