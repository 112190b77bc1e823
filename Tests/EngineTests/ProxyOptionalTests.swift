import Engine
import EngineCore
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("PROXY protocol, optional", .timeLimit(.minutes(5)))
struct ProxyOptionalTests {
    private static let here = ["127.0.0.0/8", "::1/128"]

    @Test("a trusted peer's header counts; what begins otherwise is the client's own, untouched")
    func trusted() throws {
        let fixture = try ProxyFixture(.optional, trusted: Self.here)
        let named = try PlainClient(port: fixture.port)
        try named.send(try ProxyBytes.header(.v2, from: ProxyBytes.source6))
        try named.exchange("hello")
        #expect(try fixture.connection().client == SocketAddress(ProxyBytes.source6))
        named.close()
        #expect(waitUntil { fixture.harness.engine.activeConnections == 0 })
        for text in ["hello", "PROPFIND / HTTP/1.1", "\r\n\r\nx", "P", "PROX", "\r\n\r"] {
            let client = try PlainClient(port: fixture.port)
            for byte in text.utf8 { try client.send([byte]) }
            // No more is to come: of a few bytes that is how their sender says so.
            try client.halfClose()
            #expect(try client.receiveAll() == Array(text.utf8), "\(text)")
            #expect(waitUntil { fixture.harness.engine.activeConnections == 0 })
        }
        #expect(fixture.harness.closed(.clientClosed) == 7)
        #expect(fixture.headers("proxy", "v2") == 1)
        #expect(fixture.harness.metric("sluice_proxy_protocol_headers_total") == 1)
    }

    @Test("a peer that is not trusted is plain at once: a server that speaks first is heard, headers are bytes")
    func untrusted() throws {
        let fixture = try ProxyFixture(.optional, trusted: ["10.0.0.0/8"], greeting: "welcome")
        let client = try PlainClient(port: fixture.port)
        #expect(try client.receiveLine(timeout: .seconds(5)) == "welcome")
        try client.exchange(try ProxyBytes.header(.v1, from: ProxyBytes.source4))
        let connection = try fixture.connection()
        #expect(connection.client == client.localAddress && connection.proxyProtocolVersion == nil)
        #expect(fixture.harness.metric("sluice_proxy_protocol_headers_total") == 0)
    }

    @Test("a trusted client that waits for its server to speak first is plain when the header's time is over")
    func serverFirst() throws {
        let fixture = try ProxyFixture(.optional, trusted: Self.here, timeout: .milliseconds(200), greeting: "welcome")
        for begun in ["", "PROX", "\r\n\r\n"] {
            let client = try PlainClient(port: fixture.port)
            try client.send(begun)
            #expect(try client.receiveLine() == "welcome")
            #expect(try client.receive(exactly: begun.utf8.count) == Array(begun.utf8))
            try client.exchange("hello")
        }
        #expect(fixture.harness.metric("sluice_listener_connections_rejected_total") == 0)
        #expect(fixture.harness.metric("sluice_listener_handshaking_connections") == 0)
    }

    @Test("a whole signature is a header's: then a broken or unfinished one is refused")
    func broken() throws {
        let fixture = try ProxyFixture(.optional, trusted: Self.here, timeout: .milliseconds(200))
        try fixture.expectRefusal(
            Array("PROXY TCP4 x".utf8), .proxyProtocolMalformed, "malformed", "an address that is none")
        for text in ["PROXY", "PROXY TCP4 1.2"] {
            try fixture.expectRefusal(Array(text.utf8), .proxyProtocolTimeout, "timeout", "\(text)")
        }
    }

    // MARK: LOCAL

    @Test("a health check by LOCAL that sends nothing is no client, whether it ends by FIN or RST")
    func healthCheck() throws {
        let fixture = try ProxyFixture()
        let header = try ProxyBytes.local()
        for round in 0..<20 {
            let check = try PlainClient(port: fixture.port)
            try check.send(header)
            if round % 4 > 1 { #expect(waitUntil { fixture.headers("local", "v2") == Double(round + 1) }) }
            if round % 2 == 0 { check.close() } else { check.reset() }
        }
        #expect(waitUntil { fixture.headers("local", "v2") == 20 && fixture.harness.engine.activeConnections == 0 })
        #expect(fixture.harness.metric("sluice_listener_connections_accepted_total") == 0)
        #expect(fixture.harness.metric("sluice_listener_connections_rejected_total") == 0)
        #expect(fixture.harness.metric("sluice_tcp_connections_opened_total") == 0)
        #expect(fixture.harness.metric("sluice_tcp_connections_closed_total") == 0)
        for gauge in [
            "sluice_listener_connections_active", "sluice_tcp_connections_active", "sluice_backend_connections_active",
        ] {
            #expect(fixture.harness.metric(gauge) == 0, "\(gauge)")
        }
    }

    @Test("LOCAL that sends something is a client: at once where that is there already, else when it ends")
    func localClient() throws {
        let fixture = try ProxyFixture()
        let early = try PlainClient(port: fixture.port)
        try early.send(try ProxyBytes.local() + Array("PING\n".utf8))
        #expect(try early.receiveLine() == "PING")
        #expect(fixture.harness.metric("sluice_tcp_connections_opened_total") == 1)
        let late = try PlainClient(port: fixture.port)
        try late.send(try ProxyBytes.local())
        #expect(waitUntil { fixture.headers("local", "v2") == 2 })
        try late.send("PING\n")
        #expect(try late.receiveLine() == "PING")
        #expect(fixture.harness.metric("sluice_tcp_connections_opened_total") == 1)
        late.close()
        early.close()
        #expect(waitUntil { fixture.harness.closed(.clientClosed) == 2 })
        #expect(fixture.harness.metric("sluice_listener_connections_accepted_total") == 2)
        #expect(fixture.harness.metric("sluice_tcp_connections_opened_total") == 2)
    }

    @Test("…also where its backend ends, and then resets the way to it")
    func localReset() throws {
        let (harness, server, port) = (try EngineHarness(workers: 1), try PlainServer(), try freePort())
        var listener = tcpListener("db", port: port, route("r", to: "a"))
        listener.settings.proxyProtocol = ProxyProtocolReception()
        harness.apply([listener], [backend("a", ports: [server.port])])
        let client = try PlainClient(port: port)
        try client.send(try ProxyBytes.local())
        let peer = try server.accept()
        try client.send("PING\n")
        #expect(try peer.receiveLine() == "PING")
        try peer.halfClose()
        #expect(try client.waitForEnd() == .fin)
        peer.reset()
        #expect(waitUntil { harness.closed(.backendClosed) == 1 })
        #expect(waitUntil { harness.metric("sluice_listener_connections_accepted_total") == 1 })
        #expect(waitUntil { harness.metric("sluice_tcp_connections_opened_total") == 1 })
    }

    @Test("in front of TLS, LOCAL is counted from its first byte on")
    func localTLS() throws {
        let harness = try EngineHarness(workers: 1)
        let server = try PlainServer()
        let port = try freePort()
        var listener = tlsListener("t", port: port, routes: [("a.test", route("a", to: "a"))])
        listener.settings.proxyProtocol = ProxyProtocolReception()
        harness.apply([listener], [backend("a", ports: [server.port])])
        let header = try ProxyBytes.local()
        for _ in 0..<3 {
            let check = try PlainClient(port: port)
            try check.send(header)
            check.close()
        }
        #expect(waitUntil { harness.metric("sluice_proxy_protocol_headers_total", "local") == 3 })
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(harness.metric("sluice_listener_connections_accepted_total") == 0)
        #expect(harness.metric("sluice_listener_connections_rejected_total") == 0)
        let client = try PlainClient(port: port)
        try client.send(header + Array("no hello".utf8))
        #expect(try client.waitForEnd() == .reset)
        #expect(waitUntil { harness.rejected(.notTLS) == 1 })
        #expect(waitUntil { harness.metric("sluice_listener_connections_accepted_total") == 1 })
    }

    // MARK: Before TLS

    @Test(
        "a header and the hello in one segment: the hello is passed on whole", arguments: [ProxyHeader.Version.v1, .v2])
    func beforeHello(version: ProxyHeader.Version) throws {
        let harness = try EngineHarness(workers: 1)
        let server = try PlainServer()
        let port = try freePort()
        var listener = tlsListener("t", port: port, routes: [("a.test", route("a", to: "a"))])
        listener.settings.proxyProtocol = ProxyProtocolReception()
        harness.apply([listener], [backend("a", ports: [server.port])])
        let header = try ProxyBytes.header(version, from: ProxyBytes.source6)
        let hello = try clientHelloBytes(TLSClientOptions(serverName: "a.test"))
        for pieces in [[header + hello], [header, hello], (header + hello).map { [$0] }] {
            let client = try PlainClient(port: port)
            for piece in pieces { try client.send(piece) }
            let peer = try server.accept()
            #expect(try peer.receive(exactly: hello.count) == hello)
            let connection = harness.engine.connections().first { $0.peer == client.localAddress }
            #expect(connection?.client == SocketAddress(ProxyBytes.source6))
        }
        #expect(waitUntil { harness.metric("sluice_listener_connections_accepted_total") == 3 })
    }

    @Test("a header before a handshake with us; the log names client and peer")
    func beforeHandshake() throws {
        let harness = try EngineHarness(workers: 1)
        let echo = try EchoBackend("a")
        let ca = try TestPKI.makeCA()
        let port = try freePort()
        var listener = tlsListener(
            "t", port: port, mode: try terminate(try ca.issue(dnsNames: ["a.test"])),
            routes: [("a.test", route("a", to: "a"))])
        listener.settings.proxyProtocol = ProxyProtocolReception()
        harness.apply([listener], [backend("a", ports: [echo.port])])
        let plain = try PlainClient(port: port)
        try plain.send(try ProxyBytes.header(.v1, from: ProxyBytes.source4))
        let client = try TLSTestClient(over: plain, TLSClientOptions(serverName: "a.test", trust: ca.pem))
        #expect(try client.receiveLine() == "a")
        try client.exchange("hello")
        let other = try PlainClient(port: port)
        try other.send(try ProxyBytes.header(.v1, from: ProxyBytes.source4))
        #expect(throws: StreamError.alert(.unrecognizedName)) {
            try TLSTestClient(over: other, TLSClientOptions(serverName: "b.test"))
        }
        let entry = harness.log.waitForEntry { $0.message == "connection refused" }
        let text = entry.map { "\($0)" } ?? ""
        #expect(text.contains(ProxyBytes.source4) && text.contains("127.0.0.1:"), "\(text)")
    }
}
