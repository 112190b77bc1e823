import EngineCore
import Primitives
import Testing

@Suite("Rotation", .timeLimit(.minutes(5)))
struct RotationTests {
    /// What the next connections get.
    private func picks(_ weights: [Int], _ count: Int, isOut: (Int) -> Bool = { _ in false }) -> [Int?] {
        let rotation = Rotation(weights: weights)
        var next: UInt64 = 0
        return (0..<count).map { _ in
            rotation.pick(
                ticket: {
                    defer { next += 1 }
                    return next
                }, accepts: { !isOut($0) })
        }
    }

    @Test("endpoints take turns, as often as their weights say")
    func turns() {
        #expect(picks([1, 1, 1], 6) == [0, 1, 2, 0, 1, 2])
        #expect(picks([3, 3, 0, 3], 6) == [0, 1, 3, 0, 1, 3])
        #expect(picks([2, 1], 300).count { $0 == 0 } == 200)
        #expect(picks([], 1) == [nil] && picks([0, 0], 1) == [nil])
    }

    @Test("the turns of those that are out go to all others alike", arguments: [2, 3, 5, 10, 40])
    func passedOver(count: Int) {
        for out in 0..<count {
            let found = picks(Array(repeating: 1, count: count), 1000 * (count - 1)) { $0 == out }
            let counts = (0..<count).map { index in found.count { $0 == index } }
            #expect(counts == (0..<count).map { $0 == out ? 0 : 1000 })
        }
    }

    @Test("weights hold among the rest, too")
    func weighted() {
        let found = picks([5, 1, 3, 1], 5000) { $0 == 0 }
        let counts = (0..<4).map { index in found.count { $0 == index } }
        #expect(counts == [0, 1000, 3000, 1000])
    }

    @Test(
        "thousands of endpoints with weights of all kinds get their shares, evenly", arguments: [1, 2, 3] as [UInt64])
    func scattered(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let weights = (0..<2000).map { _ in Int(random.next() % 1000) + 1 }
        let sum = weights.reduce(0, +)
        let rounds = 50_000
        var counts = [Int](repeating: 0, count: weights.count)
        for case let index? in picks(weights, rounds) { counts[index] += 1 }
        let worst = weights.indices.map { index in
            abs(Double(counts[index]) - Double(rounds) * Double(weights[index]) / Double(sum))
        }.max()
        // Random draws would err by twenty.
        #expect(worst.map { $0 < 5 } == true, "seed \(seed): \(worst ?? -1)")
    }

    @Test("where nearly all is out the search ends")
    func ends() {
        #expect(picks(Array(repeating: 1, count: 1000), 1) { $0 < 999 } == [nil])
    }
}
