internal import Glibc
internal import Observability
internal import Platform
internal import TestSupport
internal import Testing
@testable internal import EventStream

@Suite("Where events go", .timeLimit(.minutes(1)))
struct SinkTests {
    private func open(_ settings: EventSettings, _ log: MemoryLog = MemoryLog()) throws -> EventStream {
        let logger = Logger(recordingTo: log)
        let sink: any EventSink =
            switch settings.sink {
            case .url(let url): try HTTPSink(url, settings, logger: logger)
            case .file(let path): FileSink(path: path)
            }
        let events = try EventStream(
            settings, sink: sink, logger: logger,
            backoff: Backoff(first: .milliseconds(1), last: .milliseconds(10)))
        try events.start()
        return events
    }

    private func ids(_ requests: [HTTPTestServer.Request]) throws -> [[String]] {
        try requests.map { try Event.batch($0.body).map(\.data.connection_id) }
    }

    @Test("an event has the attributes of CloudEvents 1.0, and a subject where there is a route")
    func attributes() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(202) }
        var settings = EventSettings(sink: .url(server.url + "/events?key=secret"))
        settings.source = "https://eu.example/sluice"
        let events = try open(settings)
        events.end([31])
        events.end([32], route: "")
        #expect(waitUntil { events.queue.counts.sent == 2 })
        let requests = server.requests
        let all = try requests.flatMap { try Event.batch($0.body) }
        #expect(all.map(\.subject) == ["TCPRoute/infra/redis", nil])
        let first = try #require(all.first)
        #expect(first.specversion == "1.0")
        #expect(first.type == "dev.sluice.connection.closed.v1")
        #expect(first.source == "https://eu.example/sluice/gateways/infra/edge")
        #expect(first.time == "2026-11-18T11:06:40.123Z")
        #expect(first.datacontenttype == "application/json")
        #expect(first.id.hasSuffix("-1f"))
        #expect(Set(all.map(\.id)).count == 2)
        for request in requests {
            #expect(request.method == "POST")
            #expect(request.target == "/events?key=secret")
            #expect(request["Content-Type"] == "application/cloudevents-batch+json; charset=utf-8")
            #expect(request["Authorization"] == nil)
        }
        events.close()
    }

    @Test("a server that refuses, answers 500, breaks off and comes back gets everything, in order")
    func troubles() throws {
        let count = Locked(0)
        let server = try HTTPTestServer { _, answer in
            let number = count.withLock { count in
                count += 1
                return count
            }
            switch number % 4 {
            case 1: try answer.send(500)
            case 2: answer.stream.close()
            case 3: try answer.send(503, ["Retry-After: 0"])
            default: try answer.send(200)
            }
        }
        let log = MemoryLog()
        let events = try open(EventSettings(sink: .url(server.url + "/?key=secret")), log)
        for id in 0..<20 {
            events.end([id])
            #expect(waitUntil { events.queue.counts.sent == UInt64(id + 1) })
        }
        // Acknowledged is every fourth.
        let accepted = try ids(server.requests.enumerated().filter { $0.offset % 4 == 3 }.map { $0.element })
        #expect(accepted.flatMap(\.self) == (0..<20).map(String.init))
        #expect(!log.lines.contains { $0.contains("secret") })
        events.close()
    }

    @Test("an answer that was lost is the only reason to send an event twice")
    func lostAnswer() throws {
        let server = try HTTPTestServer { request, answer in
            if request.connection == 1 { answer.stream.close() } else { try answer.send(204) }
        }
        let events = try open(EventSettings(sink: .url(server.url)))
        events.end([1, 2])
        #expect(waitUntil { events.queue.counts.sent == 2 })
        events.end([3])
        #expect(waitUntil { events.queue.counts.sent == 3 })
        #expect(try ids(server.requests) == [["1", "2"], ["1", "2"], ["3"]])
        events.close()
    }

    @Test("a server that hangs holds up neither the engine nor, past its time, the end")
    func hanging() throws {
        let release = Monitored(false)
        let server = try HTTPTestServer { _, _ in _ = release.wait { $0 ? true : nil } }
        let log = MemoryLog()
        let events = try open(EventSettings(sink: .url(server.url)), log)
        events.end([1])
        #expect(waitUntil { server.requests.count == 1 })
        for id in 2..<100 { events.end([id]) }
        #expect(events.queue.counts.pending == 99)
        events.close(timeout: .milliseconds(50))
        #expect(log.lines.contains { $0.contains("events are lost") && $0.contains("99") })
        release.update { $0 = true }
    }

    @Test("a token is sent as it stands in its file at the time, and never said")
    func token() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("first-token\n", to: "token")
        let isDown = Locked(false)
        let server = try HTTPTestServer { _, answer in try answer.send(isDown.withLock { $0 } ? 401 : 200) }
        var settings = EventSettings(sink: .url(server.url))
        settings.tokenFile = path
        let log = MemoryLog()
        let events = try open(settings, log)
        events.end([1])
        #expect(waitUntil { events.queue.counts.sent == 1 })
        try folder.write("second-token", to: "token")
        isDown.withLock { $0 = true }
        events.end([2])
        #expect(waitUntil { server.requests.count >= 3 })
        isDown.withLock { $0 = false }
        #expect(waitUntil { events.queue.counts.sent == 2 })
        #expect(server.requests.first?["Authorization"] == "Bearer first-token")
        #expect(server.requests.last?["Authorization"] == "Bearer second-token")
        try folder.write("two words", to: "token")
        events.end([3])
        #expect(waitUntil { log.lines.contains { $0.contains("cannot be read") } })
        #expect(!log.lines.contains { $0.contains("-token") || $0.contains("two words") })
        events.close()
    }

    @Test("a server's certificate is verified: against the authorities that are given")
    func verification() throws {
        let certificate = try TestPKI.makeCA().issue(dnsNames: [], ips: ["127.0.0.1"])
        let server = try HTTPTestServer(tls: TLSServerOptions(certificate)) { _, answer in try answer.send(200) }
        let folder = try TemporaryDirectory()
        let log = MemoryLog()
        let strangers = try open(EventSettings(sink: .url(server.url)), log)
        strangers.end([1])
        #expect(waitUntil { log.lines.contains { $0.contains("events cannot be delivered") } })
        #expect(strangers.queue.counts.sent == 0)
        strangers.close()
        var settings = EventSettings(sink: .url(server.url))
        settings.authorities = try folder.write(certificate.rootPEM, to: "ca.crt")
        let events = try open(settings)
        events.end([1])
        #expect(waitUntil { events.queue.counts.sent == 1 })
        events.close()
    }

    @Test("a file has a line each, is made anew after it was renamed, and is waited for while it cannot be written")
    func file() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/events.jsonl"
        let log = MemoryLog()
        let events = try open(EventSettings(sink: .file(path: path)), log)
        events.end(0..<3)
        #expect(waitUntil { events.queue.counts.sent == 3 })
        #expect(rename(path, path + ".1") == 0)
        #expect(mkdir(path, 0o700) == 0)
        events.end([3])
        #expect(waitUntil { log.lines.contains { $0.contains("events cannot be delivered") } })
        #expect(rmdir(path) == 0)
        #expect(waitUntil { events.queue.counts.sent == 4 })
        #expect(try Event.lines(path + ".1").map(\.data.connection_id) == ["0", "1", "2"])
        #expect(try Event.lines(path).map(\.data.connection_id) == ["3"])
        events.close()
    }

    @Test(
        "what would be unsafe or cannot work is refused at the start",
        arguments: [
            ("http://example.org/", true, "https"), ("https://user:pass@example.org/", false, "user or password"),
            ("https:///path", false, "no host"),
        ])
    func refused(url: String, withToken: Bool, word: String) throws {
        var settings = EventSettings(sink: .url(url))
        if withToken { settings.tokenFile = "/nowhere" }
        let failure = #expect(throws: EventStreamFailure.self) {
            _ = try EventStream(settings, logger: .disabled)
        }
        #expect(failure?.description.contains(word) == true)
    }
}
