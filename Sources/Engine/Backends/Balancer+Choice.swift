internal import EngineCore
internal import EngineModel
internal import Primitives
internal import Synchronization

extension Balancer {
    /// What one connection, or one retry, asks for.
    struct Request {
        var worker: Int
        /// Milliseconds of the workers' clock.
        var now: Int64
        var client: IPAddress
        var tried: TriedEndpoints
    }

    /// Chooses an endpoint. Those that were tried are taken again only where no other is left, also of a higher preference or in
    /// another zone; those that are full never.
    func choose(_ request: Request, random: inout SplitMix64, isFull: (Int) -> Bool) -> Choice {
        let view = view(worker: request.worker, now: request.now)
        let choice = choose(request, view, &random, isFull)
        guard case .full = choice, isOutdated(view) else { return choice }
        return choose(request, self.view(worker: request.worker, now: request.now, exactly: true), &random, isFull)
    }

    private func choose(
        _ request: Request, _ view: BalancerView, _ random: inout SplitMix64, _ isFull: (Int) -> Bool
    ) -> Choice {
        guard !view.shares.isEmpty else { return view.shares.isWaiting ? .awaited : .nobody }
        let tried = request.tried
        if !tried.isEmpty {
            func isOut(_ index: Int) -> Bool { tried.contains(index) || isFull(index) || hasGone(index, view) }
            let other = pick(request, view, &random, isOut: isOut)
            if let other = other ?? farther(random.next(), isOut: isOut) { return .endpoint(other) }
        }
        let picked = pick(request, view, &random, isOut: { isFull($0) || hasGone($0, view) })
        return picked.map { .endpoint($0) } ?? .full
    }

    private func pick(
        _ request: Request, _ view: BalancerView, _ random: inout SplitMix64, isOut: (Int) -> Bool
    ) -> Int? {
        let shares = view.shares
        switch method {
        case .leastRequest: return shares.picker.pick(random: &random, active: active, isOut: isOut)
        case .random: return shares.picker.pick(random: &random, active: nil, isOut: isOut)
        case .rotation(let rotation, let state):
            let next = rotation.pick(ticket: state.drawTurn) {
                shares.accepts($0, lot: UInt32(truncatingIfNeeded: random.next())) && !isOut($0)
            }
            return next ?? shares.picker.pick(random: &random, active: nil, isOut: isOut)
        case .hash(let shared, let prefix, let bound):
            let key = SourceKey(request.client, prefix).stableHash
            if let bound, let found = pick(key, shared.table, bound, request.now, view, isOut) { return found }
            return shared.table.pick(key: key) { shares.accepts($0, lot: $1) && !isOut($0) }
        }
    }

    /// The first endpoint from the key's place on that has not too much of the load.
    private func pick(
        _ key: UInt64, _ table: MaglevTable, _ bound: BoundedLoad, _ now: Int64, _ view: BalancerView,
        _ isOut: (Int) -> Bool
    ) -> Int? {
        let shares = view.shares
        let total = view.activeSum(now: now, active: active)
        return table.pick(key: key) { index, lot in
            shares.accepts(index, lot: lot) && !isOut(index)
                && bound.hasRoom(
                    active: active(index), total: total, weight: shares.weights[index], sum: shares.sum)
        }
    }
}
