internal import Platform

/// So many at once, and then so many a second.
struct TokenBucket {
    private let burst: Double
    private let perSecond: Double
    private var tokens: Double
    private var filled: MonotonicTime

    init(burst: Double, perSecond: Double, now: MonotonicTime) {
        (self.burst, self.perSecond, tokens, filled) = (burst, perSecond, burst, now)
    }

    /// Whether there was one left; it is gone then.
    mutating func take(_ now: MonotonicTime) -> Bool {
        fill(now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    func isFull(_ now: MonotonicTime) -> Bool {
        var copy = self
        copy.fill(now)
        return copy.tokens >= burst
    }

    private mutating func fill(_ now: MonotonicTime) {
        let seconds = Double((now - filled).wholeNanoseconds) / 1e9
        (tokens, filled) = (min(burst, tokens + max(0, seconds) * perSecond), now)
    }
}
