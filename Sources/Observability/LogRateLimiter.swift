public import Platform

/// Keeps repetitions out of the log: per key at most `limit` lines in each interval, the rest counted. A plain value: its
/// owner (a worker, say) uses it without a lock.
public struct LogRateLimiter<Key: Hashable> {
    private struct Window {
        var end: MonotonicTime
        var admitted = 0
        var suppressed: UInt64 = 0
    }

    private let limit: Int
    private let interval: Duration
    private let capacity: Int
    private var windows: [Key: Window] = [:]
    /// For keys beyond the capacity, all together.
    private var overflow = Window(end: MonotonicTime(nanoseconds: .min))

    /// `limit`: lines per key and interval, at least 1. `capacity`: keys remembered; beyond it all further keys share one
    /// allowance, so that a peer who makes up keys costs neither memory nor log.
    public init(limit: Int = 1, per interval: Duration = .seconds(10), capacity: Int = 1024) {
        self.limit = max(1, limit)
        self.interval = interval
        self.capacity = max(1, capacity)
    }

    /// Whether to log for `key` now: the number of lines that were held back since the last one that was admitted (log it
    /// as a field where it is not 0), or nil when this one is to be held back.
    public mutating func admit(_ key: Key, now: MonotonicTime) -> UInt64? {
        if windows[key] == nil, windows.count >= capacity { removeExpired(now: now) }
        guard windows[key] != nil || windows.count < capacity else { return admit(&overflow, now: now) }
        return admit(&windows[key, default: Window(end: now + interval)], now: now)
    }

    /// Keys whose interval is over with lines held back, and how many; they are forgotten. For a timer that reports what
    /// would otherwise go unsaid when nothing follows.
    public mutating func takeSuppressed(now: MonotonicTime) -> [(key: Key, count: UInt64)] {
        let over = windows.filter { $0.value.end <= now && $0.value.suppressed > 0 }
        for key in over.keys { windows[key] = nil }
        return over.map { (key: $0.key, count: $0.value.suppressed) }
    }

    private func admit(_ window: inout Window, now: MonotonicTime) -> UInt64? {
        if window.end <= now {
            window.end = now + interval
            window.admitted = 0
        }
        guard window.admitted < limit else {
            window.suppressed += 1
            return nil
        }
        window.admitted += 1
        defer { window.suppressed = 0 }
        return window.suppressed
    }

    private mutating func removeExpired(now: MonotonicTime) {
        windows = windows.filter { $0.value.end > now }
    }
}

extension LogRateLimiter: Sendable where Key: Sendable {}
