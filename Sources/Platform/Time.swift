internal import CLinux

/// A moment of the monotonic clock, in nanoseconds since an arbitrary start. Never goes back; stands still in suspend.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func now() -> MonotonicTime { MonotonicTime(nanoseconds: sluice_monotonic_ns()) }

    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool { left.nanoseconds < right.nanoseconds }
    public static func + (left: MonotonicTime, right: Duration) -> MonotonicTime {
        MonotonicTime(nanoseconds: left.nanoseconds + right.wholeNanoseconds)
    }
    public static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}

/// Wall-clock time in nanoseconds since 1970, UTC.
public func realtimeNanoseconds() -> Int64 { sluice_realtime_ns() }

/// CPU time of this process, user and system, in nanoseconds.
public func processCPUNanoseconds() -> Int64 { sluice_process_cpu_ns() }

extension Duration {
    /// Whole nanoseconds, fractions dropped.
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }

    public var wholeMilliseconds: Int64 { wholeNanoseconds / 1_000_000 }
}
