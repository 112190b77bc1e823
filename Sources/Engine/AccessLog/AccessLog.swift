public import EngineModel
public import Observability
internal import Platform
internal import Synchronization

/// Why the access log cannot be written where it was asked for.
public struct AccessLogFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
}

/// Lines about connections, written by a thread of its own: workers leave notes in rings, one each, and never wait. Notes
/// that do not fit, and lines that cannot be written, are counted. Safe to call from any thread.
public final class AccessLog: Sendable {
    private struct State {
        var hasEnded = false
        var flushesDone = 0
        var rings: [AccessRing] = []
    }

    private let state = Monitored(State())
    private let output: any AccessOutput
    private let logger: Logger
    private let event: EventDescriptor
    /// Whether the writer will look at the rings by itself.
    private let isAwake = Atomic<Bool>(false)
    private let isClosed = Atomic<Bool>(false)
    private let flushesAsked = Atomic<Int>(0)
    /// Lines that could not be written.
    private let unwritten = Atomic<UInt64>(0)
    private let ringSize: Int
    let formats: AccessFormats
    private let events: (any ClosedConnectionOutput)?
    /// False: there are only events.
    let hasLines: Bool
    var hasEvents: Bool { events != nil }

    /// How long the writer rests between two looks, so that lines of a busy time are written many at once.
    private static let rest = Duration.milliseconds(200)

    /// Opens the file, if it is one; nothing is written before an engine has it. `destination` nil: no lines are written.
    /// `events` is told of every end, whatever has a line.
    public convenience init(
        to destination: AccessLogDestination?, events: (any ClosedConnectionOutput)? = nil, logger: Logger
    ) throws(AccessLogFailure) {
        guard let destination else {
            try self.init(output: NoOutput(), events: events, hasLines: false, logger: logger)
            return
        }
        try self.init(output: FileOutput(destination), events: events, logger: logger)
    }

    init(
        output: any AccessOutput, events: (any ClosedConnectionOutput)? = nil, hasLines: Bool = true, logger: Logger,
        ringSize: Int = AccessRing.defaultSize
    ) throws(AccessLogFailure) {
        (self.output, self.logger, self.ringSize) = (output, logger, ringSize)
        (self.events, self.hasLines) = (events, hasLines)
        do throws(Errno) { event = try EventDescriptor() } catch {
            throw AccessLogFailure(description: "the access log: \(error)")
        }
        formats = AccessFormats(retired: RetiredNames(signal: event))
    }

    /// Notes and lines that were given up.
    public var dropped: UInt64 {
        let rings = state.update { $0.rings }
        return rings.reduce(unwritten.load(ordering: .relaxed)) { $0 &+ $1.dropped }
    }

    /// Opens the file again under its name, as after a rotation; where that fails the open one goes on being written.
    /// False: it is no file.
    @discardableResult
    public func reopen() -> Bool {
        guard output.reopenSoon() else { return false }
        event.signal()
        return true
    }

    /// Waits until every line of what was noted before is written; false when that took longer.
    @discardableResult
    public func flush(timeout: Duration = .seconds(2)) -> Bool {
        let number = flushesAsked.add(1, ordering: .releasing).newValue
        event.signal()
        return state.wait(until: .now() + timeout) { $0.flushesDone >= number || $0.hasEnded ? true : nil } ?? false
    }

    // MARK: Workers

    /// Starts the writer for so many workers. Once.
    func start(workers: Int) throws(Errno) {
        let size = ringSize
        let rings = (0..<workers).map { _ in AccessRing(size: size) }
        state.update { $0.rings = rings }
        try Thread(named: "access-log") { self.run(rings) }.detach()
    }

    /// A worker's way here.
    func port(worker: Int) -> AccessPort? {
        state.update { $0.rings.indices.contains(worker) ? $0.rings[worker] : nil }.map { AccessPort(self, $0) }
    }

    /// The writer ends with what was noted until now.
    func close() {
        isClosed.store(true, ordering: .releasing)
        event.signal()
    }

    @inline(__always)
    func wake() {
        guard !isAwake.load(ordering: .sequentiallyConsistent),
            !isAwake.exchange(true, ordering: .sequentiallyConsistent)
        else { return }
        event.signal()
    }

    func hurry() { event.signal() }

    // MARK: The writer

    private func run(_ rings: [AccessRing]) {
        let events = events.map(AccessEvents.init)
        var lines = AccessLines(formats, events)
        var flushed = 0
        while true {
            sleep()
            isAwake.store(true, ordering: .sequentiallyConsistent)
            var isFound = true
            while isFound {
                let (asked, isLast) = (flushesAsked.load(ordering: .acquiring), isClosed.load(ordering: .acquiring))
                isFound = write(rings, &lines)
                events?.endTurn(missed: rings.reduce(0) { $0 &+ $1.droppedEvents })
                let hasEnded = isLast && !isFound
                if asked != flushed || hasEnded {
                    flushed = asked
                    state.update { ($0.flushesDone, $0.hasEnded) = (asked, hasEnded) }
                }
                if hasEnded { return }
                if isFound { sleep(atMost: AccessLog.rest) }
            }
            isAwake.store(false, ordering: .sequentiallyConsistent)
            // What was noted while we seemed awake has woken nobody.
            if rings.contains(where: { !$0.isEmpty }) { event.signal() }
        }
    }

    private func sleep(atMost time: Duration? = nil) {
        do throws(Errno) {
            // An interrupted wait is followed by another look.
            if try !pollReadable([event.raw], timeout: time).isEmpty { event.drain() }
        } catch {
            // No memory to wait with.
            pause(for: AccessLog.rest)
        }
    }

    /// Writes what there is. False: nothing was there.
    private func write(_ rings: [AccessRing], _ lines: inout AccessLines) -> Bool {
        var isFound = false
        output.reopenIfAsked(logger)
        // No note that is written from now on refers to these.
        let retired = formats.retired?.take() ?? []
        lines.beginTurn()
        for (worker, ring) in rings.enumerated() {
            while lines.take(from: ring, worker: worker) {
                isFound = true
                if lines.isFull { put(&lines) }
            }
        }
        if !retired.isEmpty { formats.retired?.free(retired) }
        put(&lines)
        return isFound
    }

    private func put(_ lines: inout AccessLines) {
        guard !lines.isEmpty else { return }
        let lost = output.write(lines.bytes, logger)
        if lost > 0 { unwritten.add(UInt64(lost), ordering: .relaxed) }
        lines.removeAll()
    }
}
