/// Whether one more endpoint of a backend may be left out for a while.
public enum EjectionRule {
    /// `endpoints`: all of the backend that connections go to, this one among them. `ejected`: those that are out now. `usableOthers`: those that could
    /// take connections in its place. Never the last one that is usable.
    public static func allows(
        endpoints: Int, ejected: Int, usableOthers: Int, maximumPercent: Int, alwaysOne: Bool
    ) -> Bool {
        guard usableOthers > 0 else { return false }
        if alwaysOne, ejected == 0 { return true }
        return (ejected + 1) * 100 <= endpoints * maximumPercent
    }

    /// How long it stays out the `count`th time (from 1), in nanoseconds: `base` each time more, at most ``longest`` or `base`.
    public static func time(count: Int, base: Int64) -> Int64 {
        let (product, overflow) = base.multipliedReportingOverflow(by: Int64(max(1, count)))
        return min(overflow ? .max : product, max(longest, base))
    }

    /// Five minutes in nanoseconds.
    public static let longest: Int64 = 300_000_000_000
}
