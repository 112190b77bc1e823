import Certificates
import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Client certificates towards backends", .timeLimit(.minutes(5)))
struct BackendCertificateTests {
    typealias Version = TestSupport.TLSVersion
    private let harness: EngineHarness
    private let ca: TestCA
    private let (port, secondPort): (UInt16, UInt16)

    init() throws {
        harness = try EngineHarness()
        ca = try TestPKI.makeCA("Backends")
        (port, secondPort) = (try freePort(), try freePort())
    }

    private func server(_ version: Version, demanding trusted: TestCA?) throws -> EchoBackend {
        var options = TLSServerOptions(try ca.issue(dnsNames: ["db.test"]))
        (options.minVersion, options.maxVersion, options.clientTrust) = (version, version, trusted?.pem)
        return try EchoBackend("db", tls: options)
    }

    private func backendTLS(_ certificate: TestCertificate?) throws -> BackendTLS {
        var tls = BackendTLS(trust: .bundles(try trust(ca)), hostname: "db.test")
        tls.clientCertificate = try certificate.map(facts)
        return tls
    }

    @Test(
        "shown to a backend that asks, the whole chain, and the new one once it changes",
        arguments: [Version.tls12, .tls13])
    func shown(version: Version) throws {
        let clients = try TestPKI.makeCA("Gateways")
        let echo = try server(version, demanding: clients)
        let certificates = [
            try clients.issue(dnsNames: ["gateway"], intermediate: true),
            try clients.issue(dnsNames: ["gateway"], keyType: .rsa2048),
        ]
        var established: [PlainClient] = []
        for certificate in certificates {
            harness.apply(
                [tcpListener("t", port: port, route("a", to: "a"))],
                [backend("a", ports: [echo.port], tls: try backendTLS(certificate))])
            let client = try PlainClient(port: port)
            #expect(try client.receiveLine() == "db")
            #expect(echo.peers.withLock { $0.last } == certificate.fingerprint)
            established.append(client)
        }
        for client in established { try client.exchange("still here") }
    }

    @Test("none, or one that the backend refuses, is a TLS error of the backend", arguments: [Version.tls12, .tls13])
    func refused(version: Version) throws {
        let echo = try server(version, demanding: try TestPKI.makeCA("Gateways"))
        let stranger = try TestPKI.makeCA("Strangers").issue(dnsNames: ["gateway"])
        for (index, certificate) in [nil, stranger].enumerated() {
            harness.apply(
                [tcpListener("t", port: port, route("a", to: "a"))],
                [backend("a", ports: [echo.port], tls: try backendTLS(certificate))])
            #expect(try ending(of: port) == .reset)
            #expect(waitUntil { harness.closed(.backendTLSError) == Double(index + 1) })
        }
        #expect(echo.accepted.withLock { $0 } == 0)
    }

    @Test("a backend that does not ask sees none")
    func unasked() throws {
        let echo = try server(.tls13, demanding: nil)
        harness.apply(
            [tcpListener("t", port: port, route("a", to: "a"))],
            [backend("a", ports: [echo.port], tls: try backendTLS(try ca.issue(dnsNames: ["gateway"])))])
        #expect(try PlainClient(port: port).receiveLine() == "db")
        #expect(echo.peers.withLock { $0 } == [nil])
    }

    @Test(
        "two uses of one backend show each its own certificate, and are one in the metrics",
        arguments: [Version.tls12, .tls13])
    func variants(version: Version) throws {
        let clients = try TestPKI.makeCA("Gateways")
        let echo = try server(version, demanding: clients)
        let certificates = [try clients.issue(dnsNames: ["one"]), try clients.issue(dnsNames: ["two"])]
        let ports = [port, secondPort]
        var listeners: [ListenerConfiguration] = []
        var backends: [BackendConfiguration] = []
        for (index, certificate) in certificates.enumerated() {
            var variant = backend("a", ports: [echo.port], tls: try backendTLS(certificate))
            variant.id.variant = "gateway \(index)"
            backends.append(variant)
            var route = route("r\(index)", to: "a")
            route.backends = [.init(weight: 1, target: .backend(variant.id))]
            listeners.append(tcpListener("t\(index)", port: ports[index], route))
        }
        harness.apply(listeners, backends)
        for round in 0..<6 {
            #expect(try PlainClient(port: ports[round % 2]).receiveLine() == "db")
            #expect(echo.peers.withLock { $0.last } == certificates[round % 2].fingerprint)
        }
        #expect(waitUntil { harness.metric("sluice_backend_connects_total", "result=\"ok\"") == 6 })
        #expect(harness.doubledSeries == [])
    }
}
