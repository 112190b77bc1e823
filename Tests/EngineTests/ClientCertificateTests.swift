import Certificates
import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

/// What became of a handshake: what the backend greeted with, or the alert that the client got.
enum HandshakeOutcome: Hashable {
    case served(String, resumed: Bool)
    case alert(TLSAlert)
}

/// Shakes hands and waits for the backend's greeting; a session to resume comes with it.
func shakeHands(_ port: UInt16, _ options: TLSClientOptions) throws -> (HandshakeOutcome, TLSTestSession?) {
    do {
        let client = try TLSTestClient(port: port, options)
        let greeting = try client.receiveLine()
        return (.served(greeting, resumed: client.isResumed), client.session)
    } catch StreamError.alert(let alert) {
        return (.alert(alert), nil)
    }
}

@Suite("Client certificates", .timeLimit(.minutes(5)))
struct ClientCertificateTests {
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
        server = try own.issue(dnsNames: ["a.test"])
        echo = try EchoBackend("a")
        port = try freePort()
    }

    private func apply(_ validation: ClientValidation?) throws {
        harness.apply(
            [
                tlsListener(
                    "t", port: port, mode: try terminate(server, clients: validation), routes: [],
                    fallback: route("a", to: "a"))
            ], [backend("a", ports: [echo.port])])
    }

    private func options(
        _ version: Version, _ certificate: TestCertificate?, name: String = "a.test"
    ) -> TLSClientOptions {
        var options = TLSClientOptions(serverName: name)
        (options.minVersion, options.maxVersion, options.certificate) = (version, version, certificate)
        return options
    }

    private func connect(_ version: Version, _ certificate: TestCertificate?) throws -> HandshakeOutcome {
        try shakeHands(port, options(version, certificate)).0
    }

    private func client(
        of ca: TestCA, usage: String? = "clientAuth", notAfter: Int = 3600, intermediate: Bool = false
    ) throws -> TestCertificate {
        var request = TestCertificateRequest(commonName: "client")
        (request.extendedKeyUsage, request.notAfter) = (usage, notAfter)
        return try ca.issue(request, intermediate: intermediate)
    }

    @Test(
        "demanded: only a certificate that verifies is let in, and no other sees the backend",
        arguments: [Version.tls12, .tls13])
    func demanded(version: Version) throws {
        try apply(ClientValidation(trust: try trust(clients)))
        let missing = version == .tls12 ? TLSAlert.handshakeFailure : .certificateRequired
        #expect(try connect(version, nil) == .alert(missing))
        let stranger = try client(of: TestPKI.makeCA("Strangers"))
        #expect(try connect(version, stranger) == .alert(.unknownCA))
        let impostor = try client(of: TestPKI.makeCA("Clients"))
        #expect(try connect(version, impostor) != .served("a", resumed: false))
        #expect(try connect(version, client(of: clients, notAfter: -60)) == .alert(.certificateExpired))
        #expect(try connect(version, client(of: clients, usage: "serverAuth")) == .alert(.unsupportedCertificate))
        #expect(try connect(version, server) == .alert(.unknownCA))
        #expect(echo.accepted.withLock { $0 } == 0)
        #expect(try connect(version, client(of: clients)) == .served("a", resumed: false))
        #expect(try connect(version, client(of: clients, usage: nil)) == .served("a", resumed: false))
        #expect(try connect(version, client(of: clients, intermediate: true)) == .served("a", resumed: false))
        #expect(echo.accepted.withLock { $0 } == 3)
        #expect(waitUntil { harness.closed(.tlsError) == 6 })
        func counted(_ result: String) -> Double {
            harness.metric("sluice_tls_handshakes_total", "mode=\"terminate\"", "result=\"\(result)\"")
        }
        #expect(counted("client_cert_required") == 1)
        #expect(counted("client_cert_unknown_ca") + counted("client_cert_invalid") == 4)
        #expect(counted("client_cert_unknown_ca") >= 2)
        #expect(counted("client_cert_expired") == 1)
        #expect(counted("ok") == 3)
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }

    @Test("asked for: none and one that does not verify are let in too", arguments: [Version.tls12, .tls13])
    func askedFor(version: Version) throws {
        try apply(ClientValidation(trust: try trust(clients), mode: .insecureFallback))
        let stranger = try client(of: TestPKI.makeCA("Strangers"))
        for certificate in [nil, stranger, try client(of: clients, notAfter: -60), try client(of: clients)] {
            #expect(try connect(version, certificate) == .served("a", resumed: false))
        }
        #expect(waitUntil { harness.metric("sluice_tls_handshakes_total", "result=\"ok\"") == 4 })
    }

    @Test("without a CA nobody is let in", arguments: [Version.tls12, .tls13])
    func withoutCA(version: Version) throws {
        try apply(ClientValidation(trust: []))
        #expect(try connect(version, client(of: clients)) == .alert(.unknownCA))
        #expect(echo.accepted.withLock { $0 } == 0)
    }

    @Test("an intermediate CA may be the anchor; clients are told every CA once", arguments: [Version.tls12, .tls13])
    func anchors(version: Version) throws {
        let certificate = try client(of: clients, intermediate: true)
        let intermediate = try trustFacts(pem: Array(#require(certificate.intermediatePEM).utf8)).get()
        let others = try trust(own, own)
        try apply(ClientValidation(trust: [intermediate] + others))
        let connection = try TLSTestClient(port: port, options(version, certificate))
        #expect(try connection.receiveLine() == "a")
        #expect(connection.acceptableIssuers == ["CN=Clients Intermediate", "CN=Servers"])
        #expect(connection.peerChainLength == 1)
        #expect(try connect(version, client(of: clients)) == .alert(.unknownCA))
    }

    @Test("a changed CA holds from the next handshake; who is connected stays, and nothing is bound anew")
    func changes() throws {
        let next = try TestPKI.makeCA("Next")
        try apply(ClientValidation(trust: try trust(clients)))
        let (before, after) = (try client(of: clients), try client(of: next))
        let established = try TLSTestClient(port: port, options(.tls13, before))
        #expect(try established.receiveLine() == "a")
        let silent = try PlainClient(port: port)
        #expect(waitUntil { harness.metric("sluice_listener_handshaking_connections") == 1 })
        for _ in 0..<10 {
            try apply(ClientValidation(trust: try trust(next)))
            #expect(try connect(.tls13, before) == .alert(.unknownCA))
            #expect(try connect(.tls12, after) == .served("a", resumed: false))
            try apply(ClientValidation(trust: try trust(clients, next)))
            #expect(try connect(.tls13, before) == .served("a", resumed: false))
            #expect(try connect(.tls12, after) == .served("a", resumed: false))
        }
        try apply(ClientValidation(trust: try trust(next)))
        // The connection is older than the CA, its hello is not.
        let late = try TLSTestClient(over: silent, options(.tls13, before))
        #expect(try late.waitForEnd() == .alert(.unknownCA))
        try established.exchange("still here")
        #expect(harness.log.entries.filter { $0.message == "listener bound" }.count == 1)
    }

    @Test("listeners that share a port ask for what each of them wants", arguments: [Version.tls12, .tls13])
    func sharedPort(version: Version) throws {
        let others = try TestPKI.makeCA("Others")
        func listener(_ name: String, _ validation: ClientValidation?) throws -> ListenerConfiguration {
            tlsListener(
                name, port: port, hostname: "\(name).test",
                mode: try terminate(server, clients: validation), routes: [], fallback: route(name, to: "a"))
        }
        harness.apply(
            [
                try listener("a", ClientValidation(trust: try trust(clients))),
                try listener("b", ClientValidation(trust: try trust(others))), try listener("c", nil),
            ], [backend("a", ports: [echo.port])])
        func isServed(_ name: String, _ certificate: TestCertificate?) throws -> Bool {
            let outcome = try shakeHands(port, options(version, certificate, name: name)).0
            return outcome == .served("a", resumed: false)
        }
        let (one, other) = (try client(of: clients), try client(of: others))
        #expect(try isServed("a.test", one))
        #expect(try !isServed("a.test", other))
        #expect(try !isServed("a.test", nil))
        #expect(try isServed("b.test", other))
        #expect(try !isServed("b.test", one))
        #expect(try isServed("c.test", nil))
    }
}
