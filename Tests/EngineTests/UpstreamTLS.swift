import EngineModel
import Observability
import Platform
import TestSupport

/// A plain listener before an endpoint with TLS, whose side of it a test says.
struct UpstreamTLS {
    typealias Version = TestSupport.TLSVersion
    let harness: EngineHarness
    let authority: TestCA
    let port: UInt16

    init() throws {
        harness = try EngineHarness(workers: 1)
        authority = try TestPKI.makeCA("Backends")
        port = try freePort()
    }

    func tls(_ change: (inout BackendTLS) throws -> Void = { _ in }) throws -> BackendTLS {
        var tls = BackendTLS(trust: .bundles(try trust(authority)), hostname: "db.test")
        try change(&tls)
        return tls
    }

    func apply(_ tls: BackendTLS, to ports: UInt16..., change: (inout BackendSettings) -> Void = { _ in }) {
        var target = backend("a", ports: ports, tls: tls)
        change(&target.settings)
        harness.apply([tcpListener("t", port: port, route("a", to: "a"))], [target])
    }

    func server(_ version: Version = .tls13, _ certificate: TestCertificate? = nil) throws -> TLSServerOptions {
        var options = TLSServerOptions(try certificate ?? authority.issue(dnsNames: ["db.test"]))
        (options.minVersion, options.maxVersion) = (version, version)
        return options
    }

    /// One connection through to `server`, over which a byte has gone each way.
    @discardableResult
    func visit(_ server: TLSTestServer) throws -> TLSTestConnection {
        let client = try PlainClient(port: port)
        let peer = try server.accept()
        try peer.send("db\n")
        guard try client.receiveLine() == "db" else { throw TestFailure("another answer") }
        try client.send("x")
        guard try peer.receive(exactly: 1) == [0x78] else { throw TestFailure("another byte") }
        return peer
    }

    /// Whether a connection is refused with `backend_tls_error`, of which the log says `detail`; no byte gets through.
    func refuses(_ detail: String, _ echo: EchoBackend? = nil) throws -> Bool {
        let before = (harness.closed(.backendTLSError), harness.metric("sluice_backend_connects_total", "tls_error"))
        guard try ending(of: port) == .reset else { return false }
        let entry = harness.log.waitForEntry { "\($0)".contains(detail) }
        return entry != nil && waitUntil { harness.closed(.backendTLSError) == before.0 + 1 }
            && harness.metric("sluice_backend_connects_total", "tls_error") == before.1 + 1
            && echo?.accepted.withLock { $0 } ?? 0 == 0
    }
}
