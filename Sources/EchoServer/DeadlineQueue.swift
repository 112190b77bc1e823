internal import Platform

/// Tokens in the order in which one and the same timeout ends for them. An entry that no longer matters is found stale by
/// its taker.
struct DeadlineQueue {
    private let timeout: Duration
    private var entries: [(token: UInt64, at: MonotonicTime)] = []
    private var head = 0

    init(timeout: Duration) { self.timeout = timeout }

    var next: MonotonicTime? { head < entries.count ? entries[head].at : nil }

    mutating func add(_ token: UInt64, now: MonotonicTime) { entries.append((token, now + timeout)) }

    mutating func takeExpired(_ now: MonotonicTime) -> UInt64? {
        guard let next, next <= now else { return nil }
        let token = entries[head].token
        head += 1
        if head * 2 > entries.count {
            entries.removeFirst(head)
            head = 0
        }
        return token
    }
}
