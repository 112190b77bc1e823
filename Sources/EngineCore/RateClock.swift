/// Monotonic time in ticks of a rate: a bucket that loses one unit a tick is a point on this clock, the tick at which
/// everything will have run out. What is shown is computed from the time itself, never added up, so nothing drifts.
struct RateClock: Hashable, Sendable {
    /// Ticks in ``denominator`` nanoseconds; together such that ``latest`` stays under 2^63 ticks.
    let numerator: UInt64
    let denominator: UInt64

    /// The last nanosecond it can show: 73 years after boot. It stands still from there on.
    static let latest: Int64 = 1 << 61

    /// Whole ticks that have passed at `now` nanoseconds; before 0 none.
    func ticks(at now: Int64) -> Int64 {
        let time = UInt64(RateClock.clamped(now))
        if numerator == denominator { return Int64(time) }
        return Int64(denominator.dividingFullWidth(time.multipliedFullWidth(by: numerator)).quotient)
    }

    /// The first nanosecond at which that many ticks have passed.
    func time(of ticks: Int64) -> Int64 {
        let time = (UInt128(max(0, ticks)) * UInt128(denominator) + UInt128(numerator - 1)) / UInt128(numerator)
        return Int64(clamping: time)
    }

    static func clamped(_ now: Int64) -> Int64 { min(max(now, 0), latest) }
}

/// A bucket on a ``RateClock``: its state is the tick at which it will be full again, so one word holds level and time.
struct Bucket: Hashable, Sendable {
    let clock: RateClock
    /// Ticks from empty to full.
    let capacity: Int64

    /// Ticks until it is full; 0: it is.
    func missing(_ state: Int64, at tick: Int64) -> Int64 { max(state, tick) - tick }

    /// The state here of a bucket that was filled otherwise until now: the same share of it is missing, rounded up.
    func converted(_ state: Int64, from old: Bucket, now: Int64) -> Int64 {
        let missing = UInt128(old.missing(state, at: old.clock.ticks(at: now)))
        guard missing > 0 else { return 0 }
        let share = (missing * UInt128(capacity) + UInt128(old.capacity - 1)) / UInt128(old.capacity)
        return Int64(clamping: UInt128(clock.ticks(at: now)) + share)
    }
}
