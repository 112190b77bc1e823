internal import Platform

/// The spool between the thread that brings events and the one that delivers them, and what is counted. Safe to use from
/// any thread.
final class EventQueue: Sendable {
    /// Why an event was given up.
    enum DropReason: String, CaseIterable, Sendable {
        /// There was no room where workers leave notes of connections.
        case queueFull = "queue_full"
        case spoolFull = "spool_full"
        /// The spool could not be written or read.
        case spoolError = "spool_error"
        /// The receiver would not have it, even alone.
        case refused
    }

    struct Counts: Sendable {
        var sent: UInt64 = 0
        var dropped: [DropReason: UInt64] = [:]
        var pending: UInt64 = 0
    }

    private struct State: Sendable {
        var spool: any EventSpool
        var counts = Counts()
        /// When deliveries end, at the latest; nil: the stream is open.
        var end: MonotonicTime?
        var hasEnded = false
    }

    private let state: Monitored<State>
    private let limit: Int

    init(_ spool: any EventSpool, limit: Int) throws(Errno) {
        self.limit = limit
        var counts = Counts()
        counts.pending = try spool.lineCount()
        state = Monitored(State(spool: spool, counts: counts))
    }

    var counts: Counts { state.update { $0.counts } }

    /// Takes whole lines, those that there is room for. The error of the spool, where it could not be written.
    func append(_ lines: [UInt8], count: Int) -> Errno? {
        state.update { state in
            let room = limit - state.spool.size
            var (fitting, taken) = (lines, count)
            if lines.count > room {
                fitting = Array(lines[...].wholeLines(within: room))
                taken = fitting[...].lineCount
                state.counts.dropped[.spoolFull, default: 0] += UInt64(count - taken)
            }
            guard taken > 0 else { return nil }
            do throws(Errno) { try state.spool.append(fitting) } catch {
                state.counts.dropped[.spoolError, default: 0] += UInt64(taken)
                return error
            }
            state.counts.pending += UInt64(taken)
            return nil
        }
    }

    func drop(_ reason: DropReason, _ count: UInt64) {
        state.update { $0.counts.dropped[reason, default: 0] += count }
    }

    // MARK: Delivery

    enum Next: Sendable {
        /// Lines from the front.
        case batch([UInt8])
        case failed(Errno)
        case ended
    }

    /// The next events to be delivered, once there are any. Ended: the stream is closed and empty, or its time is over.
    func next(events: Int, bytes: Int) -> Next {
        let next = state.wait { state -> Next? in
            if let end = state.end, state.spool.size == 0 || end <= .now() { return .ended }
            guard state.spool.size > 0 else { return nil }
            do throws(Errno) {
                let lines = try state.spool.front(bytes)
                guard !lines.isEmpty else { return .failed(.invalidArgument) }
                return .batch(Array(lines[...].firstLines(events)))
            } catch { return .failed(error) }
        }
        return next ?? .ended
    }

    /// The front of the spool is done with: delivered, or given up.
    func finish(_ lines: [UInt8], count: Int, dropped: DropReason? = nil) -> Errno? {
        state.update { state in
            var failure: Errno?
            do throws(Errno) { try state.spool.remove(lines.count) } catch { failure = error }
            state.counts.pending -= min(state.counts.pending, UInt64(count))
            if let dropped {
                state.counts.dropped[dropped, default: 0] += UInt64(count)
            } else {
                state.counts.sent += UInt64(count)
            }
            return failure
        }
    }

    /// Waits; not longer than until the stream is closed.
    func pause(for time: Duration) {
        _ = state.wait(until: .now() + time) { $0.end == nil ? nil : true }
    }

    var isClosed: Bool { state.update { $0.end != nil } }

    func deliveryEnded() { state.update { $0.hasEnded = true } }

    /// Asks deliveries to end by `time`, when `cancel` is called; how many events are left.
    func close(until time: MonotonicTime, cancel: () -> Void) -> Int {
        state.update { $0.end = time }
        if state.wait(until: time, { $0.hasEnded ? true : nil }) == nil {
            cancel()
            _ = state.wait(until: .now() + .seconds(5)) { $0.hasEnded ? true : nil }
        }
        return state.update { Int(clamping: $0.counts.pending) }
    }
}
