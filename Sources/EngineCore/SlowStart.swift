/// The share that an endpoint gets while it warms up (BackendPolicy.spec.loadBalancer.slowStart).
public struct SlowStart: Hashable, Sendable {
    /// Milliseconds, at least 1.
    public let window: Int64

    public init(window milliseconds: Int64) { window = max(1, milliseconds) }

    /// Per cent of its weight: 10 at the beginning, 100 at the end of the window, even in between. `start` is when it joined, in
    /// milliseconds; 0: it has always been there.
    public func percent(since start: Int64, now: Int64) -> Int {
        guard start > 0, now < start + window else { return 100 }
        return 10 + Int(90 * max(0, now - start) / window)
    }

    /// When the share has changed enough to be looked at again: a hundred times in a window, but not more than 100 times a second.
    public func nextStep(after now: Int64) -> Int64 { now + max(10, window / 100) }
}
