import EngineCore
import EngineModel
import Primitives
import Testing

@Suite("Bandwidth bucket", .timeLimit(.minutes(5)))
struct BandwidthBucketTests {
    typealias Rate = BandwidthLimit.Rate
    private static let second: Int64 = 1_000_000_000

    /// Bytes as they are usually counted, exactly: in billionths of a byte, of which each nanosecond brings the rate.
    private struct Model {
        let rate: Rate
        let most: Int128
        var level: Int128
        var last: Int64 = 0

        init(_ rate: Rate) {
            self.rate = rate
            most = Int128(max(rate.burst, rate.bytesPerSecond / 10)) * 1_000_000_000
            level = most
        }

        mutating func fill(_ now: Int64) {
            level = min(most, level + Int128(now - last) * Int128(rate.bytesPerSecond))
            last = now
        }

        mutating func spend(_ bytes: Int) { level -= Int128(bytes) * 1_000_000_000 }
    }

    private static func rate(_ random: inout SplitMix64, upTo power: UInt64) -> Rate {
        func size() -> Int {
            let exponent = 10 + random.next() % (power - 10)
            return Int(1 << exponent + random.next() % (1 << exponent))
        }
        return Rate(bytesPerSecond: size(), burst: random.next() % 3 == 0 ? nil : size())
    }

    @Test("agrees with an exact count to the byte up to 2 GiB a second", arguments: 1...60 as ClosedRange<UInt64>)
    func exact(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rate = BandwidthBucketTests.rate(&random, upTo: 30)
        let bucket = BandwidthBucket(rate)
        var model = Model(rate)
        var (state, now) = (BandwidthBucket.full, Int64(random.next() % (1 << 50)))
        var wrong = 0
        for _ in 0..<5000 {
            now += Int64(random.next() % [1, 1000, 1_000_000, 1_000_000_000][Int(random.next() % 4)])
            model.fill(now)
            let allowance = bucket.allowance(state, now: now)
            let exact = model.level.quotientRoundedDown(by: 1_000_000_000)
            // The clock shows whole bytes: one of them is not there yet, or is since the bucket was full.
            if abs(Int128(allowance) - max(0, exact)) > 1 { wrong += 1 }
            // Reads within the allowance, and one that goes into debt.
            let bytes = random.next() % 8 == 0 ? 65_536 : Int(random.next() % UInt64(allowance + 1))
            guard allowance > 0, bytes > 0 else { continue }
            state = bucket.spend(state, now: now, bytes: bytes)
            model.spend(bytes)
        }
        #expect(wrong == 0, "seed \(seed), \(rate)")
    }

    @Test("waits exactly until a quantum is there", arguments: 1...60 as ClosedRange<UInt64>)
    func waits(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rate = BandwidthBucketTests.rate(&random, upTo: 40)
        let bucket = BandwidthBucket(rate)
        var (state, now) = (BandwidthBucket.full, Int64(random.next() % (1 << 50)))
        var wrong = 0
        for _ in 0..<3000 {
            let allowance = bucket.allowance(state, now: now)
            let wait = bucket.wait(state, now: now)
            if (wait == 0) != (allowance >= bucket.quantum) { wrong += 1 }
            if wait > 0, bucket.wait(state, now: now + wait) != 0 { wrong += 1 }
            if wait > 1, bucket.wait(state, now: now + wait - 1) != 1 { wrong += 1 }
            if allowance > 0, random.next() % 2 == 0 {
                state = bucket.spend(state, now: now, bytes: 1 + Int(random.next() % UInt64(allowance)))
            } else {
                now += Int64(random.next() % UInt64(max(1, 2 * wait + 1000)))
            }
        }
        #expect(wrong == 0, "seed \(seed), \(rate)")
    }

    @Test(
        "what is spent in advance is due when it has come in, and given back as if never spent",
        arguments: 1...60 as ClosedRange<UInt64>)
    func due(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let rate = BandwidthBucketTests.rate(&random, upTo: 30)
        let bucket = BandwidthBucket(rate)
        var model = Model(rate)
        var (state, now) = (BandwidthBucket.full, Int64(random.next() % (1 << 50)))
        model.fill(now)
        var wrong = 0
        for _ in 0..<3000 {
            let bytes = 1 + Int(random.next() % UInt64(2 * bucket.quantum))
            let next = bucket.spend(state, now: now, bytes: bytes)
            if random.next() % 3 == 0 {
                let back = bucket.giveBack(next, bytes: bytes)
                if bucket.allowance(back, now: now) != bucket.allowance(state, now: now) { wrong += 1 }
                continue
            }
            state = next
            model.spend(bytes)
            let due = bucket.due(state, now: now)
            // A byte more or less, as the clock shows whole ones.
            let missing = max(0, -model.level) / Int128(rate.bytesPerSecond)
            if abs(Int128(due) - missing) > 1_000_000_000 / Int128(rate.bytesPerSecond) + 1 { wrong += 1 }
            if due > 0, bucket.due(state, now: now + due) != 0 { wrong += 1 }
            now += Int64(random.next() % UInt64(2 * due + 1000))
            model.fill(now)
        }
        #expect(wrong == 0, "seed \(seed), \(rate)")
    }

    @Test(
        "the ends of all ranges: nothing overflows, a full bucket is full and an empty one empty",
        arguments: [1 << 10, 1 << 16, 1 << 31, 1 << 31 + 1, 1 << 32 - 1, 1 << 40], [1 << 10, 1 << 40])
    func extremes(bytesPerSecond: Int, burst: Int) {
        let bucket = BandwidthBucket(Rate(bytesPerSecond: bytesPerSecond, burst: burst))
        let most = max(burst, bytesPerSecond / 10)
        for now in [0, 1, BandwidthBucketTests.second, 1 << 61 - 1, 1 << 61, .max, .min] as [Int64] {
            let full = bucket.allowance(BandwidthBucket.full, now: now)
            #expect(full >= most && full < most + 512 && bucket.wait(BandwidthBucket.full, now: now) == 0)
            let empty = bucket.spend(BandwidthBucket.full, now: now, bytes: most + 512)
            #expect(bucket.allowance(empty, now: now) == 0)
            if now <= 1 << 60 { #expect(bucket.wait(empty, now: now) > 0) }
            let owing = bucket.spend(.max, now: now, bytes: .max)
            #expect(owing == .max && bucket.allowance(owing, now: now) == 0 && bucket.wait(owing, now: now) >= 0)
            #expect(bucket.allowance(.min, now: now) == full && bucket.spend(.min, now: 0, bytes: -1) == 0)
        }
        #expect(
            BandwidthBucket(Rate(bytesPerSecond: 0, burst: .max))
                == BandwidthBucket(Rate(bytesPerSecond: 1024, burst: 1 << 40)))
    }

    @Test("with other values the share that was spent stays spent, and a debt its proportion")
    func changes() {
        let now: Int64 = 77 * BandwidthBucketTests.second
        let old = BandwidthBucket(Rate(bytesPerSecond: 100 << 20))
        let new = BandwidthBucket(Rate(bytesPerSecond: 64 << 10))
        let half = old.spend(BandwidthBucket.full, now: now, bytes: 50 << 20)
        #expect(new.allowance(new.state(half, of: old, now: now), now: now) == 32 << 10)
        #expect(new.state(BandwidthBucket.full, of: old, now: now) == BandwidthBucket.full)
        #expect(old.state(half, of: old, now: now) == half)
        let owing = old.spend(half, now: now, bytes: 51 << 20)
        let wait = new.wait(new.state(owing, of: old, now: now), now: now)
        // A hundredth of a second's worth, and the quantum.
        #expect((40_000_000...60_000_000).contains(wait))
        var random = SplitMix64(seed: 3)
        for _ in 0..<1000 {
            let rates = [BandwidthBucketTests.rate(&random, upTo: 40), BandwidthBucketTests.rate(&random, upTo: 40)]
            let buckets = rates.map { BandwidthBucket($0) }
            let all = buckets[0].allowance(BandwidthBucket.full, now: now)
            let empty = buckets[0].spend(BandwidthBucket.full, now: now, bytes: all)
            #expect(buckets[1].allowance(buckets[1].state(empty, of: buckets[0], now: now), now: now) == 0, "\(rates)")
        }
    }
}

extension Int128 {
    fileprivate func quotientRoundedDown(by divisor: Int128) -> Int128 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
