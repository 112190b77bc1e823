import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// Backends that do not take the sessions they granted.
@Suite("Sessions that backends refuse", .timeLimit(.minutes(5)))
struct BackendRefusalTests {
    typealias Version = TestSupport.TLSVersion
    private let harness: EngineHarness
    private let ca: TestCA
    private let port: UInt16

    init() throws {
        (harness, ca, port) = (try EngineHarness(), try TestPKI.makeCA(), try freePort())
    }

    private func apply(_ ports: [UInt16], _ certificate: TestCertificate? = nil, retries: Int = 2) throws {
        var tls = BackendTLS(trust: .bundles(try trust(ca)), hostname: "db.test")
        tls.clientCertificate = try certificate.map(facts)
        var backend = backend("a", ports: ports, tls: tls)
        backend.settings.retries = retries
        harness.apply([tcpListener("t", port: port, route("a", to: "a"))], [backend])
    }

    @Test(
        "one that answers a session with an alert is met with full handshakes, and no client notices",
        arguments: [Version.tls12, .tls13])
    func alert(version: Version) throws {
        var options = TLSServerOptions(try ca.issue(dnsNames: ["db.test"]))
        (options.minVersion, options.maxVersion) = (version, version)
        (options.clientTrust, options.lacksSessionContext) = (ca.pem, true)
        let echo = try EchoBackend("db", tls: options)
        try apply([echo.port], try ca.issue(dnsNames: ["gateway.test"]))
        for _ in 0..<6 {
            let client = try PlainClient(port: port)
            #expect(try client.receiveLine() == "db")
            try client.exchange("hello")
        }
        #expect(harness.closed(.backendTLSError) == 0)
        // Once is enough to know.
        #expect(harness.metric("sluice_backend_connects_total", "result=\"tls_error\"") <= 1)
    }

    @Test("a server that came back with other keys shakes hands in full", arguments: [Version.tls12, .tls13])
    func otherKeys(version: Version) throws {
        var options = TLSServerOptions(try ca.issue(dnsNames: ["db.test"]))
        (options.minVersion, options.maxVersion) = (version, version)
        var address: SocketAddress?
        for _ in 0..<3 {
            let server = try address.map { try TLSTestServer(options, on: $0) } ?? TLSTestServer(options)
            if address == nil { try apply([server.port]) }
            address = server.address
            for round in 0..<3 {
                let client = try PlainClient(port: port)
                let peer = try server.accept()
                #expect(peer.isResumed == (round > 0))
                try peer.send("db\n")
                #expect(try client.receiveLine() == "db")
                try client.send("x")
                #expect(try peer.receive(exactly: 1) == [0x78])
            }
        }
        #expect(harness.closed(.backendTLSError) == 0)
    }
}
