import EngineCore
import Primitives
import Testing

@Suite("Timer wheel", .timeLimit(.minutes(5)))
struct TimerWheelTests {
    @Test("a timer is due at its deadline, not a millisecond before", arguments: [0, 1, 25, 250, 10_000, 3_600_000])
    func deadlines(delay: Int64) {
        var wheel = TimerWheel(slots: 2, now: 1_000_003)
        wheel.schedule(1, at: 1_000_003 + delay)
        let early = delay == 0 ? nil : wheel.nextExpired(now: 1_000_003 + delay - 1)
        let due = wheel.nextExpired(now: 1_000_003 + delay + TimerWheel.tickMilliseconds)
        let after = wheel.nextExpired(now: .max)
        #expect(early == nil && due == 1 && after == nil)
        let isEmpty = wheel.count == 0 && wheel.millisecondsUntilNext(now: 0) == nil
        #expect(isEmpty)
    }

    @Test("setting again moves a timer, cancelling forgets it, also when it is due")
    func changes() {
        var wheel = TimerWheel(slots: 4)
        wheel.schedule(0, at: 100)
        wheel.schedule(0, at: 5000)
        wheel.schedule(1, at: 100)
        wheel.schedule(2, at: 100)
        wheel.schedule(3, at: 100)
        wheel.cancel(1)
        let first = wheel.nextExpired(now: 200)
        wheel.cancel(first == 2 ? 3 : 2)
        let second = wheel.nextExpired(now: 200)
        let last = wheel.nextExpired(now: 5004)
        #expect((first == 2 || first == 3) && second == nil && last == 0)
        let isScheduled = wheel.isScheduled(0)
        #expect(!isScheduled)
    }

    @Test("a timer set while others are reported, for now or before, is reported in the same round")
    func reentrant() {
        var wheel = TimerWheel(slots: 2)
        wheel.schedule(0, at: 40)
        var reported: [Int32] = []
        while let slot = wheel.nextExpired(now: 1000), reported.count < 5 {
            reported.append(slot)
            if reported.count < 3 { wheel.schedule(1 - slot, at: 7) }
        }
        #expect(reported == [0, 1, 0])
    }

    @Test("slots added later keep the timers that are set")
    func growth() {
        var wheel = TimerWheel(slots: 1)
        wheel.schedule(0, at: 50)
        wheel.reserve(slots: 1000)
        wheel.reserve(slots: 10)
        wheel.schedule(999, at: 60)
        let slots = [wheel.nextExpired(now: 70), wheel.nextExpired(now: 70), wheel.nextExpired(now: 70)]
        #expect(slots == [0, 999, nil])
    }

    @Test("deadlines beyond all bounds and before the beginning are kept in range")
    func extremes() {
        var wheel = TimerWheel(slots: 3, now: 500)
        wheel.schedule(0, at: .max)
        wheel.schedule(1, at: .min)
        wheel.schedule(2, at: -1)
        let due = [wheel.nextExpired(now: 500), wheel.nextExpired(now: 500), wheel.nextExpired(now: 500)]
        #expect(Set(due.compactMap { $0 }) == [1, 2] && due[2] == nil)
        let wait = wheel.millisecondsUntilNext(now: 500)
        let last = wheel.nextExpired(now: .max)
        #expect((wait ?? 0) > 0 && last == 0)
    }

    /// Deadlines by slot, the plainest possible.
    private struct Oracle {
        var deadlines: [Int32: Int64] = [:]
        var earliest: Int64? { deadlines.values.min() }
    }

    @Test("100,000 random operations agree with a plain list", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let slots: Int32 = 40
        var now = Int64(random.next() % 1_000_000_000)
        var wheel = TimerWheel(slots: Int(slots), now: now)
        var oracle = Oracle()
        let spans: [UInt64] = [1, 30, 300, 20_000, 4_000_000, 400_000_000, 100_000_000_000]
        for _ in 0..<33_334 {
            let slot = Int32(random.next() % UInt64(slots))
            switch random.next() % 8 {
            case 0..<4:
                let deadline = now + Int64(random.next() % spans[Int(random.next() % 7)])
                wheel.schedule(slot, at: deadline)
                oracle.deadlines[slot] = deadline
            case 4:
                wheel.cancel(slot)
                oracle.deadlines[slot] = nil
            default:
                now = advance(&random, now, wheel.millisecondsUntilNext(now: now), spans)
                while let due = wheel.nextExpired(now: now) {
                    let deadline = oracle.deadlines.removeValue(forKey: due)
                    #expect(deadline.map { $0 <= now } == true, "early, or not set")
                }
                let late = oracle.deadlines.values.filter { $0 <= now - TimerWheel.tickMilliseconds }
                #expect(late == [])
            }
            let wait = wheel.millisecondsUntilNext(now: now)
            #expect((wait == nil) == oracle.deadlines.isEmpty)
            if let wait, let earliest = oracle.earliest {
                #expect(wait <= max(0, earliest - now) + TimerWheel.tickMilliseconds)
            }
        }
    }

    /// Time goes on by as long as a thread would sleep, or by chance.
    private func advance(_ random: inout SplitMix64, _ now: Int64, _ wait: Int64?, _ spans: [UInt64]) -> Int64 {
        if let wait, random.next() % 2 == 0 { return now + wait }
        return now + Int64(random.next() % spans[Int(random.next() % 5)])
    }

    @Test("sleeping as long as the wheel says reaches a far deadline in few steps")
    func wakeUps() {
        var wheel = TimerWheel(slots: 1, now: 12_345)
        wheel.schedule(0, at: 12_345 + 86_400_000)
        var now: Int64 = 12_345
        var steps = 0
        var due: Int32?
        while due == nil, let wait = wheel.millisecondsUntilNext(now: now) {
            now += wait
            due = wheel.nextExpired(now: now)
            steps += 1
        }
        #expect(due == 0 && steps <= 6)
        #expect((12_345 + 86_400_000..<12_345 + 86_400_004).contains(now))
    }
}
