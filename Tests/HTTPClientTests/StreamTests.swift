import HTTPClient
import Platform
import TestSupport
import Testing

@Suite("HTTP streams", .timeLimit(.minutes(1)))
struct StreamTests {
    let options = HTTPClientOptions(userAgent: "sluice/test")

    @Test("a consumer that is too far behind is cut off, and others go on")
    func tooSlow() throws {
        let isCut = Locked(false)
        let server = try HTTPTestServer { request, answer in
            try answer.begin()
            guard request.target == "/fast" else { return Thread.holdUntilClosed(answer) }
            defer { isCut.withLock { $0 = true } }
            let line = String(repeating: "x", count: 9_999) + "\n"
            while true { try answer.chunk(line) }
        }
        let client = try HTTPClient(options)
        let calm = client.stream(HTTPRequest("GET", server.url + "/calm", timeout: nil)) {}
        let activity = Locked(0)
        let stream = client.stream(HTTPRequest("GET", server.url + "/fast", timeout: nil), limit: 1 << 20) {
            activity.withLock { $0 += 1 }
        }
        // Nobody takes meanwhile.
        #expect(waitUntil(deadline: .seconds(20)) { isCut.withLock { $0 } })
        #expect(activity.withLock { $0 } == 1)
        let all = try collect(stream)
        #expect(all.end == .consumerTooSlow)
        #expect(all.lines.isEmpty)
        #expect(calm.take().end == nil)
        client.close()
        server.close()
    }

    @Test("one line beyond the limit is no slowness of the consumer")
    func endlessLine() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            while true { try answer.chunk(String(repeating: "x", count: 65_536)) }
        }
        let client = try HTTPClient(options)
        let stream = client.stream(HTTPRequest("GET", server.url + "/", timeout: nil), limit: 1 << 20) {}
        guard case .failed(let error)? = try collect(stream).end else {
            Issue.record("the stream did not fail")
            return
        }
        #expect(error.description == "a line of the answer is longer than 1048576 bytes")
    }

    @Test("a cancelled stream says so at once, and its connection ends")
    func cancelled() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("one\n")
            Thread.holdUntilClosed(answer)
        }
        let sockets = EstablishedConnections(to: server.port)
        let client = try HTTPClient(options)
        let stream = client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {}
        #expect(try first(of: stream) == "one")
        #expect(try sockets.count() == 1)
        stream.cancel()
        #expect(stream.take().end == .failed(TransportError(.cancelled, "the request was cancelled")))
        #expect(try waitUntil { try sockets.count() == 0 })
    }

    @Test("a stream that nobody holds any more is cancelled")
    func dropped() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("one\n")
            Thread.holdUntilClosed(answer)
        }
        let sockets = EstablishedConnections(to: server.port)
        let client = try HTTPClient(options)
        do {
            let stream = client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {}
            #expect(try first(of: stream) == "one")
        }
        #expect(try waitUntil { try sockets.count() == 0 })
        client.close()
    }

    @Test("an answer that is no success gives its whole body as one element")
    func message() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(410, body: "{\n\"reason\": \"Expired\"\n}\n") }
        let client = try HTTPClient(options)
        let all = try collect(client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {})
        #expect(all.head?.status == 410)
        #expect(all.lines == [Array("{\n\"reason\": \"Expired\"\n}\n".utf8)])
        #expect(all.end == .finished)
    }

    @Test("a stream cut within a chunk is interrupted; the whole lines before are kept, the broken one is not")
    func cut() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("one\ntw")
            throw TestFailure("closes")
        }
        let client = try HTTPClient(options)
        let all = try collect(client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {})
        #expect(all.lines == [Array("one".utf8)])
        guard case .failed(let error)? = all.end else {
            Issue.record("the stream did not fail: \(String(describing: all.end))")
            return
        }
        #expect(error.kind == .interrupted)
    }

    @Test("closing the client ends requests and streams as cancelled, later ones too")
    func closed() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("one\n")
            Thread.holdUntilClosed(answer)
        }
        let client = try HTTPClient(options)
        let stream = client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {}
        #expect(try first(of: stream) == "one")
        let waiting = try BackgroundWork { () -> TransportError.Kind? in
            do throws(TransportError) {
                _ = try client.perform(HTTPRequest("GET", server.url + "/"))
                return nil
            } catch { return error.kind }
        }
        #expect(waitUntil { server.requests.count == 2 })
        client.close()
        #expect(try waiting.value() == .cancelled)
        #expect(try collect(stream).end == .failed(TransportError(.cancelled, "the client was closed")))
        let late = client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {}
        #expect(late.take().end != nil)
        let error = try #require(throws: TransportError.self) {
            try client.perform(HTTPRequest("GET", server.url + "/"))
        }
        #expect(error.kind == .cancelled)
        server.close()
    }
}
