import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Session resumption towards backends", .timeLimit(.minutes(5)))
struct BackendSessionTests {
    typealias Version = TestSupport.TLSVersion
    private let harness: EngineHarness
    private let (ca, other): (TestCA, TestCA)
    private let port: UInt16

    init() throws {
        harness = try EngineHarness()
        (ca, other) = (try TestPKI.makeCA("Backends"), try TestPKI.makeCA("Others"))
        port = try freePort()
    }

    private func server(_ version: Version, _ certificate: TestCertificate? = nil) throws -> EchoBackend {
        var options = TLSServerOptions(try certificate ?? ca.issue(dnsNames: ["db.test", "other.test"]))
        (options.minVersion, options.maxVersion) = (version, version)
        return try EchoBackend("db", tls: options)
    }

    private func apply(_ echo: EchoBackend, _ authorities: [TestCA], _ hostname: String = "db.test") throws {
        let trusted = try authorities.flatMap { try trust($0) }
        harness.apply(
            [tcpListener("t", port: port, route("a", to: "a"))],
            [backend("a", ports: [echo.port], tls: BackendTLS(trust: .bundles(trusted), hostname: hostname))])
    }

    /// With TLS 1.3 the session comes behind the handshake: an answer shows that it was read.
    private func visit(_ echo: EchoBackend) throws -> Bool? {
        let client = try PlainClient(port: port)
        #expect(try client.receiveLine() == "db")
        try client.exchange("hello")
        return echo.resumed.withLock { $0.last }
    }

    @Test("the endpoint's session is resumed, again and again", arguments: [Version.tls12, .tls13])
    func resumes(version: Version) throws {
        let echo = try server(version)
        try apply(echo, [ca])
        #expect(try visit(echo) == false)
        for _ in 0..<3 { #expect(try visit(echo) == true) }
    }

    @Test(
        "one made under other CAs, or for another name, is not offered", arguments: [Version.tls12, .tls13],
        [true, false])
    func demandsChange(version: Version, isName: Bool) throws {
        let echo = try server(version)
        try apply(echo, [ca])
        #expect(try visit(echo) == false)
        #expect(try visit(echo) == true)
        try apply(echo, isName ? [ca] : [ca, other], isName ? "other.test" : "db.test")
        #expect(try visit(echo) == false)
        // The backend's CA is trusted no more: a session of before must not get in.
        try apply(echo, [other])
        #expect(try ending(of: port) == .reset)
        #expect(waitUntil { harness.closed(.backendTLSError) == 1 })
    }

    @Test(
        "where the certificate is for another name nothing is kept that could be resumed",
        arguments: [Version.tls12, .tls13])
    func refused(version: Version) throws {
        let echo = try server(version, try ca.issue(dnsNames: ["elsewhere.test"]))
        try apply(echo, [ca])
        for round in 1...3 {
            #expect(try ending(of: port) == .reset)
            #expect(waitUntil { harness.closed(.backendTLSError) == Double(round) })
        }
        #expect(echo.resumed.withLock { $0.allSatisfy { !$0 } })
    }

    @Test(
        "an endpoint that lost its keys costs a full handshake and no connection", arguments: [Version.tls12, .tls13])
    func restarted(version: Version) throws {
        let (first, second) = (try server(version), try server(version))
        try apply(first, [ca])
        #expect(try visit(first) == false)
        // Another process at the place of the first: two ports that share one place would do the same.
        try apply(second, [ca])
        #expect(try visit(second) == false)
        #expect(try visit(second) == true)
    }
}
