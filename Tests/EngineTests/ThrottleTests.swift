@testable import Engine
import EngineCore
import EngineModel
import Primitives
import Testing

/// What limits one direction, by a clock of its own: timers that are late, sources that always have more, buckets that are shared.
@Suite("Shares of a bandwidth", .timeLimit(.minutes(1)))
struct ThrottleTests {
    /// One direction, and when it wakes.
    private final class Flow {
        var throttle: Throttle
        var wakesAt: Int64 = 0
        /// What moved, and when.
        var moves: [(time: Int64, bytes: Int)] = []

        init(_ levels: [BandwidthLevel], now: Int64 = 1) {
            throttle = Throttle(
                levels.compactMap { level in
                    level.bucket(.response).map {
                        ThrottleLevel(level, $0, .response, client: .loopbackV4, after: nil, now: now)
                    }
                })
        }

        /// All that may move at this time, as from a source that always has more.
        func run(now: Int64) {
            while true {
                let bytes = throttle.take(upTo: 256 << 10, now: now)
                if bytes > 0 {
                    throttle.spent(bytes)
                    moves.append((now, bytes))
                }
                let wait = throttle.wait(now: now)
                if wait > 0 {
                    wakesAt = now + wait
                    return
                }
            }
        }

        func bytes(_ times: Range<Int64>) -> Int {
            moves.filter { times.contains($0.time) }.reduce(0) { $0 + $1.bytes }
        }
    }

    private static let second: Int64 = 1_000_000_000

    private func level(_ bytes: Int, burst: Int, scope: BandwidthLimit.Scope, _ name: String = "p") -> BandwidthLevel {
        BandwidthLevel(
            LimitID(policy: name, target: "t"),
            BandwidthLimit(response: .init(bytesPerSecond: bytes, burst: burst), scope: scope), after: nil, now: 1)
    }

    /// Runs them for a time; each wakes up to 2 ms late.
    private func run(_ flows: [Flow], from start: Int64 = 0, seconds: Int64, seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var due: [Int64] = flows.map { max(start, $0.wakesAt) }
        let end = start + seconds * Self.second
        while let next = due.indices.min(by: { due[$0] < due[$1] }), due[next] < end {
            flows[next].run(now: due[next])
            due[next] = flows[next].wakesAt + Int64(random.next() % 2_000_000)
        }
    }

    @Test(
        "any second after the burst has 95 to 105 per cent of the rate",
        arguments: [64 << 10, 1 << 20, 10 << 20, 100 << 20, 1 << 30], [UInt64(1), 2])
    func rate(bytes: Int, seed: UInt64) {
        let flow = Flow([level(bytes, burst: bytes / 4, scope: .connection)])
        run([flow], seconds: 5, seed: seed)
        for start in stride(from: Self.second / 2, to: 4 * Self.second, by: Int(Self.second / 7)) {
            let share = Double(flow.bytes(start..<start + Self.second)) / Double(bytes)
            #expect(share > 0.95 && share < 1.05, "\(share) of the rate, seed \(seed)")
        }
        flow.throttle.end(now: 0)
    }

    @Test("those that share a bucket take turns, and together have its rate", arguments: [2, 7, 40])
    func fair(count: Int) {
        let shared = level(1 << 20, burst: 64 << 10, scope: .target)
        let flows = (0..<count).map { _ in Flow([shared]) }
        run(flows, seconds: 10, seed: 3)
        let counts = flows.map { $0.bytes(2 * Self.second..<10 * Self.second) }
        let total = Double(counts.reduce(0, +)) / Double(8 << 20)
        #expect(total > 0.95 && total < 1.05)
        let mean = 8 << 20 / count
        #expect(counts.allSatisfy { $0 > mean * 8 / 10 - 32768 && $0 < mean * 12 / 10 + 32768 }, "\(counts)")
        for flow in flows { flow.throttle.end(now: 0) }
    }

    @Test("of two buckets the narrower decides, and the wider keeps what it does not give")
    func twoLevels() {
        let (narrow, wide) = (
            level(1 << 20, burst: 1 << 10, scope: .connection), level(4 << 20, burst: 1 << 10, scope: .target, "w")
        )
        let flows = [Flow([narrow, wide]), Flow([wide])]
        run(flows, seconds: 6, seed: 4)
        let counts = flows.map { Double($0.bytes(2 * Self.second..<6 * Self.second)) / Double(4 << 20) }
        #expect(counts[0] > 0.9 && counts[0] < 1.05, "\(counts)")
        #expect(counts[0] + counts[1] > 3.8 && counts[0] + counts[1] < 4.2, "\(counts)")
        for flow in flows { flow.throttle.end(now: 0) }
    }

    @Test("what was taken and did not move is there for others at once")
    func givesBack() {
        let shared = level(64 << 10, burst: 64 << 10, scope: .target)
        let (one, other) = (Flow([shared]), Flow([shared]))
        let taken = one.throttle.take(upTo: 256 << 10, now: 1)
        #expect(taken > 0 && taken <= 64 << 10)
        one.throttle.spent(100)
        one.throttle.giveBack()
        var all = 0
        while true {
            let bytes = other.throttle.take(upTo: 256 << 10, now: 1)
            if bytes == 0 { break }
            other.throttle.spent(bytes)
            all += bytes
        }
        #expect(all == 64 << 10 - 100)
        for flow in [one, other] { flow.throttle.end(now: 0) }
    }

    @Test("a level with other values lacks the same share, and its connections their own")
    func changes() {
        let old = level(1 << 20, burst: 1 << 20, scope: .target)
        let flow = Flow([old])
        flow.throttle.spent(flow.throttle.take(upTo: 512 << 10, now: 1))
        let new = BandwidthLevel(
            old.id, BandwidthLimit(response: .init(bytesPerSecond: 100 << 20), scope: .target), after: old, now: 1)
        let next = Flow([new])
        let available = new.bucket(.response)?.allowance(new.target.state(.response), now: 1) ?? 0
        #expect(available >= 49 << 20 && available <= 51 << 20)
        for flow in [flow, next] { flow.throttle.end(now: 0) }
    }

    @Test("a source is forgotten when its bucket is full, not before")
    func sources() {
        let level = level(1 << 20, burst: 1 << 20, scope: .source)
        func spend(_ bytes: Int, now: Int64) -> Int {
            let flow = Flow([level], now: now)
            let before = flow.throttle.take(upTo: bytes, now: now)
            flow.throttle.spent(before)
            flow.throttle.end(now: now)
            return before
        }
        #expect(spend(512 << 10, now: 1) == 512 << 10)
        // Half of what is left goes at once.
        #expect(spend(1 << 20, now: 1) == 256 << 10)
        #expect(spend(1 << 20, now: 3 * Self.second) == 512 << 10)
    }

    @Test("sources that changed values have left unused make room for others")
    func unusedSources() {
        func key(_ index: Int) -> SourceKey { SourceKey(.v4(UInt32(index)), SourcePrefix()) }
        let old = SourceWords()
        for index in 0..<70_000 { _ = old.take(key(index)) { _ in false } }
        let words = old.converted { _ in BandwidthWords() }
        var crowded = 0
        for index in 100_000..<170_000 where !words.take(key(index), isFull: { _ in true }).isOwn { crowded += 1 }
        #expect(crowded == 0)
    }

    @Test("sources beyond those that there may be are not looked for a place each time")
    func crowdOfSources() {
        func key(_ index: Int) -> SourceKey { SourceKey(.v4(UInt32(index)), SourcePrefix()) }
        let words = SourceWords()
        for index in 0..<1 << 17 { #expect(words.take(key(index)) { _ in false }.isOwn) }
        var looks = 0
        for index in 0..<100 {
            let isOwn = words.take(key(1 << 20 + index)) { _ in
                looks += 1
                return false
            }.isOwn
            #expect(!isOwn)
            words.giveBack(key(index)) { _ in false }
        }
        // Those that gave theirs back are looked at, and once in a while.
        #expect(looks < 300)
        #expect((0..<5000).contains { words.take(key(1 << 21 + $0)) { _ in true }.isOwn })
    }
}
