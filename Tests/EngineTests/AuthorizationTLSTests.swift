import Certificates
import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Authorization by names and certificates", .timeLimit(.minutes(5)))
struct AuthorizationTLSTests {
    typealias Version = TestSupport.TLSVersion
    private let harness: EngineHarness
    private let own: TestCA
    private let clients: TestCA
    private let server: TestCertificate
    private let echo: EchoBackend
    private let port: UInt16

    init() throws {
        harness = try EngineHarness()
        own = try TestPKI.makeCA("Servers")
        clients = try TestPKI.makeCA("Clients")
        server = try own.issue(dnsNames: ["a.test", "b.test"])
        (echo, port) = (try EchoBackend("a"), try freePort())
    }

    private var dials: Int { echo.accepted.withLock { $0 } }

    private func certificate(_ change: (inout TestCertificateRequest) -> Void) throws -> TestCertificate {
        var request = TestCertificateRequest(commonName: "client")
        change(&request)
        return try clients.issue(request)
    }

    private func apply(
        _ rules: [Authorization.Rule], mode: ClientValidation.Mode = .validOnly, onRoute: Bool = false,
        terminates: Bool = false
    ) throws {
        let own = limits("p", authorization: Authorization(rules: rules, terminatesExisting: terminates))
        let validation = ClientValidation(trust: try trust(clients), mode: mode)
        var served = route("r", to: "a")
        if onRoute { served.limits = [own] }
        var listener = tlsListener(
            "t", port: port, mode: try terminate(server, clients: validation), routes: [], fallback: served)
        if !onRoute { listener.limits = [own] }
        harness.apply([listener], [backend("a", ports: [echo.port])])
    }

    private func rule(_ name: String, _ action: Authorization.Action = .allow, _ certificate: CertificatePrincipal)
        -> Authorization.Rule
    {
        .init(name: name, action: action, principal: Principal(certificate: certificate))
    }

    private func connect(
        _ certificate: TestCertificate?, _ version: Version = .tls13, session: TLSTestSession? = nil
    ) throws -> TLSTestClient {
        var options = TLSClientOptions(serverName: "a.test", trust: own.pem)
        (options.minVersion, options.maxVersion) = (version, version)
        (options.certificate, options.session) = (certificate, session)
        return try TLSTestClient(port: port, options)
    }

    /// A handshake that ends well, and what follows it: the backend's greeting, or a FIN without close_notify.
    private func isServed(_ certificate: TestCertificate?, _ version: Version = .tls13) throws -> Bool {
        do {
            return try connect(certificate, version).receiveLine() == "a"
        } catch StreamError.truncated {
            return false
        }
    }

    @Test(
        "a SPIFFE identity is let in by its certificate, another is turned away after the handshake and before a dial",
        arguments: [Version.tls12, .tls13], [false, true])
    func spiffe(version: Version, onRoute: Bool) throws {
        try apply([rule("ci", .allow, CertificatePrincipal(uris: [.prefix("spiffe://corp/ci/")]))], onRoute: onRoute)
        let (build, web) = (
            try certificate { $0.uris = ["spiffe://corp/ci/build"] },
            try certificate { $0.uris = ["spiffe://corp/web"] }
        )
        for _ in 0..<3 { #expect(try !isServed(web, version)) }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(dials == 0)
        #expect(try isServed(build, version))
        #expect(waitUntil { dials == 1 })
        #expect(waitUntil { harness.closed(.authorizationDenied) == 3 })
        #expect(
            waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"ci\",action=\"allow\"") == 1 })
        #expect(waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"\",action=\"deny\"") == 3 })
        #expect(waitUntil { harness.metric("sluice_tls_handshakes_total", "result=\"ok\"") == 4 })
    }

    @Test("a session that resumes has the identity that it began with", arguments: [Version.tls12, .tls13])
    func resumed(version: Version) throws {
        try apply([rule("ci", .allow, CertificatePrincipal(uris: [.exact("spiffe://corp/ci")]))])
        let first = try connect(certificate { $0.uris = ["spiffe://corp/ci"] }, version)
        #expect(try first.receiveLine() == "a")
        let session = try #require(first.session)
        let again = try connect(nil, version, session: session)
        #expect(try again.receiveLine() == "a")
        #expect(again.isResumed)
        try apply([rule("other", .allow, CertificatePrincipal(uris: [.exact("spiffe://corp/web")]))])
        let later = try connect(nil, version, session: session)
        #expect(later.isResumed)
        #expect(throws: StreamError.truncated) { try later.receiveLine() }
        #expect(waitUntil { dials == 2 })
    }

    @Test("each part of a certificate: names without regard to case, e-mail, key and issuer")
    func parts() throws {
        let known = try certificate {
            $0.dnsNames = ["Client.Example"]
            $0.emails = ["ci@example.com"]
            $0.uris = ["urn:x"]
        }
        let other = try certificate {
            $0.dnsNames = ["other.example"]
            $0.emails = ["web@example.com"]
        }
        let hash = try facts(known).spkiHash
        let principals: [CertificatePrincipal] = [
            .init(dnsNames: [.exact("client.EXAMPLE")]), .init(dnsNames: [.prefix("client.")]),
            .init(emails: [.exact("ci@example.com")]), .init(spkiHashes: [hash]),
            .init(dnsNames: [.suffix(".example")], uris: [.exact("urn:x")], issuerCommonNames: ["Clients", "x"]),
        ]
        for principal in principals {
            try apply([rule("known", .allow, principal)])
            #expect(try isServed(known), "\(principal)")
            #expect(try !isServed(other), "\(principal)")
        }
        try apply([rule("issuer", .allow, .init(issuerCommonNames: ["Clients"]))])
        #expect(try isServed(other))
        try apply([rule("issuer", .allow, .init(issuerCommonNames: ["Servers", "clients"]))])
        #expect(try !isServed(other))
        // The key of the server's certificate, which the client trusts, is none of the client's.
        try apply([rule("key", .allow, .init(spkiHashes: [try facts(server).spkiHash]))])
        #expect(try !isServed(known))
    }

    @Test("what is only asked for counts where it was verified: no certificate, or a stranger's, matches nothing")
    func onlyVerified() throws {
        try apply(
            [rule("ci", .allow, .init(uris: [.prefix("spiffe://corp/")]))], mode: .insecureFallback)
        var request = TestCertificateRequest(commonName: "client")
        request.uris = ["spiffe://corp/ci"]
        let stranger = try TestPKI.makeCA("Clients").issue(request)
        #expect(try !isServed(nil))
        #expect(try !isServed(stranger))
        #expect(try !isServed(stranger, .tls12))
        #expect(try isServed(clients.issue(request)))
        #expect(waitUntil { dials == 1 })
    }

    @Test("rules by address are judged before the handshake, and audits of certificates after it")
    func stages() throws {
        let denied = Authorization.Rule(
            name: "blocked", action: .deny, principal: Principal(clients: [addresses("127.0.0.1/32")]))
        try apply([denied, rule("any", .allow, .init(uris: [.prefix("")]))])
        let client = try certificate { $0.uris = ["urn:x"] }
        #expect(throws: StreamError.alert(.accessDenied)) { try connect(client) }
        #expect(waitUntil { harness.rejected(.authorizationDenied) == 1 })
        #expect(harness.metric("sluice_tls_handshakes_total") == 0)
        try apply([
            rule("seen", .audit, .init(uris: [.exact("urn:x")])),
            .init(name: "all", action: .allow, principal: Principal(clients: [addresses("127.0.0.0/8")])),
        ])
        #expect(try isServed(client))
        #expect(harness.log.entries.filter { $0.text("authz_rule") == "seen" }.count == 1)
        #expect(
            waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"seen\",action=\"audit\"") == 1 })
        #expect(
            waitUntil { harness.metric("sluice_authorization_decisions_total", "rule=\"all\",action=\"allow\"") == 1 })
    }

    @Test("server names decide with the hello, in both modes: an alert and no dial", arguments: [false, true])
    func names(terminates: Bool) throws {
        let secure = try EchoBackend("a", tls: TLSServerOptions(server))
        let names = ["a.test", "*.c.test"].compactMap { HostnamePattern($0) }
        let rules = Authorization(rules: [.init(name: "n", action: .allow, principal: Principal(serverNames: names))])
        let mode: TLSListener.Mode = terminates ? try terminate(server) : .passthrough
        harness.apply(
            [
                tlsListener("t", port: port, mode: mode, routes: [], fallback: route("r", to: "a"))
                    .limited(by: limits("p", authorization: rules))
            ], [backend("a", ports: [terminates ? echo.port : secure.port])])
        func outcome(_ name: String?) throws -> HandshakeOutcome {
            try shakeHands(port, TLSClientOptions(serverName: name)).0
        }
        for name in ["b.test", "c.test", nil] {
            #expect(try outcome(name) == .alert(.accessDenied), "\(name ?? "no name")")
        }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(secure.accepted.withLock { $0 } + dials == 0)
        #expect(try outcome("a.test") == .served("a", resumed: false))
        #expect(try outcome("x.c.test") == .served("a", resumed: false))
        #expect(waitUntil { harness.rejected(.authorizationDenied) == 3 })
    }

    @Test("a changed policy ends sessions by their certificate, and judges those that are still shaking hands")
    func terminatesExisting() throws {
        func allowed(_ uris: String...) throws {
            try apply([rule("r", .allow, .init(uris: uris.map { .exact($0) }))], terminates: true)
        }
        try allowed("urn:a", "urn:b")
        let (a, b) = (try certificate { $0.uris = ["urn:a"] }, try certificate { $0.uris = ["urn:b"] })
        let (kept, lost) = (try connect(a), try connect(b))
        for client in [kept, lost] { #expect(try client.receiveLine() == "a") }
        try allowed("urn:a")
        #expect(try lost.waitForEnd() == .closeNotify)
        #expect(waitUntil { harness.closed(.authorizationDenied) == 1 })
        try kept.exchange("still here")
        #expect(try !isServed(b))
        #expect(waitUntil { dials == 2 })
    }
}
