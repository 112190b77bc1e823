import Certificates
import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("TLS", .timeLimit(.minutes(5)))
struct TLSRelayTests {
    private static func issue(_ ca: TestCA, _ names: String..., key: TestKey.KeyType = .ecdsaP256) throws
        -> TestCertificate
    {
        var request = TestCertificateRequest(commonName: names.first, dnsNames: names)
        request.keyType = key
        return try ca.issue(request)
    }

    // MARK: Passthrough

    @Test("passthrough chooses by SNI: exact, longest wildcard, fallback")
    func passthrough() throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        func server(_ name: String, _ dns: String...) throws -> EchoBackend {
            var request = TestCertificateRequest(commonName: name, dnsNames: dns)
            request.keyType = .ecdsaP256
            return try EchoBackend(name, tls: TLSServerOptions(try ca.issue(request)))
        }
        let (a, w, f) = (try server("a", "a.test"), try server("w", "*.test"), try server("f", "f.test"))
        let port = try freePort()
        harness.apply(
            [
                tlsListener(
                    "tls", port: port,
                    routes: [("a.test", route("a", to: "a")), ("*.test", route("w", to: "w"))],
                    fallback: route("f", to: "f"))
            ], [backend("a", ports: [a.port]), backend("w", ports: [w.port]), backend("f", ports: [f.port])])
        func greeting(_ name: String?) throws -> String {
            let client = try TLSTestClient(port: port, TLSClientOptions(serverName: name))
            return try client.receiveLine()
        }
        #expect(try greeting("a.test") == "a")
        #expect(try greeting("b.test") == "w")
        #expect(try greeting("x.y.test") == "w")
        #expect(try greeting("other.example") == "f")
        #expect(try greeting(nil) == "f")
        #expect(waitUntil { harness.metric("sluice_tls_handshakes_total", "passthrough", "result=\"ok\"") == 5 })
    }

    @Test("a name nobody serves gets unrecognized_name, and so does its absence")
    func noMatch() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply(
            [tlsListener("tls", port: port, routes: [("a.test", route("a", to: "a"))])],
            [backend("a", ports: [echo.port])])
        for name in ["b.test", nil] {
            #expect(throws: StreamError.alert(.unrecognizedName)) {
                try TLSTestClient(port: port, TLSClientOptions(serverName: name))
            }
        }
        #expect(waitUntil { harness.rejected(.tlsNoSNIMatch) == 2 })
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }

    @Test("a ClientHello byte by byte is routed like a whole one")
    func fragmented() throws {
        let harness = try EngineHarness()
        let server = try PlainServer()
        let port = try freePort()
        harness.apply(
            [tlsListener("tls", port: port, routes: [("a.test", route("a", to: "a"))])],
            [backend("a", ports: [server.port])])
        let hello = try clientHelloBytes(TLSClientOptions(serverName: "a.test"))
        let client = try PlainClient(port: port)
        for byte in hello { try client.send([byte]) }
        let peer = try server.accept()
        #expect(try peer.receive(exactly: hello.count) == hello)
    }

    @Test("what is not TLS is reset and counted")
    func notTLS() throws {
        let harness = try EngineHarness()
        let port = try freePort()
        harness.apply(
            [tlsListener("tls", port: port, routes: [("a.test", route("a", to: "a"))])], [backend("a", ports: [])])
        let client = try PlainClient(port: port)
        try client.send("GET / HTTP/1.1\r\n\r\n")
        #expect(try client.waitForEnd() == .reset)
        #expect(waitUntil { harness.rejected(.notTLS) == 1 })
    }

    @Test("a hello that does not come is given up in time")
    func inspectionTimeout() throws {
        let harness = try EngineHarness()
        let port = try freePort()
        var listener = tlsListener("tls", port: port, routes: [("a.test", route("a", to: "a"))])
        listener.settings.inspectionTimeout = .milliseconds(100)
        harness.apply([listener], [backend("a", ports: [])])
        let client = try PlainClient(port: port)
        try client.send([22, 3, 1])
        #expect(try client.waitForEnd() == .reset)
        #expect(waitUntil { harness.rejected(.inspectionTimeout) == 1 })
        #expect(harness.metric("sluice_listener_handshaking_connections") == 0)
    }

    // MARK: Termination

    @Test("terminates TLS 1.2 and 1.3 towards a plain backend", arguments: [TestSupport.TLSVersion.tls12, .tls13])
    func terminates(version: TestSupport.TLSVersion) throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply(
            [
                tlsListener(
                    "tls", port: port, mode: try terminate(Self.issue(ca, "a.test")),
                    routes: [("a.test", route("a", to: "a"))])
            ], [backend("a", ports: [echo.port])])
        var options = TLSClientOptions(serverName: "a.test", trust: ca.pem)
        options.verifyName = "a.test"
        options.minVersion = version
        options.maxVersion = version
        let client = try TLSTestClient(port: port, options)
        #expect(try client.receiveLine() == "a")
        try client.exchange(testBytes(300_000))
        try client.halfClose()
        #expect(try client.waitForEnd() == .closeNotify)
        #expect(waitUntil { harness.closed(.clientClosed) == 1 })
        #expect(waitUntil { harness.metric("sluice_tls_handshakes_total", "terminate", "result=\"ok\"") == 1 })
    }

    @Test("the certificate follows the SNI: exact, wildcard, else the first; RSA and ECDSA side by side")
    func certificates() throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let first = try Self.issue(ca, "first.test")
        let exact = try Self.issue(ca, "a.wild.test")
        let wild = try Self.issue(ca, "*.wild.test")
        let rsa = try Self.issue(ca, "a.wild.test", key: .rsa2048)
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply(
            [
                tlsListener(
                    "tls", port: port, mode: try terminate(first, exact, wild, rsa), routes: [],
                    fallback: route("a", to: "a"))
            ], [backend("a", ports: [echo.port])])
        func fingerprint(_ name: String?, _ signatures: String? = nil) throws -> String? {
            var options = TLSClientOptions(serverName: name)
            options.signatureAlgorithms = signatures
            return try TLSTestClient(port: port, options).peerFingerprint
        }
        #expect(try fingerprint("first.test") == first.fingerprint)
        #expect(try fingerprint("a.wild.test", "ECDSA+SHA256") == exact.fingerprint)
        #expect(try fingerprint("a.wild.test", "RSA-PSS+SHA256") == rsa.fingerprint)
        #expect(try fingerprint("b.wild.test") == wild.fingerprint)
        #expect(try fingerprint("x.b.wild.test") == first.fingerprint)
        #expect(try fingerprint(nil) == first.fingerprint)
    }

    @Test("without SNI the first certificate is shown, not one of another name and key type")
    func defaultCertificate() throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let first = try Self.issue(ca, "first.test", key: .rsa2048)
        let other = try Self.issue(ca, "other.test")
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply(
            [
                tlsListener(
                    "t", port: port, mode: try terminate(first, other), routes: [], fallback: route("a", to: "a"))
            ],
            [backend("a", ports: [echo.port])])
        #expect(try TLSTestClient(port: port, TLSClientOptions(serverName: nil)).peerFingerprint == first.fingerprint)
        #expect(try TLSTestClient(port: port, TLSClientOptions(serverName: "x")).peerFingerprint == first.fingerprint)
    }

    @Test("a refusal after the handshake is no orderly end")
    func refusedAfterHandshake() throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let port = try freePort()
        harness.apply(
            [
                tlsListener(
                    "t", port: port, mode: try terminate(Self.issue(ca, "a.test")), routes: [],
                    fallback: route("a", to: "a"))
            ], [backend("a", ports: [])])
        let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
        #expect(try client.waitForEnd() == .truncated)
        #expect(waitUntil { harness.closed(.noEndpoints) == 1 })
    }

    @Test("a refused client that resets instead of taking its alert is counted once")
    func resetWhileLingering() throws {
        let harness = try EngineHarness()
        let port = try freePort()
        harness.apply(
            [tlsListener("t", port: port, routes: [("a.test", route("a", to: "a"))])], [backend("a", ports: [])])
        let hello = try clientHelloBytes(TLSClientOptions(serverName: "b.test"))
        for round in 1...50 {
            let client = try PlainClient(port: port)
            try client.send(hello)
            #expect(waitUntil { harness.rejected(.tlsNoSNIMatch) == Double(round) })
            client.reset()
        }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(waitUntil { harness.metric("sluice_listener_connections_rejected_total") == 50 })
        #expect(harness.metric("sluice_listener_connections_active") == 0)
        #expect(throws: StreamError.alert(.unrecognizedName)) {
            try TLSTestClient(port: port, TLSClientOptions(serverName: "b.test"))
        }
    }

    @Test("ALPN comes from the listener, else from the route; without overlap the handshake goes on")
    func alpn() throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let certificate = try Self.issue(ca, "a.test")
        let echo = try EchoBackend("a")
        let ports = (try freePort(), try freePort())
        harness.apply(
            [
                tlsListener(
                    "own", port: ports.0, mode: try terminate(certificate, alpn: ["postgresql"]), routes: [],
                    fallback: route("a", to: "a", alpn: ["h2"])),
                tlsListener(
                    "route", port: ports.1, mode: try terminate(certificate), routes: [],
                    fallback: route("b", to: "a", alpn: ["h2"])),
            ], [backend("a", ports: [echo.port])])
        func negotiated(_ port: UInt16, _ offered: [String]) throws -> String? {
            try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test", alpn: offered)).alpn
        }
        #expect(try negotiated(ports.0, ["h2", "postgresql"]) == "postgresql")
        #expect(try negotiated(ports.1, ["http/1.1", "h2"]) == "h2")
        #expect(try negotiated(ports.1, ["http/1.1"]) == nil)
    }

    @Test("a session resumes where it was made and nowhere else")
    func resumption() throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let certificate = try Self.issue(ca, "a.test")
        let echo = try EchoBackend("a")
        let ports = (try freePort(), try freePort())
        harness.apply(
            [
                tlsListener(
                    "x", port: ports.0, mode: try terminate(certificate), routes: [], fallback: route("a", to: "a")),
                tlsListener(
                    "y", port: ports.1, mode: try terminate(certificate), routes: [], fallback: route("b", to: "a")),
            ], [backend("a", ports: [echo.port])])
        let first = try TLSTestClient(port: ports.0, TLSClientOptions(serverName: "a.test"))
        #expect(try first.receiveLine() == "a")
        var options = TLSClientOptions(serverName: "a.test")
        options.session = first.session
        #expect(options.session != nil)
        #expect(try TLSTestClient(port: ports.0, options).isResumed)
        #expect(try !TLSTestClient(port: ports.1, options).isResumed)
        #expect(waitUntil { harness.metric("sluice_tls_session_resumptions_total") == 1 })
    }

    @Test("a FIN without close_notify is counted as a truncation")
    func truncation() throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let server = try PlainServer()
        let port = try freePort()
        harness.apply(
            [
                tlsListener(
                    "t", port: port, mode: try terminate(Self.issue(ca, "a.test")), routes: [],
                    fallback: route("a", to: "a"))
            ],
            [backend("a", ports: [server.port])])
        let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
        try client.send("half a message")
        try client.finWithoutCloseNotify()
        let peer = try server.accept()
        #expect(try peer.receiveAll() == Array("half a message".utf8))
        peer.close()
        #expect(waitUntil { harness.closed(.tlsTruncated) == 1 })
    }

    @Test("64 MiB both ways through termination and through re-encryption", arguments: [false, true])
    func bulk(reencrypted: Bool) throws {
        let harness = try EngineHarness()
        let ca = try TestPKI.makeCA()
        let certificate = try Self.issue(ca, "a.test")
        let plain = try PlainServer()
        let secure = try TLSTestServer(TLSServerOptions(certificate))
        let tls =
            try reencrypted
            ? BackendTLS(trust: .bundles([trustFacts(pem: Array(ca.pem.utf8)).get()]), hostname: "a.test") : nil
        let port = try freePort()
        harness.apply(
            [tlsListener("t", port: port, mode: try terminate(certificate), routes: [], fallback: route("a", to: "a"))],
            [backend("a", ports: [reencrypted ? secure.port : plain.port], tls: tls)])
        let accepting = try BackgroundWork { () throws -> any TestStream in
            if reencrypted { return try secure.accept() }
            return try plain.accept()
        }
        let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
        let peer = try accepting.value()
        let size = 64 << 20
        let up = try BackgroundWork {
            let sum = try client.sendStream(size, seed: 3)
            try client.halfClose()
            return sum
        }
        let down = try BackgroundWork { try peer.sendStream(size, seed: 4) }
        let atPeer = try BackgroundWork {
            let sum = try peer.receiveStream(size)
            return try peer.waitForEnd() == peer.ordinaryEnd ? sum : "no clean end"
        }
        #expect(try client.receiveStream(size) == down.value())
        #expect(try atPeer.value() == up.value())
        try peer.halfClose()
        #expect(try client.waitForEnd() == .closeNotify)
    }

    // MARK: Re-encryption

    @Test("a backend whose certificate is not the policy's is refused before a byte reaches it")
    func verification() throws {
        let harness = try EngineHarness()
        let (ca, other) = (try TestPKI.makeCA("right"), try TestPKI.makeCA("wrong"))
        let certificate = try Self.issue(ca, "db.test")
        let server = try EchoBackend("a", tls: TLSServerOptions(certificate))
        let right = try trustFacts(pem: Array(ca.pem.utf8)).get()
        let wrong = try trustFacts(pem: Array(other.pem.utf8)).get()
        let cases: [(BackendTLS, Bool)] = [
            (BackendTLS(trust: .bundles([right]), hostname: "db.test"), true),
            (BackendTLS(trust: .bundles([wrong]), hostname: "db.test"), false),
            (BackendTLS(trust: .bundles([right]), hostname: "other.test"), false),
            (BackendTLS(trust: .bundles([right]), hostname: "sni", subjectAltNames: [.hostname("db.test")]), true),
            (BackendTLS(trust: .bundles([right]), hostname: "db.test", subjectAltNames: [.uri("spiffe://x")]), false),
            (BackendTLS(trust: .system, hostname: "db.test"), false),
            (BackendTLS(trust: .unusable, hostname: "db.test"), false),
        ]
        var failures = 0.0
        for (tls, isAccepted) in cases {
            let port = try freePort()
            harness.apply(
                [tcpListener("t", port: port, route("a", to: "a"))], [backend("a", ports: [server.port], tls: tls)])
            if isAccepted {
                let client = try PlainClient(port: port)
                #expect(try client.receiveLine() == "a")
                try client.exchange("in the clear on this side only")
            } else {
                #expect(try ending(of: port) == .reset)
                failures += 1
                #expect(waitUntil { harness.metric("sluice_backend_connects_total", "tls_error") == failures })
            }
        }
    }
}
