internal import HTTPClient
public import Platform

/// When a request is sent again, and how long is waited before. Delays grow by half each time and are drawn between half
/// of that and all of it, so that clients that failed together do not come back together.
public struct RetryPolicy: Sendable {
    /// No further attempt begins later than so long after the first.
    public var total: Duration
    public var firstDelay = Duration.milliseconds(100)
    public var longestDelay = Duration.seconds(10)
    /// Attempts in all.
    public var attempts: Int
    public var now: @Sendable () -> MonotonicTime = { .now() }
    /// Blocks the calling thread.
    public var sleep: @Sendable (Duration) -> Void = { pause(for: $0) }
    /// 0 ..< 1.
    public var random: @Sendable () -> Double = { Double.random(in: 0..<1) }

    public init(total: Duration, attempts: Int) { (self.total, self.attempts) = (total, attempts) }

    /// What writers use.
    public static let standard = RetryPolicy(total: .seconds(30), attempts: 8)
    /// One attempt: whoever asks comes back by himself (leases).
    public static let none = RetryPolicy(total: .zero, attempts: 1)

    /// How long to wait after attempt number `attempt` (from 1); nil: no more. `asked`: what the server asked for
    /// (Retry-After): never less than that.
    func delay(after attempt: Int, asked: Duration?, since start: MonotonicTime) -> Duration? {
        guard attempt < attempts else { return nil }
        var grown = firstDelay
        for _ in 1..<max(attempt, 1) where grown < longestDelay { grown = grown * 3 / 2 }
        grown = min(grown, longestDelay)
        let jittered = grown / 2 + grown / 2 * random()
        let delay = max(jittered, asked.map { $0 + grown * random() } ?? .zero)
        return now() + delay - start > total ? nil : delay
    }
}

extension APIError {
    /// Whether the same request may succeed a little later, and when the server says so. `isRepeatable`: doing it twice
    /// is as good as once; else only what the server has surely not done is repeated.
    func recovery(isRepeatable: Bool) -> (mayRetry: Bool, asked: Duration?) {
        switch self {
        case .status(let status):
            switch status.code {
            case 429: (true, status.retryAfter)
            case 500, 502, 503, 504: (isRepeatable, status.retryAfter)
            default: (false, nil)
            }
        case .transport(let error):
            switch error.kind {
            case .unreachable, .tls: (true, nil)
            case .timeout, .interrupted: (isRepeatable, nil)
            case .cancelled, .other: (false, nil)
            }
        case .credentials: (true, nil)
        case .malformed: (false, nil)
        }
    }
}
