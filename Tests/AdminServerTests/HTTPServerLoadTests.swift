@testable import AdminServer
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("HTTP server with bad clients", .timeLimit(.minutes(1)))
struct HTTPServerLoadTests {
    private func server(_ routes: [HTTPRoute] = [], limits: HTTPServer.Limits = .init()) throws -> HTTPServer {
        let hello = HTTPRoute("/hello", "greets") { _ in .text("hello\n") }
        return try HTTPServer(
            name: "test", address: SocketAddress(.loopbackV4, 0), routes: [hello] + routes, limits: limits)
    }

    @Test("clients that send nothing, half a request, or read nothing do not hold up others")
    func slow() throws {
        let text = String(repeating: "x", count: 16 << 20)
        let server = try server([HTTPRoute("/large", "") { _ in .text(text) }])
        defer { server.stop() }
        let silent = try RawClient(server.address)
        let half = try RawClient(server.address)
        try half.send("GET /hello HTTP/1.1\r\nHost: ")
        let deaf = try RawClient(server.address)
        try deaf.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for _ in 0..<5 { #expect(try RawResponse.of("GET", "/hello", from: server.address).body == "hello\n") }
        try half.send("localhost\r\n\r\n")
        #expect(try RawResponse(try half.readToEnd()).body == "hello\n")
        #expect(try RawResponse(try deaf.readToEnd()).body.utf8.count == 16 << 20)
        _ = consume silent
    }

    @Test("answers that nobody reads are bounded: the next one is refused with 503")
    func answersAreBounded() throws {
        var limits = HTTPServer.Limits()
        limits.answers = 20 << 20
        let text = String(repeating: "x", count: 16 << 20)
        let server = try server([HTTPRoute("/large", "") { _ in .text(text) }], limits: limits)
        defer { server.stop() }
        let deaf = try RawClient(server.address)
        try deaf.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
        // The same thread takes requests in order: once this is answered the large one was queued.
        #expect(try RawResponse.of("GET", "/hello", from: server.address).status == 200)
        let refused = try RawResponse.of("GET", "/large", from: server.address)
        #expect(refused.status == 503)
        #expect(refused.fields["retry-after"] == "1")
        #expect(try RawResponse(try deaf.readToEnd()).body.utf8.count == 16 << 20)
    }

    @Test("a request that trickles in is closed at its deadline, however often a byte comes")
    func trickle() throws {
        var limits = HTTPServer.Limits()
        limits.request = .milliseconds(300)
        let server = try server(limits: limits)
        defer { server.stop() }
        let client = try RawClient(server.address)
        let start = MonotonicTime.now()
        var closed = false
        while !closed, MonotonicTime.now() - start < .seconds(20) {
            do { try client.send("G") } catch { closed = true }
            if !closed { _ = try pollReadable([], timeout: .milliseconds(10)) }
        }
        #expect(closed)
        #expect(try client.readToEnd().isEmpty)
        #expect(MonotonicTime.now() - start >= .milliseconds(300))
    }

    @Test(
        "with every connection in use by clients that say nothing, a request is answered in a fraction of the deadline")
    func full() throws {
        var limits = HTTPServer.Limits()
        limits.connections = 4
        limits.request = .milliseconds(1500)
        let server = try server(limits: limits)
        defer { server.stop() }
        let silent = try (0..<4).map { _ in try StreamSocket.connect(to: .ip(server.address)).release() }
        defer { for raw in silent { _ = FileDescriptor(owning: raw) } }
        #expect(try RawResponse.of("GET", "/hello", from: server.address).body == "hello\n")
    }

    @Test("200 scrapes at once are all answered")
    func parallel() throws {
        let text = String(repeating: "sluice_x 1\n", count: 10_000)
        let server = try server([HTTPRoute("/metrics", "") { _ in .text(text) }])
        defer { server.stop() }
        let results = Monitored<[Int]>([])
        let address = server.address
        for _ in 0..<200 {
            try Thread(named: "scrape") {
                let response = try? RawResponse.of("GET", "/metrics", from: address)
                results.update { $0.append(response?.status == 200 ? response?.body.utf8.count ?? 0 : 0) }
            }.detach()
        }
        let all = results.wait(until: .now() + .seconds(30)) { $0.count == 200 ? $0 : nil }
        #expect(all == Array(repeating: text.utf8.count, count: 200))
    }

    @Test("stopping while a request is being answered lets the answer go out, then refuses connections")
    func stopWhileRunning() throws {
        let entered = Monitored(false)
        let release = Monitored(false)
        let slow = HTTPRoute("/slow", "") { _ in
            entered.update { $0 = true }
            let _: Bool? = release.wait(until: .now() + .seconds(30)) { $0 ? true : nil }
            return .text("done\n")
        }
        let server = try server([slow])
        let idle = try RawClient(server.address)
        let client = try RawClient(server.address)
        try client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let _: Bool? = entered.wait { $0 ? true : nil }
        let stopped = Monitored(false)
        try Thread(named: "stop") {
            server.stop()
            stopped.update { $0 = true }
        }.detach()
        release.update { $0 = true }
        #expect(try RawResponse(try client.readToEnd()).body == "done\n")
        #expect(stopped.wait(until: .now() + .seconds(20)) { $0 ? true : nil } == true)
        #expect(try idle.readToEnd().isEmpty)
        #expect(throws: Errno.connectionRefused) { _ = try StreamSocket.connect(to: .ip(server.address)).raw }
        server.stop()
    }

    @Test("a port is free as soon as its server has stopped")
    func restarts() throws {
        // Not 127.0.0.1: a client of another test might be given the port between two servers.
        var address = try #require(SocketAddress("127.83.0.1:0"))
        for _ in 0..<20 {
            let hello = HTTPRoute("/hello", "") { _ in .text("hello\n") }
            let server = try HTTPServer(name: "test", address: address, routes: [hello])
            address = server.address
            #expect(try RawResponse.of("GET", "/hello", from: address).status == 200)
            server.stop()
        }
    }
}
