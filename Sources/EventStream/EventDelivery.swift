internal import Observability
internal import Platform

/// What the thread `events` does: one batch after the other, each again until it is acknowledged.
struct EventDelivery: Sendable {
    let queue: EventQueue
    let sink: any EventSink
    let logger: Logger
    var backoff: Backoff

    static let mostEvents = 500
    static let mostBytes = 256 << 10

    func run() {
        var course = Course(backoff: backoff)
        var generator = SystemRandomNumberGenerator()
        while true {
            switch queue.next(events: course.most, bytes: EventDelivery.mostBytes) {
            case .ended:
                queue.deliveryEnded()
                return
            case .failed(let error):
                logger.error("the spool of events cannot be read", [LogKey.error: LogValue(describing: error)])
                if giveUp() { return }
                queue.pause(for: course.backoff.next(using: &generator))
            case .batch(let lines):
                let count = lines[...].lineCount
                switch sink.deliver(lines) {
                case .done: succeed(&course, lines, count)
                case .refused(let why): refuse(&course, lines, count, why)
                case .failed(let why, let after):
                    fail(&course, why)
                    if giveUp() { return }
                    let pause = course.backoff.next(using: &generator)
                    queue.pause(for: max(pause, after ?? .zero))
                }
            }
        }
    }

    /// How it goes.
    private struct Course {
        var backoff: Backoff
        /// Events of the next batch.
        var most = EventDelivery.mostEvents
        /// When deliveries began to fail; nil: they do not.
        var failingSince: MonotonicTime?
        var lastError = ""
        /// Ever.
        var refused = 0
    }

    /// Once the stream is closed there are no further attempts.
    private func giveUp() -> Bool {
        guard queue.isClosed else { return false }
        queue.deliveryEnded()
        return true
    }

    private func succeed(_ course: inout Course, _ lines: [UInt8], _ count: Int) {
        note(queue.finish(lines, count: count))
        course.backoff.reset()
        course.most = min(EventDelivery.mostEvents, course.most * 2)
        if let since = course.failingSince {
            logger.info(
                "events are delivered again",
                ["sink": LogValue(sink.name), "after": LogValue(MonotonicTime.now() - since)])
        }
        (course.failingSince, course.lastError) = (nil, "")
    }

    /// Halves the batch until it is one event, which is given up.
    private func refuse(_ course: inout Course, _ lines: [UInt8], _ count: Int, _ why: String) {
        guard count == 1 else {
            course.most = max(1, count / 2)
            return
        }
        note(queue.finish(lines, count: 1, dropped: .refused))
        course.refused += 1
        // Of many in a row few lines.
        guard course.refused & (course.refused - 1) == 0 else { return }
        logger.warning(
            "events were refused",
            ["sink": LogValue(sink.name), LogKey.error: LogValue(why), "events": LogValue(course.refused)])
    }

    /// Said once for each reason.
    private func fail(_ course: inout Course, _ why: String) {
        course.failingSince = course.failingSince ?? .now()
        guard why != course.lastError else { return }
        course.lastError = why
        logger.warning(
            "events cannot be delivered",
            [
                "sink": LogValue(sink.name), LogKey.error: LogValue(why),
                "pending": LogValue(Int(clamping: queue.counts.pending)),
            ])
    }

    private func note(_ error: Errno?) {
        guard let error else { return }
        logger.error(
            "the spool of events cannot be written; events may be sent again after a restart",
            [LogKey.error: LogValue(describing: error)])
    }
}
