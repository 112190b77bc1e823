import EngineCore
import EngineModel
import Primitives
import Testing

@Suite("Shares of endpoints", .timeLimit(.minutes(5)))
struct EndpointSharesTests {
    private func policy(
        _ weights: [Int], preferences: [UInt8]? = nil, zones: [String?]? = nil, preferring: ZonePreference? = nil,
        slowStart: SlowStart? = nil, panicThreshold: Int = 0
    ) -> EndpointPolicy {
        EndpointPolicy(
            weights: weights, preferences: preferences ?? weights.map { _ in 0 },
            zones: zones ?? weights.map { _ in nil }, preferring: preferring, slowStart: slowStart,
            panicThreshold: panicThreshold)
    }

    private func shares(
        _ policy: EndpointPolicy, _ uses: [EndpointUse], now: Int64 = 0, starts: [Int64]? = nil
    ) -> EndpointShares {
        policy.shares(at: now, use: { uses[$0] }, start: { starts?[$0] ?? 0 })
    }

    /// In hundredths of a per cent.
    private func parts(_ shares: EndpointShares) -> [Int] {
        shares.weights.map { Int((Double($0) * 10_000 / Double(max(1, shares.sum))).rounded()) }
    }

    // MARK: Health, preference, panic

    @Test("unusable endpoints get nothing, the others by their weights")
    func unusable() {
        let shares = shares(policy([1, 2, 3]), [.usable, .unusable, .usable])
        #expect(shares.weights == [1, 0, 3] && !shares.isWaiting && !shares.isPanicking && shares.nextStep == nil)
        #expect(shares.accepts(0, lot: .max) && !shares.accepts(1, lot: 0) && shares.accepts(2, lot: .max))
    }

    @Test("nobody: it waits while something is unknown, and only of endpoints with a weight")
    func nobody() {
        #expect(shares(policy([1, 1]), [.unusable, .unchecked]).isWaiting)
        let none = shares(policy([1, 0]), [.unusable, .unchecked])
        #expect(!none.isWaiting && none.isEmpty)
        #expect(!shares(policy([1, 1]), [.usable, .unchecked]).isEmpty)
        #expect(shares(policy([]), []).isEmpty && !shares(policy([]), []).isWaiting)
    }

    @Test("the lowest number goes first while one of it is usable")
    func preference() {
        let policy = policy([1, 1, 1, 5], preferences: [0, 0, 1, 2])
        #expect(shares(policy, [.usable, .usable, .usable, .usable]).weights == [1, 1, 0, 0])
        #expect(shares(policy, [.unusable, .usable, .usable, .usable]).weights == [0, 1, 0, 0])
        #expect(shares(policy, [.unusable, .unusable, .usable, .usable]).weights == [0, 0, 1, 0])
        #expect(shares(policy, [.unusable, .unchecked, .unusable, .usable]).weights == [0, 0, 0, 5])
    }

    @Test(
        "with fewer usable than the threshold all are used, with as many not",
        arguments: [
            (0, 0, false), (0, 1, false), (50, 1, true), (50, 2, false), (51, 2, true), (100, 3, true), (100, 4, false),
            (1, 0, true),
        ])
    func panic(threshold: Int, usable: Int, expected: Bool) {
        let uses = (0..<4).map { $0 < usable ? EndpointUse.usable : .unusable }
        let shares = shares(policy([1, 1, 1, 1], panicThreshold: threshold), uses)
        #expect(shares.isPanicking == expected)
        #expect(shares.weights == (0..<4).map { expected || $0 < usable ? 1 : 0 })
    }

    @Test("what has not been checked is no reason to panic, and nobody panics before anything is known")
    func panicAtStart() {
        let policy = policy([1, 1, 1, 0], panicThreshold: 50)
        #expect(shares(policy, [.unchecked, .unchecked, .unchecked, .unusable]).isWaiting)
        #expect(shares(policy, [.usable, .unchecked, .unchecked, .unusable]).weights == [1, 0, 0, 0])
        #expect(shares(policy, [.unusable, .unchecked, .unchecked, .unusable]).isWaiting)
        #expect(shares(policy, [.unusable, .unusable, .unusable, .usable]).weights == [1, 1, 1, 0])
    }

    // MARK: Slow start

    @Test("a share grows from a tenth to the whole within the window, evenly")
    func slowStart() {
        let policy = policy([10, 10], slowStart: SlowStart(window: 10_000))
        for (now, part) in [(1000, 10), (2000, 19), (6000, 55), (10_900, 99), (11_000, 100), (50_000, 100)]
            as [(Int64, Int)]
        {
            let shares = shares(policy, [.usable, .usable], now: now, starts: [0, 1000])
            #expect(abs(shares.weights[1] * 100 - shares.weights[0] * part) <= shares.weights[0], "\(now)")
            #expect((shares.nextStep == nil) == (part == 100))
            if let next = shares.nextStep { #expect(next == now + 100) }
            let taken = (0..<1000 as Range<UInt32>).count { shares.accepts(1, lot: $0 * (UInt32.max / 1000)) }
            #expect(abs(taken - part * 10) <= 2)
        }
        let both = shares(policy, [.usable, .usable], now: 1000, starts: [1000, 1000])
        #expect(both.weights[0] == both.weights[1] && both.accepts(0, lot: .max) && both.accepts(1, lot: .max))
    }

    @Test(
        "over a window an endpoint that joins gets 55 % of its share by every method",
        arguments: 1...3 as ClosedRange<UInt64>)
    func window(seed: UInt64) {
        let policy = policy([1, 1, 1, 1], slowStart: SlowStart(window: 20_000))
        let rotation = Rotation(weights: [1, 1, 1, 1])
        var (random, ticket, turns, draws) = (SplitMix64(seed: seed), UInt64(0), 0, 0)
        for now in 1...20_000 as ClosedRange<Int64> {
            let shares = shares(policy, [.usable, .usable, .usable, .usable], now: now, starts: [0, 0, 0, 1])
            let turn = rotation.pick(
                ticket: {
                    ticket += 1
                    return ticket
                }, accepts: { shares.accepts($0, lot: UInt32(truncatingIfNeeded: random.next())) })
            if turn == 3 { turns += 1 }
            if shares.picker.pick(random: &random, active: nil, isOut: { _ in false }) == 3 { draws += 1 }
        }
        // The mean of p ÷ (3 + p) for p from 0.1 to 1, of 20,000: 2996.
        let expected = (0..<20_000).reduce(0.0) { sum, step in
            let part = 0.1 + 0.9 * Double(step) / 20_000
            return sum + part / (3 + part)
        }
        #expect(abs(Double(turns) - expected) < 250 && abs(Double(draws) - expected) < 250, "\(turns), \(draws)")
    }

    // MARK: Zones

    private func zoned(_ zones: [String?], _ preference: ZonePreference, usable: Int? = nil) -> [Int] {
        let uses = zones.indices.map { $0 < usable ?? .max ? EndpointUse.usable : .unusable }
        return parts(shares(policy(zones.map { _ in 1 }, zones: zones, preferring: preference), uses))
    }

    @Test("a zone with its share of the endpoints or more keeps everything")
    func enough() {
        let preference = ZonePreference(zone: "a")
        #expect(zoned(["a", "b"], preference) == [10_000, 0])
        #expect(zoned(["a", "a", "b"], preference) == [5000, 5000, 0])
        #expect(zoned(["a", "a", "b", "b", "c", "c"], preference) == [5000, 5000, 0, 0, 0, 0])
    }

    @Test("a zone with less sends what it cannot take to zones with more, in proportion")
    func less() {
        let preference = ZonePreference(zone: "a")
        // A quarter of the endpoints for half of the traffic: half of that stays.
        #expect(zoned(["a", "b", "b", "b"], preference) == [5000, 1667, 1667, 1667])
        // Of three zones: a has 1/6 and keeps half; b has 1/3 and no room, c has 1/2.
        #expect(zoned(["a", "b", "b", "c", "c", "c"], preference) == [5000, 0, 0, 1667, 1667, 1667])
        // What is in no zone sends nothing, and takes what is left.
        #expect(zoned(["a", nil, nil, nil], preference) == [2500, 2500, 2500, 2500])
        #expect(zoned(["a", "b", nil, nil], preference) == [5000, 0, 2500, 2500])
    }

    @Test("if every zone sends as much, all endpoints get the same", arguments: 1...50 as ClosedRange<UInt64>)
    func allZones(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let names = ["a", "b", "c", "d"]
        let zones = names + (0..<8).map { _ in names[Int(random.next() % 4)] }
        let weights = zones.map { _ in Int(random.next() % 5) + 1 }
        var load = zones.map { _ in 0.0 }
        for zone in names {
            let shares = shares(
                policy(weights, zones: zones, preferring: ZonePreference(zone: zone)), zones.map { _ in .usable })
            for index in zones.indices { load[index] += Double(shares.weights[index]) / Double(shares.sum) / 4 }
        }
        let sum = Double(weights.reduce(0, +))
        for index in zones.indices {
            #expect(
                abs(load[index] - Double(weights[index]) / sum) < 0.001, "seed \(seed): \(zones) \(weights) \(load)")
        }
    }

    @Test("forced: everything stays while there are enough of them, else by proportion")
    func forced() {
        let zones = ["a", "a", "b", "b", "b", "b", "b", "b"]
        let two = ZonePreference(zone: "a", forcedMinimum: 2)
        #expect(zoned(zones, two) == [5000, 5000, 0, 0, 0, 0, 0, 0])
        let three = ZonePreference(zone: "a", forcedMinimum: 3)
        #expect(zoned(zones, three)[0...1] == [2500, 2500])
    }

    @Test("with too few endpoints, none in the zone, or for those that do not look, zones do not count")
    func notCounting() {
        let zones = ["a", "b", "b", "b"]
        let quarter = [2500, 2500, 2500, 2500]
        #expect(zoned(zones, ZonePreference(zone: "a", minimumEndpoints: 5)) == quarter)
        #expect(zoned(zones, ZonePreference(zone: "a", minimumEndpoints: 4)) != quarter)
        #expect(zoned(zones, ZonePreference(zone: "c")) == quarter)
        #expect(zoned(zones, ZonePreference(zone: "a", percentage: 0)) == quarter)
        // Half of them: 1/2 × 1/2 + 1/2 × 1/4.
        #expect(zoned(zones, ZonePreference(zone: "a", percentage: 50)) == [3750, 2083, 2083, 2083])
        // The one of the zone is the last usable one.
        #expect(zoned(["a", "b", "b"], ZonePreference(zone: "a"), usable: 1) == [10_000, 0, 0])
        #expect(zoned(["b", "b", "a"], ZonePreference(zone: "a"), usable: 2) == [5000, 5000, 0])
    }

    @Test("shares by lots are the shares by weight", arguments: 1...30 as ClosedRange<UInt64>)
    func lots(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let zones = (0..<10).map { _ in ["a", "b", nil][Int(random.next() % 3)] }
        let weights = zones.map { _ in Int(random.next() % 4) }
        let uses = zones.map { _ in [EndpointUse.usable, .usable, .unusable][Int(random.next() % 3)] }
        let starts = zones.map { _ in Int64(random.next() % 1500) }
        let policy = policy(
            weights, zones: zones, preferring: ZonePreference(zone: "a"), slowStart: SlowStart(window: 1000))
        let shares = shares(policy, uses, now: 1500, starts: starts)
        let taken = weights.indices.map { index in
            Double((0..<1000 as Range<UInt32>).count { shares.accepts(index, lot: $0 * (UInt32.max / 1000)) })
                * Double(weights[index])
        }
        let all = taken.reduce(0, +)
        for index in weights.indices where shares.sum > 0 {
            let share = Double(shares.weights[index]) / Double(shares.sum)
            #expect(abs(taken[index] / all - share) < 0.005, "seed \(seed)")
        }
    }
}
