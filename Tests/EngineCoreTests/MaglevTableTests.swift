import EngineCore
import EngineModel
import Primitives
import Testing

@Suite("Maglev table", .timeLimit(.minutes(5)))
struct MaglevTableTests {
    private func identities(_ count: Int, from first: Int = 0) -> [[UInt8]] {
        (first..<first + count).map { Array("10.0.\($0 / 256).\($0 % 256):5432".utf8) }
    }

    private func table(_ identities: [[UInt8]], weights: [Int]? = nil, size: Int = 65_537) -> MaglevTable {
        MaglevTable(
            identities: identities, weights: weights ?? Array(repeating: 1, count: identities.count), size: size)
    }

    private func counts(_ table: MaglevTable, _ endpoints: Int) -> [Int] {
        (0..<table.size).reduce(into: [Int](repeating: 0, count: endpoints)) { $0[table[$1]] += 1 }
    }

    @Test("places are dealt out evenly", arguments: [1, 2, 3, 7, 100, 1000])
    func even(count: Int) {
        let counts = counts(table(identities(count)), count)
        #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }

    @Test(
        "heavier endpoints have more of them, in proportion",
        arguments: [[1, 2, 3], [1, 1000], [5, 0, 5, 10], [1, 1, 1, 1, 97]])
    func weighted(weights: [Int]) {
        let counts = counts(table(identities(weights.count), weights: weights), weights.count)
        let sum = weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            #expect(abs(counts[index] - 65_537 * weight / sum) <= 2, "\(counts)")
        }
    }

    @Test("neither order nor process changes who serves a key")
    func stable() {
        let identities = identities(20)
        let first = table(identities)
        let order = (0..<20).map { ($0 * 7 + 3) % 20 }
        let second = table(order.map { identities[$0] })
        for place in 0..<first.size { #expect(first[place] == order[second[place]]) }
        // What any other version of sluice, or replica, must answer as well.
        let keys = (0..<12 as Range<UInt32>).map { SourceKey(.v4(0xc633_6400 + $0), SourcePrefix()).stableHash }
        let picks = keys.map { first.pick(key: $0) { _, _ in true } }
        #expect(picks == [4, 16, 16, 5, 4, 9, 15, 3, 13, 0, 17, 18])
    }

    @Test("sources of one prefix are one key")
    func prefixes() {
        let prefix = SourcePrefix(v4: 24, v6: 64)
        func key(_ text: String) -> UInt64? { IPAddress(text).map { SourceKey($0, prefix).stableHash } }
        #expect(key("192.0.2.1") == key("192.0.2.77") && key("192.0.2.1") != key("192.0.3.1"))
        #expect(key("2001:db8::1") == key("2001:db8::ffff:1") && key("2001:db8::1") != key("2001:db8:0:1::1"))
        #expect(key("::ffff:192.0.2.1") == key("192.0.2.1"))
    }

    @Test(
        "when one of n leaves, or comes back, at most 1/n + 1 % of keys move",
        arguments: [2, 3, 5, 10, 30, 100, 200, 300, 500, 1000])
    func leaving(count: Int) {
        let all = identities(count)
        let before = table(all)
        for gone in stride(from: 0, to: count, by: max(1, count / 4)) {
            let left = all.indices.filter { $0 != gone }
            let after = table(left.map { all[$0] })
            let moved = (0..<before.size).count { left[after[$0]] != before[$0] }
            let most = (1 / Double(count) + 0.01) * Double(before.size)
            #expect(Double(moved) <= most, "\(gone) of \(count)")
        }
    }

    @Test("of endpoints that are passed over only their own keys move, to all others")
    func passedOver() {
        let table = table(identities(10))
        var random = SplitMix64(seed: 3)
        var inherited = [Int](repeating: 0, count: 10)
        for _ in 0..<50_000 {
            let key = random.next()
            let usual = table.pick(key: key) { _, _ in true }
            let now = table.pick(key: key) { endpoint, _ in endpoint != 4 }
            if usual != 4 {
                #expect(now == usual)
            } else if let now {
                inherited[now] += 1
            }
        }
        // 5000 keys over nine endpoints.
        #expect(inherited[4] == 0 && inherited.enumerated().allSatisfy { $0.offset == 4 || (450...660) ~= $0.element })
    }

    @Test("a part of an endpoint's lots gives it that part of its keys, always the same ones")
    func parts() {
        let table = table(identities(2))
        var random = SplitMix64(seed: 3)
        var (first, second, moved) = (0, 0, 0)
        for _ in 0..<40_000 {
            let key = random.next()
            let half = table.pick(key: key) { $0 == 0 || $1 < UInt32.max / 2 }
            let more = table.pick(key: key) { $0 == 0 || $1 < UInt32.max / 10 * 6 }
            if half == 1 { first += 1 }
            if more == 1 { second += 1 }
            if half == 1, more != 1 { moved += 1 }
        }
        // Shares of 1 and ½ of 1½; of 1 and 0.6 of 1.6.
        #expect((13_000...13_670) ~= first && (14_650...15_350) ~= second && moved == 0)
    }

    @Test("any size and any number of endpoints has an answer for every key", arguments: [0, 1, 2, 3, 10, 11, 5003])
    func sizes(size: Int) {
        for count in [0, 1, 2, 9, 300] {
            let table = table(identities(count), size: size)
            var random = SplitMix64(seed: 9)
            for _ in 0..<50 {
                let key = random.next()
                #expect((table.pick(key: key) { _, _ in true } != nil) == (count > 0))
                // The last endpoint is found even where it has no place.
                let last = table.pick(key: key) { endpoint, _ in endpoint == count - 1 }
                #expect(last == (count > 0 ? count - 1 : nil))
                #expect(table.pick(key: key) { _, _ in false } == nil)
            }
        }
        let none = MaglevTable(identities: identities(3), weights: [0, 0, 0], size: size)
        #expect(none.pick(key: 1) { _, _ in true } == nil)
    }

    @Test("ten thousand endpoints share the default table, and the largest one is made")
    func large() {
        let counts = counts(table(identities(10_000)), 10_000)
        #expect(counts.allSatisfy { 6...7 ~= $0 })
        #expect(table(identities(3), size: 5_000_011).size == 5_000_011)
    }

    @Test("bounds keep every endpoint near the mean, whatever the keys, and there is always room")
    func bounded() {
        for (percent, seed) in [(100, 1), (125, 2), (200, 3)] as [(Int, UInt64)] {
            let weights = [1, 1, 2, 4]
            let table = table(identities(4), weights: weights)
            let bound = BoundedLoad(percent: percent)
            var (random, active) = (SplitMix64(seed: seed), [0, 0, 0, 0])
            // A few sources make nearly all connections.
            let keys = (0..<3).map { _ in random.next() }
            for total in 0..<4000 {
                let key = keys[Int(random.next() % 3)]
                let found = table.pick(key: key) { endpoint, _ in
                    bound.hasRoom(active: active[endpoint], total: total, weight: weights[endpoint], sum: 8)
                }
                guard let found else {
                    Issue.record("no room at \(percent) %: \(active)")
                    return
                }
                active[found] += 1
                let most = Double(percent) / 100 * Double(total + 1) * Double(weights[found]) / 8
                #expect(Double(active[found]) < most + 1)
            }
        }
    }
}
