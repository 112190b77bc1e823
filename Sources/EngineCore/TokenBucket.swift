public import EngineModel

/// A rate of connections with a burst, as pure functions over one word, so that workers can share it by compare and exchange.
///
/// The word is the time at which the bucket will be full again (the generic cell rate algorithm's theoretical arrival time).
/// A connection moves it by one interval, and is refused where it would lie further than `burst` intervals ahead. With L
/// tokens in a bucket of B that is filled evenly, the word is `now + (B - L)` intervals: "at least one token" and "at most B
/// intervals ahead afterwards" are the same condition, taking one moves either by one, and being full is `word <= now`.
///
/// An interval is a whole number of the clock's ticks: of nanoseconds where the rate divides its second, minute or hour, else
/// of a clock that is faster than nanoseconds by less than 0.1 %. So nothing is rounded away, and a token is never more
/// than a nanosecond early or late, however long it runs.
public struct TokenBucket: Hashable, Sendable {
    /// Of a bucket that is full at any time.
    public static let full: Int64 = 0

    private let bucket: Bucket
    /// Ticks that one connection takes.
    private let cost: Int64

    /// Values beyond ``ConnectionRateLimit/Rate``'s ranges are brought into them.
    public init(_ rate: ConnectionRateLimit.Rate) {
        let range = 1...1_000_000
        let connections = Int64(min(max(rate.connections, range.lowerBound), range.upperBound))
        let burst = Int64(min(max(rate.burst, range.lowerBound), range.upperBound))
        let interval = Int64(rate.interval.seconds) * 1_000_000_000
        cost = (interval + connections - 1) / connections
        // At most 10^6 × 3.6 × 10^12 ticks, after at most 2.4 × 10^18 of the clock.
        bucket = Bucket(
            clock: RateClock(numerator: UInt64(connections * cost), denominator: UInt64(interval)),
            capacity: burst * cost)
    }

    /// One connection at `now` (monotonic nanoseconds). A refused one changes nothing. A `now` older than another thread's
    /// is no harm: it sees the bucket as much emptier as time has passed in between.
    public func step(_ state: Int64, now: Int64) -> (state: Int64, isAllowed: Bool) {
        let tick = bucket.clock.ticks(at: now)
        let missing = bucket.missing(state, at: tick)
        guard missing <= bucket.capacity - cost else { return (state, false) }
        return (tick + missing + cost, true)
    }

    /// States up to this one are full at `now`: they tell nothing that ``full`` does not.
    public func fullMark(now: Int64) -> Int64 { bucket.clock.ticks(at: now) }

    /// What a state of the values before becomes with these: the share of the burst that was spent stays spent, so neither
    /// a raised nor a lowered burst gives anything away, and an unspent bucket stays full.
    public func state(_ state: Int64, of old: TokenBucket, now: Int64) -> Int64 {
        self == old ? state : bucket.converted(state, from: old.bucket, now: now)
    }
}
