internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

/// From when on the sessions of a listener or route are closed. Lies in its state, which they hold: written by the
/// control thread, read by workers when they sweep.
struct DrainCell: ~Copyable, Sendable {
    /// Milliseconds of the workers' clock; 0: sessions go on.
    private let start = Atomic<Int64>(0)
    private let spread = Atomic<Int64>(0)

    func close(from start: MonotonicTime, over spread: Duration) {
        self.spread.store(max(1, spread.wholeMilliseconds), ordering: .relaxed)
        // Whoever sees the start sees the spread as well: a sweep for something else may be under way.
        self.start.store(max(1, start.nanoseconds / 1_000_000), ordering: .releasing)
    }

    func clear() { start.store(0, ordering: .relaxed) }

    /// Each connection has a moment of its own, so that they do not all come back at once.
    func isDue(_ connection: UInt64, now milliseconds: Int64) -> Bool {
        let start = start.load(ordering: .acquiring)
        guard start > 0 else { return false }
        return milliseconds >= start + DrainCell.share(of: connection) % spread.load(ordering: .relaxed)
    }

    /// Evenly spread over 0..<2^31, for connections of consecutive numbers too.
    static func share(of connection: UInt64) -> Int64 {
        Int64(truncatingIfNeeded: (connection &* 0x9e37_79b9_7f4a_7c15) >> 33)
    }
}

/// Listeners and routes that have left the table while sessions of theirs go on, and when those are closed
/// (``ListenerSettings/routeDrainTimeout``). What comes back is the same state again, and leaves this list.
struct Departures {
    fileprivate struct Departure {
        let listener: TableCompiler.ListenerKey
        /// One of them; nil when its last session has ended.
        weak var listenerState: ListenerState?
        weak var routeState: RouteState?
        let since: MonotonicTime
        /// The listener's, or its last one.
        var timeout: Duration?
        /// In the log; a route that went with its listener is not named beside it.
        var isAnnounced = false
        /// When its time was found to have come.
        var closingFrom: MonotonicTime?

        var isOver: Bool { listenerState == nil && routeState == nil }
    }

    private var all: [ObjectIdentifier: Departure] = [:]
    /// All sessions of one departure are closed within a tenth of its timeout, but not in less or more than this.
    private static let shortestSpread = Duration.milliseconds(100)
    private static let longestSpread = Duration.seconds(10)
    private static let sweepInterval = Duration.milliseconds(50)

    var isEmpty: Bool { all.isEmpty }

    /// Takes in how the newest table differs from the one before.
    mutating func note(
        _ changes: [TableCompiler.ListenerChange], listeners: [TableCompiler.ListenerKey: ListenerRuntime],
        now: MonotonicTime
    ) {
        for change in changes {
            comeBack(change)
            leave(change, now)
        }
        for (id, departure) in all {
            if departure.isOver {
                all[id] = nil
            } else if let listener = listeners[departure.listener] {
                all[id]?.timeout = listener.configuration.settings.routeDrainTimeout
            }
        }
    }

    private mutating func comeBack(_ change: TableCompiler.ListenerChange) {
        guard !all.isEmpty, let listener = change.new else { return }
        if all.removeValue(forKey: ObjectIdentifier(listener.state)) != nil { listener.state.drain.clear() }
        for state in change.arrived where all.removeValue(forKey: ObjectIdentifier(state)) != nil {
            state.drain.clear()
        }
    }

    private mutating func leave(_ change: TableCompiler.ListenerChange, _ now: MonotonicTime) {
        guard let old = change.old else { return }
        let listener = TableCompiler.ListenerKey(id: old.state.id, port: old.state.port)
        let timeout = old.configuration.settings.routeDrainTimeout
        if change.new == nil {
            add(
                old.state,
                Departure(listener: listener, listenerState: old.state, routeState: nil, since: now, timeout: timeout))
        }
        for state in change.left {
            add(
                state,
                Departure(
                    listener: listener, listenerState: nil, routeState: state, since: now, timeout: timeout,
                    isAnnounced: change.new == nil))
        }
    }

    /// What has left already goes on counting from then.
    private mutating func add(_ state: AnyObject, _ departure: Departure) {
        if let known = all[ObjectIdentifier(state)], !known.isOver { return }
        all[ObjectIdentifier(state)] = departure
    }

    /// Marks whose time has come. `sweeps`: there are sessions to close now; `next`: when to look again.
    mutating func turn(now: MonotonicTime, logger: Logger) -> (sweeps: Bool, next: MonotonicTime) {
        var (sweeps, next) = (false, MonotonicTime.distantFuture)
        for (id, departure) in all {
            guard !departure.isOver else {
                all[id] = nil
                continue
            }
            guard let timeout = departure.timeout, departure.since + timeout <= now else {
                departure.clear()
                all[id]?.closingFrom = nil
                if let timeout = departure.timeout { next = min(next, departure.since + timeout) }
                continue
            }
            let spread = max(Departures.shortestSpread, min(timeout / 10, Departures.longestSpread))
            departure.close(from: departure.closingFrom ?? now, over: spread)
            if !departure.isAnnounced { departure.announce(logger) }
            all[id]?.isAnnounced = true
            all[id]?.closingFrom = departure.closingFrom ?? now
            sweeps = true
        }
        return (sweeps, sweeps ? min(next, now + Departures.sweepInterval) : next)
    }
}

extension Departures.Departure {
    fileprivate func close(from start: MonotonicTime, over spread: Duration) {
        listenerState?.drain.close(from: start, over: spread)
        routeState?.drain.close(from: start, over: spread)
    }

    fileprivate func clear() {
        listenerState?.drain.clear()
        routeState?.drain.clear()
    }

    fileprivate func announce(_ logger: Logger) {
        let route = routeState.map { "\($0.key.kind) \($0.key.namespace)/\($0.key.name)" }
        logger.info(
            route == nil ? "sessions of a removed listener are closed" : "sessions of a removed route are closed",
            ["listener": "\(listener.id)", "port": "\(listener.port)", "route": "\(route ?? "")"])
    }
}
