public import EngineModel
public import Observability
internal import Platform

/// Connections that ended, as events to a server or a file. Each that is taken into the spool is delivered at least once, in
/// order; what comes while that is full is dropped and counted. Safe to use from any thread.
public final class EventStream: ClosedConnectionOutput {
    private let encoder: Locked<EventEncoder>
    let queue: EventQueue
    private let sink: any EventSink
    private let logger: Logger
    private let backoff: Backoff
    /// Another process must not write to the same directory.
    private let lock: FileDescriptor?
    private let isDurable: Bool

    /// Prepares the spool, and takes over what waits in its directory. Nothing is sent before ``start()``.
    public convenience init(_ settings: EventSettings, logger: Logger) throws(EventStreamFailure) {
        let sink: any EventSink
        switch settings.sink {
        case .url(let url): sink = try HTTPSink(url, settings, logger: logger)
        case .file(let path): sink = FileSink(path: path)
        }
        try self.init(settings, sink: sink, logger: logger)
    }

    init(
        _ settings: EventSettings, sink: any EventSink, logger: Logger, backoff: Backoff = Backoff()
    ) throws(EventStreamFailure) {
        (self.sink, self.logger, self.backoff) = (sink, logger, backoff)
        isDurable = settings.spool != nil
        var generator = SystemRandomNumberGenerator()
        encoder = Locked(
            EventEncoder(
                source: settings.source, start: realtimeNanoseconds(),
                token: UInt32.random(in: 0...UInt32.max, using: &generator)))
        do throws(Errno) {
            if let directory = settings.spool {
                try SpoolFiles.makeDirectory(directory)
                lock = try SpoolFiles.lock(directory + "/lock")
                queue = try EventQueue(FileSpool(directory), limit: settings.spoolSize)
            } else {
                lock = nil
                queue = try EventQueue(MemorySpool(), limit: settings.spoolSize)
            }
        } catch {
            let why = error == .wouldBlock ? "another process uses it" : "\(error)"
            throw EventStreamFailure("the spool of events \(settings.spool ?? ""): \(why)")
        }
    }

    /// Begins to deliver.
    public func start() throws(EventStreamFailure) {
        let delivery = EventDelivery(queue: queue, sink: sink, logger: logger, backoff: backoff)
        do throws(Errno) { try Thread(named: "events") { delivery.run() }.detach() } catch {
            throw EventStreamFailure("the thread that sends events: \(error)")
        }
    }

    /// Tries to deliver what waits, for so long at most, and ends. What is left stays in the spool's directory, if there is
    /// one. After ``start()``, once.
    public func close(timeout: Duration = .seconds(5)) {
        let left = queue.close(until: .now() + timeout) { sink.cancel() }
        guard left > 0 else { return }
        logger.warning(
            !isDurable ? "events are lost" : "events are left in the spool",
            ["events": LogValue(left), "sink": LogValue(sink.name)])
    }

    // MARK: The engine's side

    public func take(_ connection: ClosedConnection) { encoder.withLock { $0.append(connection) } }

    public func endTurn() {
        encoder.withLock { encoder in
            guard encoder.count > 0 else { return }
            if let error = queue.append(encoder.lines, count: encoder.count) {
                logger.error(
                    "events cannot be put into the spool",
                    ["events": LogValue(encoder.count), LogKey.error: LogValue(describing: error)])
            }
            encoder.removeAll()
        }
    }

    public func miss(_ count: UInt64) { queue.drop(.queueFull, count) }

    // MARK: Metrics

    public func writeMetrics(into text: inout PrometheusText) {
        let counts = queue.counts
        text.single(.eventsSent, counts.sent)
        text.family(.eventsDropped) { family in
            for reason in EventQueue.DropReason.allCases {
                guard let count = counts.dropped[reason], count > 0 else { continue }
                family.sample(LabelSet(["reason": reason.rawValue]), count)
            }
        }
        text.single(.eventsPending, counts.pending)
    }
}
