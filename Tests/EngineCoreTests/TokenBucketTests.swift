import EngineCore
import EngineModel
import Primitives
import Testing

@Suite("Token bucket", .timeLimit(.minutes(5)))
struct TokenBucketTests {
    typealias Rate = ConnectionRateLimit.Rate

    /// Tokens as they are usually counted, exactly: in units of one token divided by the interval's nanoseconds, so that
    /// each nanosecond brings as many units as the rate has connections.
    struct Model {
        let rate: Rate
        var units: Int128
        var last: Int64 = 0

        var token: Int128 { Int128(rate.interval.seconds) * 1_000_000_000 }
        var most: Int128 { Int128(rate.burst) * token }

        init(_ rate: Rate) {
            self.rate = rate
            units = Int128(rate.burst) * Int128(rate.interval.seconds) * 1_000_000_000
        }

        mutating func fill(_ now: Int64) {
            units = min(most, units + Int128(now - last) * Int128(rate.connections))
            last = now
        }

        mutating func take(_ now: Int64) -> Bool {
            fill(now)
            guard units >= token else { return false }
            units -= token
            return true
        }
    }

    /// Arrivals that are dense beside the rate, sparse, at once, after long pauses, and exactly when a token comes.
    private static func next(_ random: inout SplitMix64, _ now: Int64, _ rate: Rate) -> Int64 {
        let interval = Int64(rate.interval.seconds) * 1_000_000_000 / Int64(rate.connections)
        switch random.next() % 8 {
        case 0, 1: return now
        case 2: return now + 1
        case 3: return now + interval
        case 4: return now + interval - 1
        case 5: return now + Int64(random.next() % UInt64(interval * 2 + 1))
        case 6: return now + Int64(random.next() % UInt64(interval / 8 + 1))
        default:
            guard random.next() % 16 == 0 else { return now }
            return now + min(interval * Int64(random.next() % UInt64(rate.burst + 1)), 1 << 52)
        }
    }

    private static func rate(_ random: inout SplitMix64, dividing: Bool) -> Rate {
        let interval: ConnectionRateLimit.Interval = [.second, .minute, .hour][Int(random.next() % 3)]
        let nanoseconds = interval.seconds * 1_000_000_000
        var connections = 0
        repeat {
            let most = [1_000_000, 1000, 10][Int(random.next() % 3)]
            connections = 1 + Int(random.next() % UInt64(most))
        } while dividing && nanoseconds % connections != 0
        let burst = 1 + Int(random.next() % [1, 5, 100, 1_000_000][Int(random.next() % 4)])
        return Rate(connections: connections, per: interval, burst: burst)
    }

    @Test(
        "decides as a count of tokens does, exactly, where the rate divides its interval",
        arguments: 1...60 as ClosedRange<UInt64>)
    func exact(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rate =
            seed == 1
            ? Rate(connections: 1_000_000, per: .hour, burst: 1000) : TokenBucketTests.rate(&random, dividing: true)
        let bucket = TokenBucket(rate)
        var model = Model(rate)
        var (state, now) = (TokenBucket.full, Int64(random.next() % (1 << 50)))
        var wrong = 0
        for _ in 0..<3000 {
            now = TokenBucketTests.next(&random, now, rate)
            let step = bucket.step(state, now: now)
            state = step.state
            if step.isAllowed != model.take(now) { wrong += 1 }
            if (state <= bucket.fullMark(now: now)) != (model.units == model.most) { wrong += 1 }
        }
        #expect(wrong == 0, "seed \(seed), \(rate)")
    }

    @Test(
        "for any rate it decides as a count of tokens a nanosecond before or after, which does not add up",
        arguments: 1...120 as ClosedRange<UInt64>)
    func anyRate(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rate = TokenBucketTests.rate(&random, dividing: false)
        let bucket = TokenBucket(rate)
        var model = Model(rate)
        var (state, now) = (TokenBucket.full, Int64(random.next() % (1 << 50)))
        var wrong = 0
        for _ in 0..<3000 {
            now = TokenBucketTests.next(&random, now, rate)
            let step = bucket.step(state, now: now)
            state = step.state
            model.fill(now)
            let slack = Int128(rate.connections)
            if step.isAllowed {
                if model.units + slack < model.token { wrong += 1 }
                model.units -= model.token
            } else if model.units - slack >= model.token {
                wrong += 1
            }
        }
        #expect(wrong == 0, "seed \(seed), \(rate)")
    }

    @Test(
        "in no time does it let through more than burst, and what the rate gives in that time and a nanosecond",
        arguments: 1...40 as ClosedRange<UInt64>)
    func windows(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var rate = TokenBucketTests.rate(&random, dividing: false)
        rate.burst = min(rate.burst, 20)
        let bucket = TokenBucket(rate)
        var (state, now) = (TokenBucket.full, Int64(random.next() % (1 << 50)))
        var times: [Int64] = []
        for _ in 0..<2000 {
            now = TokenBucketTests.next(&random, now, rate)
            let step = bucket.step(state, now: now)
            state = step.state
            if step.isAllowed { times.append(now) }
        }
        let token = Int128(rate.interval.seconds) * 1_000_000_000
        var wrong = 0
        for first in times.indices {
            for last in first..<min(times.count, first + 60) {
                let span = Int128(times[last] - times[first] + 1)
                if Int128(last - first + 1 - rate.burst) * token > span * Int128(rate.connections) { wrong += 1 }
            }
        }
        #expect(wrong == 0, "seed \(seed), \(rate)")
    }

    @Test(
        "the twenty thousandth token comes as exactly in time as the first",
        arguments: [(7, .second), (999_983, .second), (999_999, .hour), (10_007, .minute), (1, .hour)]
            as [(Int, ConnectionRateLimit.Interval)])
    func noDrift(connections: Int, interval: ConnectionRateLimit.Interval) {
        let rate = Rate(connections: connections, per: interval, burst: 2)
        let bucket = TokenBucket(rate)
        let nanoseconds = Int128(interval.seconds) * 1_000_000_000
        let start: Int64 = 86_400_000_000_000 * 3650
        var state = bucket.step(bucket.step(TokenBucket.full, now: start).state, now: start).state
        var wrong = 0
        // An empty bucket's token k comes after k intervals, however late those before were taken.
        for number in 1...20_000 as ClosedRange<Int128> {
            let due = Int64((number * nanoseconds + Int128(connections) - 1) / Int128(connections))
            let early = bucket.step(state, now: start + due - 2)
            let step = bucket.step(state, now: start + due + 1)
            if early.isAllowed || !step.isAllowed { wrong += 1 }
            state = step.state
        }
        #expect(wrong == 0)
    }

    @Test(
        "the ends of all ranges: neither overflow nor a connection too many",
        arguments: [1, 2, 3, 7, 999_983, 999_999, 1_000_000],
        [.second, .minute, .hour] as [ConnectionRateLimit.Interval])
    func extremes(connections: Int, interval: ConnectionRateLimit.Interval) {
        let latest: Int64 = 1 << 61
        for burst in [1, 1000, 1_000_000] {
            let bucket = TokenBucket(Rate(connections: connections, per: interval, burst: burst))
            for now in [0, 1, 3_600_000_000_000, latest - 1, latest, .max, .min] as [Int64] {
                var (state, allowed) = (TokenBucket.full, 0)
                while allowed <= burst {
                    let step = bucket.step(state, now: now)
                    state = step.state
                    guard step.isAllowed else { break }
                    allowed += 1
                }
                #expect(allowed == burst && state > bucket.fullMark(now: now))
                #expect(!bucket.step(.max, now: now).isAllowed)
                #expect(bucket.step(.min, now: now).isAllowed)
            }
        }
    }

    @Test("values out of range are brought into it")
    func clamped() {
        #expect(TokenBucket(Rate(connections: 0, burst: -3)) == TokenBucket(Rate(connections: 1, burst: 1)))
        #expect(TokenBucket(Rate(connections: .max)) == TokenBucket(Rate(connections: 1_000_000)))
    }

    @Test("a clock that is behind lets nothing through that the other one would not")
    func behind() {
        let bucket = TokenBucket(Rate(connections: 10, burst: 3))
        var state = bucket.step(TokenBucket.full, now: 1_000_000_000).state
        state = bucket.step(state, now: 999_000_000).state
        #expect(!bucket.step(state, now: 999_000_000).isAllowed && bucket.step(state, now: 1_000_000_000).isAllowed)
        state = bucket.step(state, now: 1_000_000_000).state
        #expect(!bucket.step(state, now: 0).isAllowed && !bucket.step(state, now: 1_099_999_999).isAllowed)
        #expect(bucket.step(state, now: 1_100_000_000).isAllowed)
    }

    private static func available(_ bucket: TokenBucket, _ state: Int64, _ now: Int64) -> Int {
        var (state, count) = (state, 0)
        while case let step = bucket.step(state, now: now), step.isAllowed { (state, count) = (step.state, count + 1) }
        return count
    }

    @Test("with other values the share that was spent stays spent")
    func changes() {
        let now: Int64 = 5_000_000_000_000
        let old = TokenBucket(Rate(connections: 100, per: .second, burst: 100))
        var state = TokenBucket.full
        for _ in 0..<40 { state = old.step(state, now: now).state }
        for (rate, left) in [
            (Rate(connections: 7, per: .minute, burst: 100), 60), (Rate(connections: 100, burst: 1000), 600),
            (Rate(connections: 1_000_000, per: .hour, burst: 10), 6), (Rate(connections: 3, burst: 1), 0),
            (Rate(connections: 100, per: .second, burst: 100), 60),
        ] {
            let new = TokenBucket(rate)
            #expect(TokenBucketTests.available(new, new.state(state, of: old, now: now), now) == left, "\(rate)")
            #expect(TokenBucketTests.available(new, new.state(TokenBucket.full, of: old, now: now), now) == rate.burst)
            #expect(TokenBucketTests.available(new, new.state(.max, of: old, now: now), now) == 0)
        }
    }

    @Test("changed to and fro a thousand times, nothing is gained")
    func repeatedChanges() {
        let now: Int64 = 123_456_789
        var buckets = [TokenBucket(Rate(connections: 7, burst: 10)), TokenBucket(Rate(connections: 999_983, burst: 3))]
        var state = TokenBucket.full
        for _ in 0..<10 { state = buckets[0].step(state, now: now).state }
        for _ in 0..<1000 {
            state = buckets[1].state(state, of: buckets[0], now: now)
            #expect(TokenBucketTests.available(buckets[1], state, now) == 0)
            buckets.swapAt(0, 1)
        }
    }
}
