public import EngineModel

/// Bytes a second with a burst, as pure functions over one word, so that workers can share it by compare and exchange.
///
/// The word is a point on a clock of bytes, at which the bucket will be full again. Who moves bytes asks for the
/// ``allowance(_:now:)``, reads no more than that, and spends what it read. A read that got less than it might have emptied
/// its source, and nothing waits; one that got all pauses for ``wait(_:now:)``, until a ``quantum`` is there. Where several share
/// the word, it spends the quantum first and pauses until that is ``due(_:now:)``: then they take turns. So a stream
/// under its rate is never held up, and one over it moves at least a quantum each time it wakes.
///
/// The quantum is a TLS record (16 KiB), but at most 40 ms' worth, at least 1 ms' worth: 25 to 1000 wake-ups a second. Of
/// what the rate gives, never more than the quantum and what comes in while a timer is late (10 ms' worth is 1 %) is not yet
/// sent, so any second sees at least 95 % and at most 105 % of it once the burst is spent.
///
/// Above 2 GiB/s the clock counts 2 to 512 bytes at a time, and what is spent is rounded up to that: half a nanosecond.
public struct BandwidthBucket: Hashable, Sendable {
    /// Of a bucket that is full at any time.
    public static let full: Int64 = 0

    private let bucket: Bucket
    /// Bytes of a tick, a power of two as an exponent.
    private let unit: Int64
    private let quantumTicks: Int64

    /// Values beyond ``BandwidthLimit/Rate``'s ranges are brought into them. A burst under 100 ms' worth counts as that:
    /// whoever wakes late could not make up for it otherwise, and the rate would be missed for good.
    public init(_ rate: BandwidthLimit.Rate) {
        let range: ClosedRange<Int64> = 1 << 10...1 << 40
        let bytes = min(max(Int64(rate.bytesPerSecond), range.lowerBound), range.upperBound)
        let burst = min(max(Int64(rate.burst), range.lowerBound), range.upperBound)
        var unit: Int64 = 0
        while bytes >> unit > 1 << 31 { unit += 1 }
        self.unit = unit
        let clock = RateClock(numerator: UInt64(bytes), denominator: 1_000_000_000 << UInt64(unit))
        bucket = Bucket(clock: clock, capacity: BandwidthBucket.ticks(max(burst, bytes / 10), unit))
        quantumTicks = BandwidthBucket.ticks(max(bytes / 1000, min(bytes / 25, 16_384)), unit)
    }

    /// Bytes that are worth waking up for.
    public var quantum: Int { Int(quantumTicks << unit) }

    /// Bytes that may move at `now` (monotonic nanoseconds); 0: see ``wait(_:now:)``.
    public func allowance(_ state: Int64, now: Int64) -> Int {
        let missing = bucket.missing(state, at: bucket.clock.ticks(at: now))
        return missing >= bucket.capacity ? 0 : Int((bucket.capacity - missing) << unit)
    }

    /// The state after `bytes` have moved at `now`. They may be more than the allowance (a record that could not be cut, or
    /// several threads that read at once): the debt is waited for.
    public func spend(_ state: Int64, now: Int64, bytes: Int) -> Int64 {
        let start = max(state, bucket.clock.ticks(at: now))
        let (sum, overflow) = start.addingReportingOverflow(BandwidthBucket.ticks(max(0, Int64(bytes)), unit))
        return overflow ? .max : sum
    }

    /// Nanoseconds from `now` until a quantum may move; 0: it may.
    public func wait(_ state: Int64, now: Int64) -> Int64 {
        let tick = bucket.clock.ticks(at: now)
        let due = tick + bucket.missing(state, at: tick) - bucket.capacity + quantumTicks
        guard due > tick else { return 0 }
        return max(0, bucket.clock.time(of: due) - RateClock.clamped(now))
    }

    /// Nanoseconds from `now` until all that was spent so far may move; 0: it may. Whoever spends a share in advance and waits
    /// for that has a place in a queue: shares become due in the order in which they were taken.
    public func due(_ state: Int64, now: Int64) -> Int64 {
        let tick = bucket.clock.ticks(at: now)
        let due = tick + bucket.missing(state, at: tick) - bucket.capacity
        guard due > tick else { return 0 }
        return max(0, bucket.clock.time(of: due) - RateClock.clamped(now))
    }

    /// The state after `bytes` that were spent did not move after all.
    public func giveBack(_ state: Int64, bytes: Int) -> Int64 { max(0, state - Int64(max(0, bytes)) >> unit) }

    /// States up to this one are full at `now`: they tell nothing that ``full`` does not.
    public func fullMark(now: Int64) -> Int64 { bucket.clock.ticks(at: now) }

    /// What a state of the values before becomes with these: the share of the burst that was spent stays spent, and a debt
    /// keeps its proportion, so that a lowered rate does not stall what it limits.
    public func state(_ state: Int64, of old: BandwidthBucket, now: Int64) -> Int64 {
        self == old ? state : bucket.converted(state, from: old.bucket, now: now)
    }

    private static func ticks(_ bytes: Int64, _ unit: Int64) -> Int64 {
        bytes >> unit + (bytes & (1 << unit - 1) == 0 ? 0 : 1)
    }
}
