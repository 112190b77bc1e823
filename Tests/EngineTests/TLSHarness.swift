import Certificates
import Engine
import EngineModel
import Primitives
import TestSupport

/// An engine with one terminating listener for `a.test` before a greeting backend, whose TLS is what a test says.
final class TLSHarness: Sendable {
    let harness: EngineHarness
    let clients: TestCA
    let server: TestCertificate
    let echo: EchoBackend
    let port: UInt16

    /// Another one before: its CA, certificate and backend are taken over, by an engine of its own.
    init(like other: TLSHarness? = nil, serverKey: TestKey.KeyType = .ecdsaP256) throws {
        harness = try EngineHarness()
        clients = try other?.clients ?? TestPKI.makeCA("Clients")
        server = try other?.server ?? TestPKI.makeCA("Servers").issue(dnsNames: ["a.test"], keyType: serverKey)
        echo = try other?.echo ?? EchoBackend("a")
        port = try freePort()
    }

    @discardableResult
    func apply(_ name: String = "t", _ change: (inout TLSTermination) throws -> Void = { _ in }) throws
        -> Acknowledgement
    {
        var termination = TLSTermination(certificates: [try facts(server)])
        try change(&termination)
        return harness.apply(
            [tlsListener(name, port: port, mode: .terminate(termination), routes: [], fallback: route("a", to: "a"))],
            [backend("a", ports: [echo.port])])
    }

    /// Certificates of the CA `Clients` that meet all of these are demanded.
    func demand(_ requirements: ClientValidation.Requirement..., mode: ClientValidation.Mode = .validOnly) throws {
        try apply {
            var validation = ClientValidation(trust: try trust(clients), mode: mode)
            validation.requirements = requirements
            $0.clientValidation = validation
        }
    }

    func options(
        _ version: TestSupport.TLSVersion, _ certificate: TestCertificate? = nil, _ session: TLSTestSession? = nil
    ) -> TLSClientOptions {
        var options = TLSClientOptions(serverName: "a.test")
        (options.minVersion, options.maxVersion) = (version, version)
        (options.certificate, options.session) = (certificate, session)
        return options
    }

    func connect(_ version: TestSupport.TLSVersion, _ certificate: TestCertificate? = nil) throws -> HandshakeOutcome {
        try shakeHands(port, options(version, certificate)).0
    }

    /// Waits for so many handshakes with this result: one is counted after its alert was sent.
    func hasCounted(_ result: String, _ count: Int) -> Bool {
        waitUntil {
            harness.metric("sluice_tls_handshakes_total", "mode=\"terminate\"", "result=\"\(result)\"") == Double(count)
        }
    }
}

let served = HandshakeOutcome.served("a", resumed: false)
let resumed = HandshakeOutcome.served("a", resumed: true)

func revocationLists(_ pem: String...) throws -> [RevocationFacts] {
    try pem.map { try revocationFacts(Array($0.utf8), file: "crl.pem").get() }
}
