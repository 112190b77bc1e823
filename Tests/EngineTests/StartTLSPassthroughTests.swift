import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// A server that is asked for TLS in PostgreSQL's protocol: it answers as it is told, then shakes hands and greets.
private final class AskedServer: Sendable {
    let port: UInt16
    let accepted = Locked(0)
    /// What clients sent before the handshake, oldest first.
    let requests = Locked<[[UInt8]]>([])
    private let stopped = Locked(false)

    /// `answer` nil: TLS at once. Empty: the connection is ended in place of an answer.
    init(_ name: String, _ options: TLSServerOptions, answer: String? = "S") throws {
        let server = try TLSTestServer(options)
        port = server.port
        let thread = try Thread(named: "asked") { [weak self] in
            while true {
                guard let self, !self.stopped.withLock({ $0 }) else { return }
                guard let plain = try? server.acceptPlain(timeout: .milliseconds(200)) else { continue }
                accepted.withLock { $0 += 1 }
                try? serve(plain, server, name, answer)
            }
        }
        thread.detach()
    }

    deinit { stopped.withLock { $0 = true } }

    private func serve(_ plain: PlainClient, _ server: TLSTestServer, _ name: String, _ answer: String?) throws {
        if let answer {
            let request = try plain.receive(exactly: 8)
            requests.withLock { $0.append(request) }
            guard !answer.isEmpty else { return plain.close() }
            try plain.send(answer)
            if answer != "S" {
                _ = try? plain.waitForEnd()
                return plain.close()
            }
        }
        let client = try server.shakeHands(over: plain)
        try client.send(name + "\n")
        try client.send(try client.receive())
        client.close()
    }
}

@Suite("TLS asked for by PostgreSQL clients and passed through", .timeLimit(.minutes(5)))
struct StartTLSPassthroughTests {
    private let authority: TestCA
    private let certificate: TLSServerOptions

    init() throws {
        authority = try TestPKI.makeCA()
        certificate = TLSServerOptions(try authority.issue(dnsNames: ["a.test", "b.test"]))
    }

    private func options(_ name: String) -> TLSClientOptions {
        TLSClientOptions(serverName: name, trust: authority.pem, alpn: ["postgresql"])
    }

    @Test("the request is repeated to the backend of the name, whose S is swallowed")
    func repeats() throws {
        let (a, b) = (try AskedServer("a", certificate), try AskedServer("b", certificate))
        let fixture = try StartFixture(terminates: false, backends: [("a", [a.port]), ("b", [b.port])])
        let request = PostgresBytes.sslRequest
        for (name, server) in [("a", a), ("b", b)] {
            for pieces in [[request], request.map { [$0] }] {
                let client = try TLSTestClient(over: try fixture.asking(pieces), options(name + ".test"))
                #expect(try client.receiveLine() == name)
                try client.exchange("select")
            }
            #expect(server.requests.withLock { $0 } == [request, request])
        }
        #expect(waitUntil { fixture.harness.metric("sluice_backend_connects_total", "result=\"ok\"") == 4 })
        #expect(fixture.harness.metric("sluice_tls_handshakes_total", "passthrough", "result=\"ok\"") == 4)
    }

    @Test("of a hello at once nothing is said to the backend before it")
    func direct() throws {
        let server = try AskedServer("a", certificate, answer: nil)
        let fixture = try StartFixture(terminates: false, backends: [("a", [server.port])])
        let client = try TLSTestClient(port: fixture.port, options("a.test"))
        #expect(try client.receiveLine() == "a")
        try client.exchange("select")
    }

    @Test("a backend without TLS, or that says something else, is a backend_tls_error", arguments: ["N", "x", "SS"])
    func refused(answer: String) throws {
        let server = try AskedServer("a", certificate, answer: answer)
        let fixture = try StartFixture(terminates: false, backends: [("a", [server.port, server.port])])
        let plain = try fixture.asking()
        #expect(throws: StreamError.alert(.internalError)) { try TLSTestClient(over: plain, options("a.test")) }
        #expect(waitUntil { fixture.harness.closed(.backendTLSError) == 1 })
        #expect(server.accepted.withLock { $0 } == 1)
        #expect(fixture.harness.metric("sluice_backend_connects_total", "result=\"tls_error\"") == 1)
    }

    @Test(
        "an error or an end in place of the answer is that endpoint's alone: another one is tried",
        arguments: ["E", ""])
    func otherEndpoint(answer: String) throws {
        let (bad, good) = (try AskedServer("bad", certificate, answer: answer), try AskedServer("good", certificate))
        let fixture = try StartFixture(terminates: false, backends: [("a", [bad.port, good.port])])
        for _ in 0..<6 {
            let client = try TLSTestClient(over: try fixture.asking(), options("a.test"))
            #expect(try client.receiveLine() == "good")
        }
        let failures = fixture.harness.metric("sluice_backend_connects_total", "result=\"tls_error\"")
        #expect(failures == Double(bad.accepted.withLock { $0 }))
    }

    @Test("a backend that never answers is given the connect's time")
    func silent() throws {
        let silent = try PlainServer()
        let fixture = try StartFixture(terminates: false, backends: [])
        var slow = backend("a", ports: [silent.port])
        slow.settings.connectTimeout = .milliseconds(200)
        slow.settings.retries = 0
        var listener = tlsListener("db", port: fixture.port, routes: [("a.test", route("a", to: "a"))])
        listener.settings.startTLS = .postgres(plaintextAllowed: false)
        fixture.harness.apply([listener], [slow])
        let plain = try fixture.asking()
        #expect(throws: StreamError.alert(.internalError)) { try TLSTestClient(over: plain, options("a.test")) }
        #expect(waitUntil { fixture.harness.closed(.connectTimeout) == 1 })
        #expect(fixture.harness.metric("sluice_backend_connections_active") == 0)
    }
}
