import Engine
import EngineCore
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// What PostgreSQL clients say, as bytes.
enum PostgresBytes {
    static let sslRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]
    static let gssRequest: [UInt8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30]
    static let cancelRequest: [UInt8] = [0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 1, 0, 0, 0, 2]
    static let startup: [UInt8] = [0, 0, 0, 23, 0, 3, 0, 0] + Array("user\0alice\0\0".utf8) + [0, 0, 0]
    /// Severity, its untranslated form, code and message, each with its type.
    static let tlsRequired: [UInt8] =
        [UInt8(ascii: "E"), 0, 0, 0, 40] + Array("SFATAL\0VFATAL\0C08P01\0MTLS required\0\0".utf8)
}

/// A TLS listener of one port that PostgreSQL clients may ask in their own protocol.
struct StartFixture {
    let harness: EngineHarness
    let port: UInt16
    let authority: TestCA

    init(
        terminates: Bool, plaintextAllowed: Bool = false, backends: [(String, [UInt16])], fallback: String? = nil,
        timeout: Duration = .seconds(30), configure: (inout ListenerSettings) -> Void = { _ in }
    ) throws {
        harness = try EngineHarness(workers: 1)
        authority = try TestPKI.makeCA()
        port = try freePort()
        let names = backends.map { $0.0 + ".test" }
        var listener = tlsListener(
            "db", port: port,
            mode: terminates ? try terminate(try authority.issue(dnsNames: names)) : .passthrough,
            routes: backends.map { ($0.0 + ".test", route($0.0, to: $0.0)) },
            fallback: fallback.map { route($0, to: $0) })
        listener.settings.startTLS = .postgres(plaintextAllowed: plaintextAllowed)
        listener.settings.inspectionTimeout = timeout
        configure(&listener.settings)
        harness.apply([listener], backends.map { backend($0.0, ports: $0.1) })
    }

    func options(_ name: String) -> TLSClientOptions {
        var options = TLSClientOptions(serverName: name, trust: authority.pem)
        options.alpn = ["postgresql"]
        return options
    }

    /// Asks for TLS and is told to go on.
    func asking(_ pieces: [[UInt8]] = [PostgresBytes.sslRequest]) throws -> PlainClient {
        let client = try PlainClient(port: port)
        for piece in pieces { try client.send(piece) }
        #expect(try client.receive(exactly: 1) == Array("S".utf8))
        return client
    }

    /// How a client that sends `bytes` is refused.
    func expectRefusal(_ bytes: [UInt8], _ reason: CloseReason, _ comment: Comment, end: StreamEnd = .reset) throws {
        let before = harness.rejected(reason)
        let client = try PlainClient(port: port)
        try client.send(bytes)
        #expect(try client.waitForEnd() == end, comment)
        #expect(waitUntil { harness.rejected(reason) == before + 1 }, comment)
    }
}

@Suite("TLS asked for by PostgreSQL clients", .timeLimit(.minutes(5)))
struct StartTLSTests {
    @Test("after S, and for a hello at once, the name chooses among databases of one port")
    func terminates() throws {
        let (a, b) = (try EchoBackend("a"), try EchoBackend("b"))
        let fixture = try StartFixture(terminates: true, backends: [("a", [a.port]), ("b", [b.port])])
        let request = PostgresBytes.sslRequest
        for name in ["a", "b"] {
            for pieces in [[request], request.map { [$0] }, [PostgresBytes.gssRequest]] {
                let plain: PlainClient
                if pieces == [PostgresBytes.gssRequest] {
                    plain = try PlainClient(port: fixture.port)
                    try plain.send(PostgresBytes.gssRequest)
                    #expect(try plain.receive(exactly: 1) == Array("N".utf8))
                    try plain.send(request)
                    #expect(try plain.receive(exactly: 1) == Array("S".utf8))
                } else {
                    plain = try fixture.asking(pieces)
                }
                let client = try TLSTestClient(over: plain, fixture.options(name + ".test"))
                #expect(try client.receiveLine() == name)
                try client.exchange("select")
            }
            let direct = try TLSTestClient(port: fixture.port, fixture.options(name + ".test"))
            #expect(direct.alpn == "postgresql")
            #expect(try direct.receiveLine() == name)
        }
        #expect(fixture.harness.metric("sluice_listener_connections_accepted_total") == 8)
        #expect(fixture.harness.metric("sluice_listener_handshaking_connections") == 0)
    }

    @Test("a hello that no route names is answered by its alert, after S too")
    func unknownName() throws {
        let echo = try EchoBackend("a")
        let fixture = try StartFixture(terminates: true, backends: [("a", [echo.port])])
        let plain = try fixture.asking()
        #expect(throws: StreamError.alert(.unrecognizedName)) {
            try TLSTestClient(over: plain, fixture.options("other.test"))
        }
        #expect(waitUntil { fixture.harness.rejected(.tlsNoSNIMatch) == 1 })
        #expect(echo.accepted.withLock { $0 } == 0)
    }

    // MARK: In the clear

    @Test("a start in the clear gets an ErrorResponse and FIN, and reaches no backend")
    func required() throws {
        let echo = try EchoBackend("a")
        let fixture = try StartFixture(terminates: true, backends: [("a", [echo.port])], fallback: "a")
        for bytes in [PostgresBytes.startup, PostgresBytes.cancelRequest, PostgresBytes.startup + testBytes(100_000)] {
            let client = try PlainClient(port: fixture.port)
            try client.send(bytes)
            #expect(try client.receiveAll() == PostgresBytes.tlsRequired)
        }
        let refused = try PlainClient(port: fixture.port)
        try refused.send(PostgresBytes.gssRequest)
        #expect(try refused.receive(exactly: 1) == Array("N".utf8))
        try refused.send(PostgresBytes.startup)
        #expect(try refused.receiveAll() == PostgresBytes.tlsRequired)
        #expect(waitUntil { fixture.harness.rejected(.startTLSError) == 4 })
        #expect(fixture.harness.metric("sluice_listener_connections_accepted_total") == 4)
        #expect(echo.accepted.withLock { $0 } == 0)
    }

    @Test("where it is allowed, a start in the clear goes to the catch-all route untouched", arguments: [true, false])
    func optional(terminates: Bool) throws {
        let (a, server) = (try EchoBackend("a"), try PlainServer())
        let fixture = try StartFixture(
            terminates: terminates, plaintextAllowed: true, backends: [("a", [a.port]), ("plain", [server.port])],
            fallback: "plain")
        for bytes in [PostgresBytes.startup, PostgresBytes.cancelRequest] {
            for pieces in [[bytes], bytes.map { [$0] }] {
                let client = try PlainClient(port: fixture.port)
                for piece in pieces { try client.send(piece) }
                let peer = try server.accept()
                #expect(try peer.receive(exactly: bytes.count) == bytes)
                try peer.send("answer")
                #expect(try client.receive(exactly: 6) == Array("answer".utf8))
            }
        }
        #expect(fixture.harness.metric("sluice_tcp_connections_opened_total", "route=\"plain\"") == 4)
    }

    @Test("where certificates are demanded nobody starts in the clear; where they are only asked for, one may")
    func plaintextBesideCertificates() throws {
        let (authority, clients) = (try TestPKI.makeCA(), try TestPKI.makeCA("Clients"))
        let (server, harness, port) = (try PlainServer(), try EngineHarness(workers: 1), try freePort())
        let certificate = try authority.issue(dnsNames: ["a.test"])
        for mode in [ClientValidation.Mode.validOnly, .insecureFallback] {
            let validation = ClientValidation(trust: try trust(clients), mode: mode)
            var listener = tlsListener(
                "db", port: port, mode: try terminate(certificate, clients: validation), routes: [],
                fallback: route("plain", to: "plain"))
            listener.settings.startTLS = .postgres(plaintextAllowed: true)
            harness.apply([listener], [backend("plain", ports: [server.port])])
            let client = try PlainClient(port: port)
            try client.send(PostgresBytes.startup)
            if mode == .validOnly {
                #expect(try client.receiveAll() == PostgresBytes.tlsRequired)
                #expect(waitUntil { harness.rejected(.startTLSError) == 1 })
                #expect(harness.metric("sluice_backend_connects_total") == 0)
            } else {
                #expect(try server.accept().receive(exactly: PostgresBytes.startup.count) == PostgresBytes.startup)
            }
        }
    }

    @Test("allowed, but without a catch-all route, it is refused in the same words")
    func optionalWithoutRoute() throws {
        let echo = try EchoBackend("a")
        let fixture = try StartFixture(terminates: true, plaintextAllowed: true, backends: [("a", [echo.port])])
        let client = try PlainClient(port: fixture.port)
        try client.send(PostgresBytes.startup)
        #expect(try client.receiveAll() == PostgresBytes.tlsRequired)
        #expect(waitUntil { fixture.harness.rejected(.noRoute) == 1 })
        #expect(echo.accepted.withLock { $0 } == 0)
    }

    // MARK: Refused

    @Test("bytes in the clear behind a request, the same request again and other protocols are reset")
    func refusals() throws {
        let echo = try EchoBackend("a")
        let fixture = try StartFixture(terminates: true, backends: [("a", [echo.port])])
        let hello = try clientHelloBytes(fixture.options("a.test"))
        let (ssl, gss) = (PostgresBytes.sslRequest, PostgresBytes.gssRequest)
        for (bytes, comment) in [
            (ssl + hello, "a hello behind the request"), (ssl + [0], "a byte behind the request"),
            (ssl + ssl, "two requests"),
            (gss + ssl, "two requests"), (gss + [0], "a byte behind the request"),
            (Array("GET / HTTP/1.1\r\n".utf8), "HTTP"),
            ([0, 0, 0, 8, 0, 2, 0, 0], "protocol 2"), ([0, 0, 0, 7], "too short"),
        ] {
            try fixture.expectRefusal(bytes, .startTLSError, "\(comment)")
        }
        let twice = try PlainClient(port: fixture.port)
        try twice.send(gss)
        #expect(try twice.receive(exactly: 1) == Array("N".utf8))
        try twice.send(gss)
        #expect(try twice.waitForEnd() == .reset)
        let again = try fixture.asking()
        try again.send(ssl)
        #expect(try again.waitForEnd() == .reset)
        #expect(waitUntil { fixture.harness.rejected(.startTLSError) == 9 && fixture.harness.rejected(.notTLS) == 1 })
        #expect(echo.accepted.withLock { $0 } == 0)
        #expect(fixture.harness.metric("sluice_listener_handshaking_connections") == 0)
    }

    @Test("a request, and the hello after it, have the inspection's time")
    func timeout() throws {
        let echo = try EchoBackend("a")
        let fixture = try StartFixture(terminates: true, backends: [("a", [echo.port])], timeout: .milliseconds(200))
        for bytes in [
            [], Array(PostgresBytes.sslRequest.dropLast()), PostgresBytes.sslRequest, PostgresBytes.gssRequest,
        ] {
            try fixture.expectRefusal(bytes, .inspectionTimeout, "\(bytes)")
        }
        #expect(echo.accepted.withLock { $0 } == 0)
    }

    @Test("a request that is seen too late, with many others, does not free its client from the inspection's time")
    func lateRequests() throws {
        let fixture = try StartFixture(terminates: true, backends: [("a", [])], timeout: .seconds(2))
        let engine = fixture.harness.engine
        let clients = try (0..<300).map { _ in try PlainClient(port: fixture.port) }
        #expect(waitUntil { fixture.harness.metric("sluice_listener_handshaking_connections") == 300 })
        // The worker is kept until all requests wait, and their time is over.
        let (isKept, end) = (Locked(false), Locked(MonotonicTime.now() + .seconds(60)))
        let keeper = try BackgroundWork {
            engine.closeConnections { _ in
                isKept.withLock { $0 = true }
                return !waitUntil(deadline: .seconds(60)) { MonotonicTime.now() > end.withLock { $0 } }
            }
        }
        #expect(waitUntil { isKept.withLock { $0 } })
        for client in clients { try client.send(PostgresBytes.sslRequest) }
        end.withLock { $0 = .now() + .seconds(2) }
        #expect(try keeper.value().isEmpty)
        #expect(waitUntil { fixture.harness.rejected(.inspectionTimeout) == 300 })
        #expect(waitUntil { engine.activeConnections == 0 })
    }

    @Test("a client that goes before it has said what it wants is counted as such", arguments: [false, true])
    func abandoned(byReset: Bool) throws {
        let fixture = try StartFixture(terminates: true, backends: [("a", [])])
        for bytes in [[], Array(PostgresBytes.sslRequest.dropLast()), PostgresBytes.sslRequest] {
            let client = try PlainClient(port: fixture.port)
            try client.send(bytes)
            if bytes.count == 8 { _ = try client.receive(exactly: 1) }
            #expect(waitUntil { fixture.harness.metric("sluice_listener_handshaking_connections") == 1 })
            if byReset { client.reset() } else { client.close() }
            #expect(waitUntil { fixture.harness.engine.activeConnections == 0 })
        }
        #expect(fixture.harness.rejected(byReset ? .clientReset : .clientClosed) == 3)
        #expect(fixture.harness.metric("sluice_listener_handshaking_connections") == 0)
    }

    @Test("a PROXY header, then the request, in one segment")
    func behindProxy() throws {
        let echo = try EchoBackend("a")
        let fixture = try StartFixture(terminates: true, backends: [("a", [echo.port])]) {
            $0.proxyProtocol = ProxyProtocolReception()
        }
        let header = try ProxyBytes.header(.v2, from: ProxyBytes.source4)
        let plain = try fixture.asking([header + PostgresBytes.sslRequest])
        let client = try TLSTestClient(over: plain, fixture.options("a.test"))
        #expect(try client.receiveLine() == "a")
        #expect(fixture.harness.engine.connections().first?.client == SocketAddress(ProxyBytes.source4))
    }
}
