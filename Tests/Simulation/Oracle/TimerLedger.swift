import EngineCore

/// What a wheel was told, kept beside it in the simplest way.
struct TimerLedger {
    private static let tick: Int64 = 4
    /// Milliseconds, by slot.
    private var deadlines: [Int32: Int64] = [:]

    var isEmpty: Bool { deadlines.isEmpty }

    mutating func scheduled(_ slot: Int32, at deadline: Int64) { deadlines[slot] = deadline }
    mutating func cancelled(_ slot: Int32) { deadlines[slot] = nil }
    mutating func willExpire(_ now: Int64) {}

    mutating func expired(_ slot: Int32, now: Int64, _ oracle: Oracle) {
        guard let deadline = deadlines.removeValue(forKey: slot) else {
            return oracle.fail("timers", "a timer that was cancelled, or never set, has expired")
        }
        oracle.require("timers", now >= deadline, "a timer for \(deadline) ms has expired at \(now) ms")
    }

    /// After everything that was due was taken: nothing is more than a tick late, and the thread wakes in time.
    func checkRest(_ wait: Int64?, now: Int64, _ oracle: Oracle) {
        guard let first = deadlines.values.min() else {
            return oracle.require("timers", wait == nil, "the thread wakes for nothing")
        }
        oracle.require("timers", first + TimerLedger.tick > now, "a timer for \(first) ms is not reported at \(now) ms")
        guard let wait else { return oracle.fail("timers", "the thread sleeps for ever with a timer for \(first) ms") }
        oracle.require("timers", wait > 0, "the thread does not sleep, though nothing is due")
        oracle.require(
            "timers", now + wait < first + TimerLedger.tick,
            "the thread sleeps until \(now + wait) ms, over \(first) ms")
    }
}
