/// Endpoints in turns, each as often as its weight says. Tickets may be drawn by several threads.
public struct Rotation: Sendable {
    private enum Form: Sendable {
        case sequence(WeightedSequence)
        /// Running sums of the weights: for thousands of endpoints with weights of all kinds.
        case scattered([UInt64])
    }
    /// Tickets for one connection. More are for backends of which nearly all is out.
    private static let turns = 64
    private static let largestMerged = 64
    private let form: Form

    /// - Parameter weights: one for each endpoint.
    public init(weights: [Int]) {
        let weights = weights.map { max(0, $0) }
        if weights.count <= Rotation.largestMerged || WeightedSequence.hasTable(weights: weights) {
            form = .sequence(WeightedSequence(weights: weights))
        } else {
            var sum: UInt64 = 0
            form = .scattered(
                weights.map { weight in
                    sum += UInt64(weight)
                    return sum
                })
        }
    }

    /// The endpoint of the next ticket that is accepted, so that what is not gives its turns to all others; nil: none of the next
    /// ones.
    public func pick(ticket: () -> UInt64, accepts: (Int) -> Bool) -> Int? {
        for _ in 0..<Rotation.turns {
            guard let index = index(ticket: ticket()) else { return nil }
            if accepts(index) { return index }
        }
        return nil
    }

    private func index(ticket: UInt64) -> Int? {
        switch form {
        case .sequence(let sequence): return sequence.index(ticket: ticket)
        case .scattered(let sums):
            guard let total = sums.last, total > 0 else { return nil }
            // Multiples of the golden ratio lie evenly, however many there are.
            let place = (ticket &* 0x9e37_79b9_7f4a_7c15).multipliedFullWidth(by: total).high
            var (low, high) = (0, sums.count - 1)
            while low < high {
                let middle = (low + high) / 2
                if sums[middle] > place { high = middle } else { low = middle + 1 }
            }
            return low
        }
    }
}
