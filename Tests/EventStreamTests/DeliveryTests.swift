internal import Observability
internal import Platform
internal import TestSupport
internal import Testing
@testable internal import EventStream

@Suite("Delivery of events", .timeLimit(.minutes(1)))
struct DeliveryTests {
    @Test("events come in order, in batches of at most 500, once each")
    func order() throws {
        let sink = ScriptedSink()
        let events = try stream(sink)
        events.end(0..<1201)
        try events.start()
        #expect(waitUntil { events.queue.counts.sent == 1201 })
        #expect(sink.seen.map(\.count) == [500, 500, 201])
        #expect(sink.seen.flatMap(\.self) == Array(0..<1201))
        events.end([1201])
        #expect(waitUntil { events.queue.counts.sent == 1202 })
        #expect(events.queue.counts.pending == 0)
        events.close()
    }

    @Test("what fails is sent again until it is acknowledged, said once, and nothing overtakes it")
    func failures() throws {
        let log = MemoryLog()
        let sink = ScriptedSink { number, _ in number < 6 ? .failed("status 500", after: nil) : .done }
        let events = try stream(sink, log: log)
        try events.start()
        events.end([1, 2])
        #expect(waitUntil { sink.seen.count >= 2 })
        events.end([3])
        #expect(waitUntil { events.queue.counts.sent == 3 })
        var sequence: [Int] = []
        for id in sink.seen.dropFirst(5).flatMap(\.self) { sequence.append(id) }
        #expect(sequence == [1, 2, 3])
        #expect(log.lines.count { $0.contains("events cannot be delivered") } == 1)
        #expect(waitUntil { log.lines.contains { $0.contains("events are delivered again") } })
        events.close()
    }

    @Test("a refused event is found by halves, given up alone and counted; the others arrive in order")
    func refusal() throws {
        let sink = ScriptedSink { _, ids in ids.contains(37) ? .refused("status 400") : .done }
        let log = MemoryLog()
        let events = try stream(sink, log: log)
        events.end(0..<100)
        try events.start()
        #expect(waitUntil { events.queue.counts.pending == 0 })
        #expect(events.queue.counts.sent == 99)
        #expect(events.dropped(.refused) == 1)
        #expect(sink.seen.filter { !$0.contains(37) }.flatMap(\.self) == (0..<100).filter { $0 != 37 })
        #expect(log.lines.contains { $0.contains("events were refused") })
        events.close()
    }

    @Test("a pause that the receiver asks for is kept until the stream is closed, which makes a last attempt")
    func pause() throws {
        let sink = ScriptedSink { number, _ in number == 1 ? .failed("status 429", after: .seconds(60)) : .done }
        let events = try stream(sink)
        try events.start()
        events.end([1])
        #expect(waitUntil { sink.seen.count == 1 })
        events.end([2])
        #expect(events.queue.counts.pending == 2)
        events.close()
        #expect(sink.seen == [[1], [1, 2]])
        #expect(events.queue.counts.sent == 2)
    }

    @Test("what comes while the spool is full is dropped and counted; what waits is kept", arguments: [false, true])
    func bound(onDisk: Bool) throws {
        let folder = try TemporaryDirectory()
        let isOpen = Locked(false)
        let sink = ScriptedSink { _, _ in isOpen.withLock { $0 } ? .done : .failed("not yet", after: nil) }
        let events = try stream(sink, spool: onDisk ? folder.path + "/spool" : nil, size: 4096)
        try events.start()
        for id in 0..<100 { events.end([id]) }
        let pending = events.queue.counts.pending
        #expect((5..<30).contains(pending))
        #expect(events.dropped(.spoolFull) == 100 - pending)
        isOpen.withLock { $0 = true }
        #expect(waitUntil { events.queue.counts.sent == pending })
        #expect(sink.seen.last == Array(0..<Int(pending)))
        // There is room again.
        events.end([200])
        #expect(waitUntil { events.queue.counts.sent == pending + 1 })
        events.close()
    }

    @Test("of a turn that does not fit as a whole, what fits is kept")
    func partOfATurn() throws {
        let sink = ScriptedSink()
        let events = try stream(sink, size: 2048)
        events.end(0..<20)
        let pending = events.queue.counts.pending
        #expect((3..<19).contains(pending))
        #expect(events.dropped(.spoolFull) == 20 - pending)
        try events.start()
        #expect(waitUntil { events.queue.counts.sent == pending })
        #expect(sink.seen.flatMap(\.self) == Array(0..<Int(pending)))
        events.close()
    }

    @Test("what waits when the stream is closed is delivered first")
    func close() throws {
        let sink = ScriptedSink()
        let events = try stream(sink)
        try events.start()
        events.end(0..<2000)
        events.close()
        #expect(sink.seen.flatMap(\.self) == Array(0..<2000))
    }

    @Test("what could not be delivered is said at the end")
    func lost() throws {
        let log = MemoryLog()
        let events = try stream(ScriptedSink { _, _ in .failed("no", after: nil) }, log: log)
        try events.start()
        events.end(0..<3)
        events.close()
        #expect(log.lines.contains { $0.contains("events are lost") && $0.contains("3") })
    }

    @Test("metrics")
    func metrics() throws {
        let events = try stream(ScriptedSink(), size: 1500)
        events.end(0..<20)
        events.miss(2)
        var text = PrometheusText()
        events.writeMetrics(into: &text)
        let pending = events.queue.counts.pending
        #expect(text.text.contains("\nsluice_events_sent_total 0\n"))
        #expect(text.text.contains("\nsluice_events_dropped_total{reason=\"queue_full\"} 2\n"))
        #expect(text.text.contains("\nsluice_events_dropped_total{reason=\"spool_full\"} \(20 - pending)\n"))
        #expect(text.text.contains("\nsluice_events_pending \(pending)\n"))
    }
}
