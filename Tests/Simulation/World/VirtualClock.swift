import Platform

/// Time that passes only when it is told to. Belongs to the thread that runs one seed.
final class VirtualClock: @unchecked Sendable {
    // Sendable because the compiler of tables takes its clock as a sendable closure; it is called on the same thread.

    /// Nanoseconds. Begins at some time after boot, as the real one does.
    private(set) var now: Int64 = 1_000_000_000_000

    var milliseconds: Int64 { now / 1_000_000 }
    var time: MonotonicTime { MonotonicTime(nanoseconds: now) }

    func advance(by nanoseconds: Int64) { now += max(0, nanoseconds) }
    func advance(to time: Int64) { now = max(now, time) }
}
