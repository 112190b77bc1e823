import EngineCore
import EngineModel
import Primitives
import Testing

/// Streams through a ``BandwidthBucket`` as a worker would move them: read what is allowed; where that was all that was
/// allowed, sleep for the wait, on timers that come late by up to two ticks of 4 ms.
@Suite("Bandwidth pacing", .timeLimit(.minutes(5)))
struct BandwidthPacingTests {
    private static let second: Int64 = 1_000_000_000

    private struct Outcome {
        /// Times and sizes of what reached the receiver.
        var moved: [(time: Int64, bytes: Int)] = []
        var wakeUps = 0
    }

    /// A stream that always has more: from when the burst is spent.
    private static func backlog(_ bucket: BandwidthBucket, _ seed: UInt64, late: UInt64, seconds: Int64) -> Outcome {
        var random = SplitMix64(seed: seed)
        var now: Int64 = 3_456_789_012_345
        var state = bucket.spend(
            BandwidthBucket.full, now: now, bytes: bucket.allowance(BandwidthBucket.full, now: now))
        var outcome = Outcome()
        let end = now + seconds * second
        while now < end {
            now += bucket.wait(state, now: now)
            now += Int64(random.next() % (late + 1))
            outcome.wakeUps += 1
            var (left, isPaused) = (bucket.allowance(state, now: now), false)
            while !isPaused, left > 0 {
                // The socket gives what came in: never more than asked for, seldom all of it.
                let asked = min(left, 65_536)
                let got = random.next() % 2 == 0 ? asked : 1 + Int(random.next() % UInt64(asked))
                state = bucket.spend(state, now: now, bytes: got)
                outcome.moved.append((now, got))
                now += 2000 + Int64(got / 8)
                isPaused = got == left
                left = bucket.allowance(state, now: now)
            }
        }
        return outcome
    }

    /// The least and most bytes in any second that begins or ends with a move.
    private static func extremes(_ outcome: Outcome) -> (least: Int, most: Int) {
        let moved = outcome.moved
        guard let start = moved.first?.time, let end = moved.last?.time else { return (0, 0) }
        var sums = [0]
        for (_, bytes) in moved { sums.append(sums[sums.count - 1] + bytes) }
        var (least, most) = (Int.max, 0)
        var to = 0
        var from = 0
        for index in moved.indices {
            // [t, t + 1 s) from each move on, and (t, t + 1 s], which leaves the first one out.
            let time = moved[index].time
            guard time + second <= end else { break }
            while to < moved.count, moved[to].time < time + second { to += 1 }
            while from < moved.count, moved[from].time <= time { from += 1 }
            most = max(most, sums[to] - sums[index])
            var last = to
            while last < moved.count, moved[last].time <= time + second { last += 1 }
            least = min(least, sums[last] - sums[from], sums[to] - sums[from])
        }
        return start < end ? (least, most) : (0, 0)
    }

    @Test(
        "within 5 % of the rate in any second once the burst is spent, in 20 to 1000 wake-ups",
        arguments: [
            1 << 10, 3000, 1 << 14, 1 << 16, 100_000, 1 << 18, 1 << 20, 5_000_003, 1 << 23, 1 << 24, 50 << 20,
            100 << 20, 1 << 30,
        ], [0, 4_000_000, 8_000_000] as [UInt64])
    func rate(bytesPerSecond: Int, late: UInt64) {
        for burst in [bytesPerSecond, 1024, 10 * bytesPerSecond] {
            let bucket = BandwidthBucket(.init(bytesPerSecond: bytesPerSecond, burst: burst))
            let seconds: Int64 = 3
            let outcome = BandwidthPacingTests.backlog(
                bucket, UInt64(bytesPerSecond) ^ late, late: late, seconds: seconds)
            let (least, most) = BandwidthPacingTests.extremes(outcome)
            let note: Comment = "\(bytesPerSecond) B/s, burst \(burst), late by \(late) ns: \(least)...\(most)"
            #expect(Double(least) >= 0.95 * Double(bytesPerSecond), note)
            #expect(Double(most) <= 1.05 * Double(bytesPerSecond), note)
            let wakeUps = Double(outcome.wakeUps) / Double(seconds)
            #expect(wakeUps <= 1001 && (bytesPerSecond > 400 << 10 || wakeUps <= 26), note)
            #expect(wakeUps >= 20, note)
        }
    }

    @Test("a stream under its rate is never held up, whatever its messages", arguments: 1...20 as ClosedRange<UInt64>)
    func chatty(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let bytesPerSecond = 1 << (10 + Int(random.next() % 20))
        // As much at once as the burst; then it stays under the rate.
        let burst = bytesPerSecond / 4
        let bucket = BandwidthBucket(.init(bytesPerSecond: bytesPerSecond, burst: max(1024, burst)))
        var (state, now) = (BandwidthBucket.full, Int64(1_000_000_007))
        var heldUp = 0
        for _ in 0..<20_000 {
            let bytes = 1 + Int(random.next() % UInt64(max(1, burst / 2)))
            if bucket.allowance(state, now: now) < bytes { heldUp += 1 }
            state = bucket.spend(state, now: now, bytes: bytes)
            // At least as long as those bytes take at the rate, rounded up.
            let least = Int64(bytes) * BandwidthPacingTests.second / Int64(bytesPerSecond) + 1
            now += least + Int64(random.next() % 1000)
        }
        #expect(heldUp == 0, "seed \(seed)")
    }

    @Test("a stream that is at its limit moves single bytes as soon as they are there, before a quantum is")
    func noQuantumNeeded() {
        let bucket = BandwidthBucket(.init(bytesPerSecond: 64 << 10))
        let now: Int64 = 5 * BandwidthPacingTests.second
        let empty = bucket.spend(BandwidthBucket.full, now: now, bytes: 64 << 10)
        let soon = now + 2_000_000
        let allowance = bucket.allowance(empty, now: soon)
        #expect((130...132).contains(allowance) && bucket.wait(empty, now: soon) > 0)
    }

    @Test("several workers that share one word: the sum keeps the rate, a debt is paid back")
    func shared() {
        let bytesPerSecond = 10 << 20
        let bucket = BandwidthBucket(.init(bytesPerSecond: bytesPerSecond))
        var random = SplitMix64(seed: 11)
        let start: Int64 = 9 * BandwidthPacingTests.second
        var state = bucket.spend(BandwidthBucket.full, now: start, bytes: bytesPerSecond)
        var wakeAt = [Int64](repeating: start, count: 4)
        var outcome = Outcome()
        while let worker = wakeAt.indices.min(by: { wakeAt[$0] < wakeAt[$1] }), wakeAt[worker] < start + 6_000_000_000 {
            let now = wakeAt[worker]
            if bucket.allowance(state, now: now) > 0 {
                // A record that could not be cut, whatever was allowed; the others may have read too.
                let bytes = 1 + Int(random.next() % 16_384)
                state = bucket.spend(state, now: now, bytes: bytes)
                outcome.moved.append((now, bytes))
            }
            wakeAt[worker] = now + max(bucket.wait(state, now: now), 2000) + Int64(random.next() % 4_000_000)
        }
        let (least, most) = BandwidthPacingTests.extremes(outcome)
        #expect(Double(least) >= 0.95 * Double(bytesPerSecond) && Double(most) <= 1.05 * Double(bytesPerSecond))
    }
}
