/// Spreads tickets 0, 1, 2, … over weighted choices: deterministic, without state, and even. Over any n consecutive tickets
/// choice i comes up within 2 of n × wᵢ ÷ sum; only where more than three weights have a sum above 65,536 that nothing
/// divides may it be 2.4.
///
/// Up to a sum of 65,536 (after division by the greatest common divisor) the whole period is a table, filled by earliest
/// deadline first among choices that are not ahead of their share: each choice then stays within 1 of its share from the
/// start (Baruah et al., "Proportionate progress", 1996), which makes less than 2 for any window. Beyond that, see
/// ``MergedSequence``.
public struct WeightedSequence: Sendable {
    private enum Form: Sendable {
        case none
        case table([UInt16])
        case merged(MergedSequence)
    }

    private static let largestWeight = 1_000_000
    private static let largestTable = 65_536
    private static let mostSteps = 4_000_000

    private let form: Form

    /// - Parameter weights: one for each choice, 0…1,000,000; others are moved to the nearer end of that range.
    public init(weights: [Int]) {
        let reduced = WeightedSequence.reduced(weights)
        let sum = reduced.reduce(0, +)
        if sum == 0 {
            form = .none
        } else if WeightedSequence.isEven(reduced) {
            form = .table(reduced.indices.filter { reduced[$0] > 0 }.map { UInt16($0) })
        } else if WeightedSequence.fitsTable(reduced, sum) {
            form = .table(WeightedSequence.table(reduced, period: sum))
        } else {
            form = .merged(MergedSequence(weights: reduced))
        }
    }

    /// Whether these weights have a table, so that every ticket costs the same, however many choices there are.
    static func hasTable(weights: [Int]) -> Bool {
        let reduced = reduced(weights)
        return isEven(reduced) || fitsTable(reduced, reduced.reduce(0, +))
    }

    private static func reduced(_ weights: [Int]) -> [Int] {
        let clamped = weights.map { min(max(0, $0), WeightedSequence.largestWeight) }
        let divisor = clamped.reduce(0, WeightedSequence.greatestCommonDivisor)
        return divisor > 1 ? clamped.map { $0 / divisor } : clamped
    }

    /// The same weight for all that have one: they simply take turns.
    private static func isEven(_ reduced: [Int]) -> Bool {
        reduced.count <= largestTable && reduced.allSatisfy { $0 <= 1 }
    }

    private static func fitsTable(_ reduced: [Int], _ sum: Int) -> Bool {
        sum <= largestTable && reduced.count <= largestTable && sum * reduced.count <= mostSteps
    }

    /// The choice for a ticket; nil when all weights are 0.
    public func index(ticket: UInt64) -> Int? {
        switch form {
        case .none: nil
        case .table(let table): Int(table[Int(ticket % UInt64(table.count))])
        case .merged(let sequence): sequence.index(ticket: ticket)
        }
    }

    /// One period: each place goes to the choice with the earliest deadline among those whose turn has begun. The j-th turn
    /// (from 0) of a choice begins at ⌊j × sum ÷ w⌋ and must be over by ⌈(j + 1) × sum ÷ w⌉.
    private static func table(_ weights: [Int], period: Int) -> [UInt16] {
        var turns = [Int](repeating: 0, count: weights.count)
        var begins = turns
        var deadlines = weights.map { $0 == 0 ? Int.max : (period + $0 - 1) / $0 }
        return (0..<period).map { place in
            var best = 0
            var earliest = Int.max
            for index in weights.indices where begins[index] <= place && deadlines[index] < earliest {
                (best, earliest) = (index, deadlines[index])
            }
            let weight = max(1, weights[best])
            turns[best] += 1
            begins[best] = turns[best] * period / weight
            deadlines[best] = ((turns[best] + 1) * period + weight - 1) / weight
            return UInt16(best)
        }
    }

    private static func greatestCommonDivisor(_ left: Int, _ right: Int) -> Int {
        var (left, right) = (left, right)
        while right != 0 { (left, right) = (right, left % right) }
        return left
    }
}
