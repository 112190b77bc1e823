import EngineCore
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// A terminating listener for `a.test` before an endpoint that is told of the client's TLS.
private struct SecureFixture {
    let tls: TLSHarness
    let backend: ToldBackend

    init(serverKey: TestKey.KeyType = .ecdsaP256) throws {
        tls = try TLSHarness(serverKey: serverKey)
        backend = try ToldBackend()
    }

    func apply(
        _ fields: ProxyProtocolSending.Field..., mode: ClientValidation.Mode? = nil, alpn: [String] = [],
        alsoShown: [TestCertificate] = []
    ) throws {
        var termination = TLSTermination(certificates: try ([tls.server] + alsoShown).map(facts), alpnProtocols: alpn)
        if let mode { termination.clientValidation = ClientValidation(trust: try trust(tls.clients), mode: mode) }
        var target = EngineTests.backend("a", ports: [backend.port])
        target.settings.proxyProtocol = ProxyProtocolSending(version: .v2, fields: fields)
        tls.harness.apply(
            [
                tlsListener(
                    "t", port: tls.port, mode: .terminate(termination), routes: [],
                    fallback: route("a", to: "a", alpn: alpn))
            ], [target])
    }

    func told(_ options: TLSClientOptions) throws -> (client: TLSTestClient, told: Told, facts: ProxyTLSFacts) {
        let client = try TLSTestClient(port: tls.port, options)
        let told = try backend.accept()
        // With TLS 1.3 the ticket comes with the first bytes.
        try told.stream.send("hello\n")
        #expect(try client.receiveLine() == "hello")
        try client.send("x")
        #expect(try told.stream.receive(exactly: 1) == [0x78])
        return (client, told, try #require(told.header.tlvs.tls))
    }
}

@Suite("PROXY protocol towards backends, of clients with TLS", .timeLimit(.minutes(5)))
struct ProxySendingTLSTests {
    typealias Version = TestSupport.TLSVersion

    // MARK: SSL

    @Test(
        "version, cipher and our certificate", arguments: [Version.tls12, .tls13],
        [(TestKey.KeyType.ecdsaP256, "EC256"), (.rsa2048, "RSA2048")])
    func facts(version: Version, key: (TestKey.KeyType, String)) throws {
        let fixture = try SecureFixture(serverKey: key.0)
        try fixture.apply(.ssl)
        let (client, told, facts) = try fixture.told(fixture.tls.options(version))
        #expect(told.types == [ProxyTLVType.tls])
        #expect(facts.client == .tls && facts.verify != 0 && !facts.isCertificateVerified)
        #expect(facts.version == client.version && facts.cipher == client.cipher)
        #expect(facts.commonName == nil)
        #expect(facts.keyAlgorithm == key.1)
        // A CA with an ECDSA key signed both.
        #expect(facts.signatureAlgorithm == "ecdsa-with-SHA256")
    }

    @Test(
        "a client's certificate: on the connection, then only in the session that resumes",
        arguments: [Version.tls12, .tls13])
    func certificate(version: Version) throws {
        let fixture = try SecureFixture()
        try fixture.apply(.ssl, mode: .validOnly)
        let certificate = try fixture.tls.clients.issue(dnsNames: ["client"])
        let (client, _, first) = try fixture.told(fixture.tls.options(version, certificate))
        #expect(first.client == [.tls, .certificateOnConnection, .certificateInSession])
        #expect(first.verify == 0 && first.commonName == "client")
        let session = try #require(client.session)
        let (again, _, second) = try fixture.told(fixture.tls.options(version, certificate, session))
        #expect(again.isResumed)
        #expect(second.client == [.tls, .certificateInSession])
        #expect(second.verify == 0 && second.commonName == "client" && second.keyAlgorithm == "EC256")
    }

    @Test("a certificate that does not verify is told as such and gives no name", arguments: [Version.tls12, .tls13])
    func unverified(version: Version) throws {
        let fixture = try SecureFixture()
        try fixture.apply(.ssl, mode: .insecureFallback)
        let stranger = try TestPKI.makeCA("Strangers").issue(dnsNames: ["admin"])
        let (_, _, facts) = try fixture.told(fixture.tls.options(version, stranger))
        #expect(facts.client == [.tls, .certificateOnConnection, .certificateInSession])
        #expect(facts.verify != 0 && !facts.isCertificateVerified && facts.commonName == nil)
        let (_, _, none) = try fixture.told(fixture.tls.options(version))
        #expect(none.client == .tls && none.verify != 0)
    }

    @Test("of two certificates of ours the one that was shown; of a session that resumes none is said")
    func severalOwn() throws {
        let fixture = try SecureFixture()
        let other = try TestPKI.makeCA("Servers").issue(dnsNames: ["a.test"], keyType: .rsa2048)
        try fixture.apply(.ssl, alsoShown: [other])
        for (algorithms, expected) in [("RSA-PSS+SHA256", "RSA2048"), ("ECDSA+SHA256", "EC256")] {
            var options = fixture.tls.options(.tls13)
            options.signatureAlgorithms = algorithms
            let (client, _, facts) = try fixture.told(options)
            #expect(facts.keyAlgorithm == expected)
            options.session = client.session
            let (again, _, resumed) = try fixture.told(options)
            #expect(again.isResumed && resumed.keyAlgorithm == nil && resumed.signatureAlgorithm == nil)
        }
    }

    // MARK: Authority and ALPN

    @Test("the client's name and the protocol negotiated with it")
    func negotiated() throws {
        let fixture = try SecureFixture()
        try fixture.apply(.alpn, .authority, .ssl, .crc32c, alpn: ["postgresql", "h2"])
        var options = fixture.tls.options(.tls13)
        options.alpn = ["h2", "postgresql"]
        let (client, told, _) = try fixture.told(options)
        #expect(client.alpn == "postgresql")
        #expect(told.types == [ProxyTLVType.alpn, ProxyTLVType.authority, ProxyTLVType.tls, ProxyTLVType.checksum])
        #expect(told.text(ProxyTLVType.alpn) == "postgresql" && told.text(ProxyTLVType.authority) == "a.test")
        options.alpn = []
        options.serverName = nil
        #expect(try fixture.told(options).told.types == [ProxyTLVType.tls, ProxyTLVType.checksum])
    }

    @Test("where TLS passes through: the name, the first protocol that is offered, and nothing of TLS itself")
    func passedThrough() throws {
        let harness = try EngineHarness(workers: 1)
        let certificate = try TestPKI.makeCA().issue(dnsNames: ["a.test"])
        var offered = TLSServerOptions(certificate)
        offered.alpn = ["h2", "x"]
        let server = try TLSTestServer(offered)
        let port = try freePort()
        harness.apply(
            [tlsListener("t", port: port, routes: [("a.test", route("a", to: "a"))])],
            [backend("a", ports: [server.port]).sending(.v2, .authority, .alpn, .ssl)])
        for protocols in [["x", "h2"], []] {
            var options = TLSClientOptions(serverName: "a.test", trust: certificate.rootPEM)
            options.alpn = protocols
            let connecting = try BackgroundWork { [options] in try TLSTestClient(port: port, options) }
            let told = try Told(try server.acceptPlain())
            #expect(told.text(ProxyTLVType.authority) == "a.test")
            #expect(told.values(ProxyTLVType.alpn) == protocols.prefix(1).map { Array($0.utf8) })
            #expect(told.header.tlvs.tls == nil)
            let behind = try server.shakeHands(over: told.stream)
            let client = try connecting.value()
            #expect(behind.alpn == (protocols.isEmpty ? nil : "h2"))
            try client.send("hello")
            #expect(try behind.receive(exactly: 5) == Array("hello".utf8))
        }
    }

    // MARK: Before TLS to the backend

    @Test("stands before the TLS handshake with the endpoint, and anew at the next one", arguments: [false, true])
    func beforeTLS(asksForTLS: Bool) throws {
        let harness = try EngineHarness(workers: 1)
        let authority = try TestPKI.makeCA()
        let options = TLSServerOptions(try authority.issue(dnsNames: ["db.test"]))
        let servers = [try TLSTestServer(options), try TLSTestServer(options)]
        let port = try freePort()
        let tls = BackendTLS(trust: .bundles(try trust(authority)), hostname: "db.test")
        var target = backend("a", ports: servers.map(\.port), tls: tls).sending(.v2, .uniqueID, .crc32c)
        if asksForTLS { target.settings.startTLS = .postgres }
        harness.apply([tcpListener("t", port: port, route("a", to: "a"))], [target])
        let client = try PlainClient(port: port)
        // The first endpoint goes in the middle of the handshake; the second one gets the same header.
        var seen: [ProxyHeader] = []
        for attempt in 0..<2 {
            let (server, plain) = try firstAccepted(servers)
            let told = try Told(plain)
            seen.append(told.header)
            if asksForTLS {
                #expect(try plain.receive(exactly: 8) == PostgresBytes.sslRequest)
                if attempt == 1 { try plain.send("S") }
            }
            guard attempt == 1 else {
                plain.close()
                continue
            }
            let behind = try server.shakeHands(over: plain)
            try behind.send("hello\n")
            #expect(try client.receiveLine() == "hello")
            try client.send("x")
            #expect(try behind.receive(exactly: 1) == [0x78])
        }
        #expect(seen[0] == seen[1] && seen[0].source == client.localAddress)
        #expect(waitUntil { harness.metric("sluice_backend_connects_total", "result=\"tls_error\"") == 1 })
        #expect(waitUntil { harness.metric("sluice_backend_connects_total", "result=\"ok\"") == 1 })
    }

    private func firstAccepted(_ servers: [TLSTestServer]) throws -> (TLSTestServer, PlainClient) {
        for _ in 0..<500 {
            for server in servers {
                if let plain = try? server.acceptPlain(timeout: .milliseconds(10)) { return (server, plain) }
            }
        }
        throw TestFailure("nobody was connected to")
    }
}
