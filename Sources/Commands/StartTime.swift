internal import Platform

/// When something began, by the wall clock as it is now: that may have been set since. For any thread.
final class StartTime: Sendable {
    /// What a clock is slewed by, or what two readings are apart, is no step.
    private static let tolerance: Int64 = 2

    private let begun: MonotonicTime
    /// Moves by steps alone: who compares two answers takes another start for another process.
    private let shown: Locked<Int64>

    /// Now. `wall`: nanoseconds since 1970.
    init(wall: Int64 = realtimeNanoseconds(), now: MonotonicTime = .now()) {
        begun = now
        shown = Locked(wall / 1_000_000_000)
    }

    /// In seconds since 1970, where the wall clock says `wall` nanoseconds now.
    func seconds(wall: Int64, now: MonotonicTime = .now()) -> Int64 {
        let seconds = (wall - (now - begun).wholeNanoseconds) / 1_000_000_000
        return shown.withLock { shown in
            if abs(seconds - shown) > StartTime.tolerance { shown = seconds }
            return min(shown, wall / 1_000_000_000)
        }
    }
}
