public import Primitives

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

    /// Whether an endpoint has a weight.
    public var isEmpty: Bool { total == 0 }

    /// Chooses an endpoint for one connection or one retry.
    ///
    /// - Parameters:
    ///   - random: 64 random bits.
    ///   - active: connections that an endpoint has now.
    ///   - excluding: endpoints already tried (``TriedEndpoints``), chosen only where no other is left.
    /// - Returns: the endpoint's index; nil when no endpoint has a weight.
    public func pick(random: UInt64, active: (Int) -> Int, excluding: TriedEndpoints = .init()) -> Int? {
        guard total > 0 else { return nil }
        guard excluding.isEmpty || !hasOther(than: excluding) else {
            return choose(random, weight: remainingWeight(excluding), excluding: excluding, active)
        }
        return choose(random, weight: total, excluding: .init(), active)
    }

    private func choose(
        _ random: UInt64, weight: UInt64, excluding: TriedEndpoints, _ active: (Int) -> Int
    ) -> Int {
        let first = draw(UInt32(truncatingIfNeeded: random), of: weight, excluding: excluding)
        let second = draw(UInt32(truncatingIfNeeded: random >> 32), of: weight, excluding: excluding)
        return lessLoaded(first, second, active)
    }

    private func lessLoaded(_ first: Int, _ second: Int, _ active: (Int) -> Int) -> Int {
        guard first != second else { return first }
        // Connections per weight without a division; idle endpoints are equal, so that weights alone decide.
        let firstLoad = active(first).multipliedFullWidth(by: weights[second])
        let secondLoad = active(second).multipliedFullWidth(by: weights[first])
        return (firstLoad.high, firstLoad.low) <= (secondLoad.high, secondLoad.low) ? first : second
    }

    /// The endpoint at a random place of the line on which each takes as much room as its weight.
    private func draw(_ random: UInt32, of weight: UInt64, excluding: TriedEndpoints) -> Int {
        let place = (UInt64(random) << 32).multipliedFullWidth(by: weight).high
        return excluding.isEmpty ? search(place) : walk(place) { excluding.contains($0) }
    }

    private func search(_ place: UInt64) -> Int {
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] > place { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// As ``search(_:)``, past those that are out: only on retries, and where hardly any is left.
    private func walk(_ place: UInt64, isOut: (Int) -> Bool) -> Int {
        var rest = place
        for index in weights.indices where !isOut(index) {
            let weight = UInt64(weights[index])
            if rest < weight { return index }
            rest -= weight
        }
        return search(place)
    }

    private func remainingWeight(_ excluding: TriedEndpoints) -> UInt64 {
        weights.indices.reduce(0) { excluding.contains($1) ? $0 : $0 + UInt64(weights[$1]) }
    }

    private func hasOther(than excluding: TriedEndpoints) -> Bool { remainingWeight(excluding) > 0 }
}

extension EndpointPicker {
    private static let draws = 8

    /// As ``pick(random:active:excluding:)``, past endpoints that are out at this moment: the others keep their shares. Nil where none
    /// is left. Without `active` weights alone decide.
    public func pick(random: inout SplitMix64, active: ((Int) -> Int)?, isOut: (Int) -> Bool) -> Int? {
        guard total > 0, let first = draw(&random, isOut) else { return nil }
        guard let active, let second = draw(&random, isOut) else { return first }
        return lessLoaded(first, second, active)
    }

    /// Drawing again until one is in keeps the shares of those that are; where that takes too long they are added up.
    private func draw(_ random: inout SplitMix64, _ isOut: (Int) -> Bool) -> Int? {
        for _ in 0..<EndpointPicker.draws {
            let index = search(random.next().multipliedFullWidth(by: total).high)
            if !isOut(index) { return index }
        }
        let sum = weights.indices.reduce(UInt64(0)) { isOut($1) ? $0 : $0 + UInt64(weights[$1]) }
        guard sum > 0 else { return nil }
        var rest = random.next().multipliedFullWidth(by: sum).high
        // What is out may change from one pass to the other.
        var last: Int?
        for index in weights.indices where weights[index] > 0 && !isOut(index) {
            let weight = UInt64(weights[index])
            if rest < weight { return index }
            rest -= weight
            last = index
        }
        return last
    }
}

/// Endpoints that a connection has tried in vain, by their indices: exact for the first 64; beyond, each stands for all that are
/// a multiple of 64 away from it, of which a retry finds others enough.
public struct TriedEndpoints: Hashable, Sendable, ExpressibleByArrayLiteral {
    @usableFromInline var bits: UInt64 = 0

    @inlinable public init() {}
    public init(arrayLiteral indices: Int...) { for index in indices { insert(index) } }

    @inlinable public var isEmpty: Bool { bits == 0 }
    @inlinable public func contains(_ index: Int) -> Bool { bits & (1 &<< UInt64(index & 63)) != 0 }
    @inlinable public mutating func insert(_ index: Int) { bits |= 1 &<< UInt64(index & 63) }
}
