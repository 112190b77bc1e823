/// Chooses an endpoint of a backend: two are drawn in proportion to their weights, and the one with fewer connections
/// for its weight wins (Mitzenmacher, "The power of two choices"). Endpoints of weight 0 are never chosen.
public struct EndpointPicker: Sendable {
    private let weights: [Int]
    /// Running sums of the weights, for drawing by binary search.
    private let sums: [UInt64]
    private let total: UInt64

    /// - Parameter weights: one for each endpoint, in the endpoints' order; negative ones count as 0.
    public init(weights: [Int]) {
        self.weights = weights.map { max(0, $0) }
        var sum: UInt64 = 0
        sums = self.weights.map { weight in
            sum += UInt64(weight)
            return sum
        }
        total = sum
    }

    /// Chooses an endpoint for one connection or one retry.
    ///
    /// - Parameters:
    ///   - random: 64 random bits.
    ///   - active: connections that an endpoint has now.
    ///   - excluding: endpoints already tried, as bits for the first 64 indices; chosen only where no other is left.
    /// - Returns: the endpoint's index; nil when no endpoint has a weight.
    public func pick(random: UInt64, active: (Int) -> Int, excluding: UInt64 = 0) -> Int? {
        guard total > 0 else { return nil }
        guard excluding == 0 || !hasOther(than: excluding) else {
            return choose(random, weight: remainingWeight(excluding), excluding: excluding, active)
        }
        return choose(random, weight: total, excluding: 0, active)
    }

    private func choose(_ random: UInt64, weight: UInt64, excluding: UInt64, _ active: (Int) -> Int) -> Int {
        let first = draw(UInt32(truncatingIfNeeded: random), of: weight, excluding: excluding)
        let second = draw(UInt32(truncatingIfNeeded: random >> 32), of: weight, excluding: excluding)
        guard first != second else { return first }
        // Connections per weight without a division; idle endpoints are equal, so that weights alone decide.
        let firstLoad = active(first).multipliedFullWidth(by: weights[second])
        let secondLoad = active(second).multipliedFullWidth(by: weights[first])
        return (firstLoad.high, firstLoad.low) <= (secondLoad.high, secondLoad.low) ? first : second
    }

    /// The endpoint at a random place of the line on which each takes as much room as its weight.
    private func draw(_ random: UInt32, of weight: UInt64, excluding: UInt64) -> Int {
        let place = (UInt64(random) << 32).multipliedFullWidth(by: weight).high
        return excluding == 0 ? search(place) : walk(place, excluding: excluding)
    }

    private func search(_ place: UInt64) -> Int {
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > place { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// As ``search(_:)``, past the excluded ones: only on retries.
    private func walk(_ place: UInt64, excluding: UInt64) -> Int {
        var rest = place
        for index in weights.indices where !isExcluded(index, excluding) {
            let weight = UInt64(weights[index])
            if rest < weight { return index }
            rest -= weight
        }
        return search(place)
    }

    private func isExcluded(_ index: Int, _ excluding: UInt64) -> Bool {
        index < 64 && excluding & (1 << UInt64(index)) != 0
    }

    private func remainingWeight(_ excluding: UInt64) -> UInt64 {
        weights.indices.reduce(0) { isExcluded($1, excluding) ? $0 : $0 + UInt64(weights[$1]) }
    }

    private func hasOther(than excluding: UInt64) -> Bool { remainingWeight(excluding) > 0 }
}
