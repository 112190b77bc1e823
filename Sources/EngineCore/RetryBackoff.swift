/// Pauses between tries: the base, then twice the last one, never above the longest.
public struct RetryBackoff: Sendable {
    private let base: Duration
    private let longest: Duration
    private var upcoming: Duration

    /// - Parameters:
    ///   - base: the first pause; zero or less means that there are no pauses.
    ///   - max: the longest pause; a base above it becomes it.
    public init(base: Duration, max: Duration) {
        self.base = Swift.max(.zero, Swift.min(base, max))
        longest = max
        upcoming = self.base
    }

    /// The next pause.
    public mutating func next() -> Duration {
        defer { upcoming = upcoming >= longest / 2 ? longest : upcoming * 2 }
        return base == .zero ? .zero : upcoming
    }

    /// The next pause, between a half and the whole of ``next()``: `random` is 64 random bits.
    public mutating func next(random: UInt64) -> Duration {
        let whole = next()
        return whole / 2 + whole / 2 * Double(random >> 11) / Double(1 << 53 as UInt64)
    }

    /// Begins anew, after a success.
    public mutating func reset() { upcoming = base }
}
