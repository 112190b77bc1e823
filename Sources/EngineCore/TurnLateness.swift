/// Whether a worker's timers have to wait for its sockets: where the process did not run for a while (stopped, its machine paused
/// or starved), what peers sent meanwhile was in time, and may be seen only by the turns after the first, whose events are
/// those of before. One worker's, on its thread.
public struct TurnLateness: Sendable {
    /// Nanoseconds by which a turn has to begin too late. An ordinary turn takes less than a tenth of that.
    static let least: Int64 = 100_000_000
    /// A turn sees so many connections at least.
    static let seenByTurn = 512

    private var due: Int64 = .max
    private var turnsLeft = 0
    private var isFirst = false

    public init() {}

    /// Whether the next turn must not sleep.
    public var isLooking: Bool { turnsLeft > 0 }

    /// The worker sleeps until an event, or that time; `.max`: no timer runs.
    public mutating func sleep(until time: Int64) { due = time }

    /// A turn begins at `now`, by the clock as it was read after the events.
    public mutating func begin(_ now: Int64, connections: Int) {
        isFirst = turnsLeft == 0 && now &- TurnLateness.least > due
        if isFirst { turnsLeft = 2 + connections / TurnLateness.seenByTurn }
    }

    /// After the turn's events: whether timers may expire. `isAllSeen`: all that was ready had its turn.
    public mutating func mayExpire(isAllSeen: Bool) -> Bool {
        guard turnsLeft > 0 else { return true }
        guard !isFirst else { return false }
        turnsLeft = isAllSeen ? 0 : turnsLeft - 1
        return turnsLeft == 0
    }
}
