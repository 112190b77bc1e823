import EngineCore
import Primitives
import Testing

@Suite("Weighted sequence", .timeLimit(.minutes(2)))
struct WeightedSequenceTests {
    /// The largest error of any choice over any window of the given tickets: counts minus shares, at their farthest apart.
    private func largestError(_ weights: [Int], from start: UInt64, count: Int) -> Double {
        let sequence = WeightedSequence(weights: weights)
        let sum = Double(weights.reduce(0, +))
        var counts = [Double](repeating: 0, count: weights.count)
        var (highest, lowest) = (counts, counts)
        for place in 1...count {
            guard let index = sequence.index(ticket: start + UInt64(place - 1)), weights[index] > 0 else {
                return .infinity
            }
            counts[index] += 1
            for index in weights.indices {
                let ahead = counts[index] - Double(place) * Double(weights[index]) / sum
                highest[index] = max(highest[index], ahead)
                lowest[index] = min(lowest[index], ahead)
            }
        }
        return zip(highest, lowest).map { $0 - $1 }.max() ?? 0
    }

    @Test("without a weight there is no choice")
    func nothing() {
        #expect(WeightedSequence(weights: []).index(ticket: 3) == nil)
        #expect(WeightedSequence(weights: [0, 0, -1]).index(ticket: 3) == nil)
    }

    @Test("plain cases look as expected")
    func plain() {
        func first(_ count: UInt64, _ weights: [Int]) -> [Int?] {
            let sequence = WeightedSequence(weights: weights)
            return (0..<count).map { sequence.index(ticket: $0) }
        }
        #expect(first(4, [0, 7]) == [1, 1, 1, 1])
        #expect(first(6, [5, 5, 5]) == [0, 1, 2, 0, 1, 2])
        #expect(Set(first(10, [90, 10])[...]).count == 2)
        #expect(first(100, [90, 10]).count { $0 == 1 } == 10)
    }

    @Test(
        "chosen weights keep every window close",
        arguments: [
            [1, 999_999], [999_999, 1, 1], [1, 1], [90, 10], [1, 1, 1, 997], [1_000_000, 999_999, 999_998],
            [999_983, 999_979, 3, 2, 1], [500_000, 250_000, 125_000, 62_500, 31_249],
            [1_000_000, 999_999, 1_000_000, 999_999, 1_000_000, 7, 5, 3],
            [410_545, 679_744, 395_972, 5010, 878_540, 693_246, 844_789, 493_054, 189_839, 819_291, 949_965, 414_817],
            [
                994_990, 909_933, 723_238, 640_122, 628_897, 561_595, 427_753, 324_713, 305_778, 276_167, 206_974,
                163_787,
            ],
            [358_932, 146_599, 20_085, 1985, 1761, 241, 218, 24, 14, 8], [28_341, 2572, 42, 20, 3, 900_001],
        ])
    func chosen(weights: [Int]) {
        let limit = weights.count <= 3 ? 2 : 2.4
        #expect(largestError(weights, from: 0, count: 20_000) <= limit)
        #expect(largestError(weights, from: .max / 3, count: 20_000) <= limit)
    }

    /// Weights of several kinds: small, large, of all magnitudes, alike, geometric, extreme.
    private func weights(_ random: inout SplitMix64) -> [Int] {
        func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
        let kind = below(6)
        let middle = 1000 + below(900_000)
        return (0..<2 + below(15)).map { index in
            switch kind {
            case 0: below(6)
            case 1: below(1_000_001)
            case 2: 1 + below([10, 100, 1000, 10_000, 100_000, 1_000_000][below(6)])
            case 3: middle + below(middle / 10)
            case 4: max(1, 1_000_000 >> (index + below(2))) - (index == 0 ? 7 : 0)
            default: [1, 999_999, 1_000_000][below(3)]
            }
        }
    }

    @Test(
        "random weights keep every window within 2, the largest sums within 2.4",
        arguments: 1...60 as ClosedRange<UInt64>)
    func random(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let weights = weights(&random)
        guard weights.contains(where: { $0 > 0 }) else { return }
        let limit = weights.count <= 3 || weights.reduce(0, +) <= 65_536 ? 2 : 2.4
        #expect(largestError(weights, from: random.next() >> 1, count: 5000) <= limit, "\(weights)")
    }

    @Test(
        "a whole period gives each choice exactly its weight",
        arguments: [[3, 5, 7], [65_521, 9], [1, 0, 70_001, 13]])
    func period(weights: [Int]) {
        let sequence = WeightedSequence(weights: weights)
        var counts = [Int](repeating: 0, count: weights.count)
        for ticket in 0..<UInt64(weights.reduce(0, +)) {
            if let index = sequence.index(ticket: ticket) { counts[index] += 1 }
        }
        #expect(counts == weights)
    }

    @Test("tickets up to the last one are answered")
    func lastTickets() {
        for weights in [[1, 2], [999_999, 999_998, 999_997]] {
            #expect(WeightedSequence(weights: weights).index(ticket: .max) != nil)
        }
    }
}
