import EngineModel
import Observability
import Platform
import TestSupport
import Testing

@Suite("PostgreSQL's request for TLS towards backends", .timeLimit(.minutes(5)))
struct BackendStartTLSTests {
    private let upstream: UpstreamTLS
    private let server: TLSTestServer

    init() throws {
        upstream = try UpstreamTLS()
        server = try TLSTestServer(try upstream.server())
    }

    private func apply(_ ports: UInt16..., change: (inout BackendSettings) -> Void = { _ in }) throws {
        var target = backend("a", ports: ports.isEmpty ? [server.port] : ports, tls: try upstream.tls())
        target.settings.startTLS = .postgres
        change(&target.settings)
        upstream.harness.apply([tcpListener("t", port: upstream.port, route("a", to: "a"))], [target])
    }

    /// The endpoint's side of the next connection, which has asked for TLS and nothing else.
    private func asked() throws -> PlainClient {
        let plain = try server.acceptPlain()
        #expect(try plain.receive(exactly: 8) == PostgresBytes.sslRequest)
        #expect(throws: StreamError.timedOut("receiving")) {
            try plain.receive(max: 1, timeout: .milliseconds(50))
        }
        return plain
    }

    @Test("is sent first; TLS follows the S, and the client's bytes follow that")
    func asks() throws {
        try apply()
        for _ in 0..<3 {
            let client = try PlainClient(port: upstream.port)
            try client.send("early")
            let plain = try asked()
            try plain.send("S")
            let peer = try server.shakeHands(over: plain)
            #expect(peer.serverName == "db.test")
            #expect(try peer.receive(exactly: 5) == Array("early".utf8))
            try peer.send("answer")
            #expect(try client.receive(exactly: 6) == Array("answer".utf8))
        }
        #expect(upstream.harness.metric("sluice_backend_connects_total", "result=\"ok\"") == 3)
    }

    @Test("between a client that asked us for TLS and a server that we ask")
    func bothSides() throws {
        let port = try freePort()
        let authority = try TestPKI.makeCA()
        var listener = tlsListener(
            "db", port: port, mode: try terminate(try authority.issue(dnsNames: ["db.test"])),
            routes: [("db.test", route("a", to: "a"))])
        listener.settings.startTLS = .postgres(plaintextAllowed: false)
        var target = backend("a", ports: [server.port], tls: try upstream.tls())
        target.settings.startTLS = .postgres
        upstream.harness.apply([listener], [target])
        let plain = try PlainClient(port: port)
        try plain.send(PostgresBytes.sslRequest)
        #expect(try plain.receive(exactly: 1) == Array("S".utf8))
        let client = try TLSTestClient(over: plain, TLSClientOptions(serverName: "db.test", trust: authority.pem))
        let behind = try asked()
        try behind.send("S")
        let peer = try server.shakeHands(over: behind)
        try client.send("select")
        #expect(try peer.receive(exactly: 6) == Array("select".utf8))
    }

    @Test(
        "a backend without TLS, one that says something else, and bytes in the clear behind the S are refused",
        arguments: [
            ("N", "the backend has no TLS"), ("x", "answered with something else"),
            ("SS", "bytes in the clear behind the answer"),
            ("S\u{16}\u{3}\u{3}", "bytes in the clear behind the answer"),
            ("NS", "answered with something else"),
        ])
    func refused(answer: (String, String)) throws {
        try apply()
        let ending = try BackgroundWork { [port = upstream.port] in try EngineTests.ending(of: port) }
        let plain = try asked()
        try plain.send(answer.0)
        // Closed over unread bytes, the endpoint may see a reset.
        _ = try plain.waitForEnd()
        #expect(try ending.value() == .reset)
        #expect(waitUntil { upstream.harness.closed(.backendTLSError) == 1 })
        #expect(upstream.harness.log.waitForEntry { "\($0)".contains(answer.1) } != nil)
        #expect(upstream.harness.metric("sluice_backend_connects_total", "result=\"tls_error\"") == 1)
    }

    @Test("bytes in the clear that come after the S, before TLS, never reach the client")
    func injected() throws {
        try apply { $0.retries = 0 }
        let ending = try BackgroundWork { [port = upstream.port] in try EngineTests.ending(of: port) }
        let plain = try asked()
        try plain.send("S")
        // Our hello: from here on only TLS counts.
        #expect(try plain.receive(exactly: 1) == [0x16])
        try plain.send("R\0\0\0\u{8}\0\0\0\0")
        #expect(try ending.value() == .reset)
        #expect(waitUntil { upstream.harness.closed(.backendTLSError) == 1 })
    }

    @Test("one that greets unasked is refused at once, before the connect's time is over")
    func unasked() throws {
        try apply { $0.connectTimeout = .seconds(60) }
        let ending = try BackgroundWork { [port = upstream.port] in try EngineTests.ending(of: port) }
        let plain = try server.acceptPlain()
        try plain.send("220 ready\r\n")
        #expect(try ending.value(timeout: .seconds(30)) == .reset)
        #expect(waitUntil { upstream.harness.closed(.backendTLSError) == 1 })
    }

    @Test("an error, or an end, is that endpoint's alone: another one is tried", arguments: ["E", ""])
    func otherEndpoint(answer: String) throws {
        let bad = try PlainServer()
        try apply(bad.port, server.port)
        let failing = try BackgroundWork {
            let plain = try bad.accept(timeout: .seconds(30))
            _ = try plain.receive(exactly: 8)
            if !answer.isEmpty { try plain.send(answer) }
            plain.close()
        }
        var served = 0
        while upstream.harness.metric("sluice_backend_connects_total", "result=\"tls_error\"") < 1 {
            let client = try PlainClient(port: upstream.port)
            let plain = try asked()
            try plain.send("S")
            let peer = try server.shakeHands(over: plain)
            try client.send("x")
            #expect(try peer.receive(exactly: 1) == [0x78])
            served += 1
            guard served < 100 else { throw TestFailure("the failing endpoint was never chosen") }
        }
        try failing.value()
        #expect(upstream.harness.closed(.backendTLSError) == 0)
    }

    @Test("one that never answers is given the connect's time")
    func silent() throws {
        try apply {
            $0.connectTimeout = .milliseconds(200)
            $0.retries = 0
        }
        #expect(try ending(of: upstream.port) == .reset)
        #expect(waitUntil { upstream.harness.closed(.connectTimeout) == 1 })
        #expect(upstream.harness.metric("sluice_backend_connections_active") == 0)
    }

    @Test("without TLS to ask for, nothing is sent in the clear")
    func withoutTLS() throws {
        let echo = try EchoBackend("db")
        var target = backend("a", ports: [echo.port])
        target.settings.startTLS = .postgres
        upstream.harness.apply([tcpListener("t", port: upstream.port, route("a", to: "a"))], [target])
        #expect(try upstream.refuses("TLS is to be asked for, but there is none"))
    }
}
