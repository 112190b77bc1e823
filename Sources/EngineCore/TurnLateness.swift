/// Whether a worker's timers have to wait for its sockets: where the process did not run for a while (stopped, its machine paused
/// or starved), what peers sent meanwhile was in time, and may be seen only by the turns after the first, whose events are
/// those of before. One worker's, on its thread. Times are monotonic nanoseconds.
public struct TurnLateness: Sendable {
    /// By how much a turn has to begin too late. An ordinary turn takes less than a tenth of that.
    public static let least: Int64 = 100_000_000
    /// A turn sees so many connections at least.
    static let seenByTurn = 512

    /// The end of an ordinary sleep; while turns only look, before all time.
    @usableFromInline var limit: Int64 = .max
    private var turnsLeft = 0

    public init() {}

    /// Whether the next turn must not sleep.
    @inlinable public var isLooking: Bool { limit == .min }

    /// The worker sleeps until an event or that time, less than 292 years from boot.
    @inlinable public mutating func willSleep(until time: Int64) {
        if limit != .min { limit = time &+ TurnLateness.least }
    }

    /// The worker sleeps until an event: no timer runs.
    @inlinable public mutating func willSleep() {
        if limit != .min { limit = .max }
    }

    /// After the events of a turn that began at `now`, by the clock as it was read behind them: whether timers may expire.
    /// `isAllSeen`: all that was ready had its turn.
    @inlinable public mutating func mayExpire(
        at now: Int64, connections: Int, isAllSeen: @autoclosure () -> Bool
    ) -> Bool {
        now <= limit || look(connections, isAllSeen())
    }

    @usableFromInline mutating func look(_ connections: Int, _ isAllSeen: Bool) -> Bool {
        if limit != .min {
            limit = .min
            turnsLeft = 2 + connections / TurnLateness.seenByTurn
            return false
        }
        turnsLeft -= 1
        guard isAllSeen || turnsLeft == 0 else { return false }
        limit = .max
        return true
    }
}
