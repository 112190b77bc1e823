internal import EngineCore

extension BackendRuntime {
    /// Whether an endpoint has as many connections as it may have: it is passed over.
    @inline(__always) func isFull(_ index: Int) -> Bool { circuit?.isFull(index) == true }

    /// Whether everybody whom connections are given to is full. Where nobody is, that is not why.
    func hasNoRoom(worker: Int, now: Int64) -> Bool {
        guard let circuit, !circuit.rooms.isEmpty else { return false }
        if let balancer {
            let weights = balancer.view(worker: worker, now: now).shares.weights
            return isFull(weights.indices) { weights[$0] > 0 }
        }
        return isFull(endpoints.indices) { resolved.weights[$0] > 0 }
    }

    private func isFull(_ indices: Range<Int>, _ isIn: (Int) -> Bool) -> Bool {
        var hasAny = false
        for index in indices where isIn(index) {
            if !isFull(index) { return false }
            hasAny = true
        }
        return hasAny
    }
}
