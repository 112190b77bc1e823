import Certificates
@testable import Engine
import EngineModel
import Observability
import Primitives
import TestSupport
import Testing

@Suite("Access log: TLS", .timeLimit(.minutes(5)))
struct AccessLogTLSTests {
    private let log: AccessLogHarness
    private let echo: EchoBackend
    private let (authority, clients): (TestCA, TestCA)
    private let server: TestCertificate

    init() throws {
        (log, echo) = (try AccessLogHarness(), try EchoBackend("a"))
        (authority, clients) = (try TestPKI.makeCA("Servers"), try TestPKI.makeCA("Clients"))
        server = try authority.issue(dnsNames: ["a.test"])
    }

    private func serve(_ mode: TLSListener.Mode) {
        log.harness.apply(
            [tlsListener("t", port: log.port, mode: mode, routes: [("a.test", route("r", to: "a"))])],
            [backend("a", ports: [echo.port])])
    }

    @Test(
        "what was agreed with a client, and who it is by its certificate",
        arguments: [EngineModel.TLSVersion.v12, .v13])
    func terminated(version: EngineModel.TLSVersion) throws {
        let validation = ClientValidation(trust: try trust(clients))
        var termination = TLSTermination(
            certificates: [try facts(server)], alpnProtocols: ["one", "two"], minimumVersion: version,
            maximumVersion: version)
        termination.clientValidation = validation
        serve(.terminate(termination))
        var request = TestCertificateRequest(commonName: "Client \"of\" ours", dnsNames: ["client.test"])
        (request.uris, request.emails) = (["spiffe://corp/ci/1"], ["ci@corp.test"])
        let certificate = try clients.issue(request)
        var options = TLSClientOptions(serverName: "a.test", alpn: ["two"])
        options.certificate = certificate
        let first = try TLSTestClient(port: log.port, options)
        #expect(try first.receiveLine() == "a")
        let facts = (first.cipher, first.version)
        try first.exchange("hello")
        options.session = first.session
        try first.halfClose()
        _ = try first.waitForEnd()
        first.close()
        let entry = try log.entry()
        #expect(entry.text(.requestedServerName) == "a.test")
        #expect(entry.text(.alpn) == "two")
        #expect(entry.text(.tlsVersion) == facts.1)
        #expect(entry.text(.tlsVersion) == "TLSv\(version.rawValue)")
        #expect(entry.text(.tlsCipher) == facts.0)
        #expect(entry.flag(.tlsResumed) == false)
        // A name, and two protocols at its ends: what else it offers is the library's, which offers 1.3 whatever is agreed.
        let fingerprint = try #require(entry.text(.ja4))
        #expect(fingerprint.hasPrefix("t13d") && fingerprint.count == 36)
        #expect(fingerprint.dropFirst(8).hasPrefix("to_"))
        let subject = try #require(entry.text(.clientCertificateSubject))
        #expect(subject.contains("CN=Client \\\"of\\\" ours"))
        #expect(
            entry.text(.clientCertificateSAN) == "DNS:client.test,URI:spiffe://corp/ci/1,email:ci@corp.test")
        #expect(entry.text(.clientCertificateSPKI)?.count == 44)
        #expect(try #require(entry.number(.handshakeMilliseconds)) > 0)
        // Of the stream, not of its records.
        #expect(entry.number(.bytesReceived) == 5)
        #expect(entry.number(.bytesSent) == 7)

        let second = try TLSTestClient(port: log.port, options)
        #expect(try second.receiveLine() == "a")
        #expect(second.isResumed)
        second.close()
        let resumed = try log.waitForEntries(2)[1]
        #expect(resumed.flag(.tlsResumed) == true)
        #expect(resumed.text(.clientCertificateSubject) == subject)
    }

    @Test("a handshake that fails, and a name that nobody has")
    func refused() throws {
        let validation = ClientValidation(trust: try trust(clients))
        serve(try terminate(server, clients: validation))
        _ = try? shakeHands(log.port, TLSClientOptions(serverName: "a.test"))
        let failed = try log.entry()
        #expect(failed.text(.closeReason) == "tls_error")
        #expect(failed.text(.closeDetail) == "client_cert_required")
        #expect(failed.text(.requestedServerName) == "a.test")
        #expect(failed.text(.tlsVersion) == nil && failed.flag(.tlsResumed) == nil)
        #expect(!log.log.entries.contains { $0.message == "TLS handshake failed" })
        _ = try? shakeHands(log.port, TLSClientOptions(serverName: "other.test"))
        let unknown = try log.waitForEntries(2)[1]
        #expect(unknown.text(.closeReason) == "tls_no_sni_match")
        #expect(unknown.text(.requestedServerName) == "other.test")
        #expect(unknown.text(.route) == nil)
    }

    @Test("what is passed through has its name, and nothing that only the backend knows")
    func passthrough() throws {
        let secure = try EchoBackend("a", tls: TLSServerOptions(server))
        log.harness.apply(
            [tlsListener("t", port: log.port, routes: [("a.test", route("r", to: "a"))])],
            [backend("a", ports: [secure.port])])
        let client = try TLSTestClient(port: log.port, TLSClientOptions(serverName: "a.test"))
        #expect(try client.receiveLine() == "a")
        client.close()
        let entry = try log.entry()
        #expect(entry.text(.requestedServerName) == "a.test")
        #expect(entry.text(.tlsVersion) == nil && entry.text(.tlsCipher) == nil && entry.flag(.tlsResumed) == nil)
        #expect(try #require(entry.number(.bytesReceived)) > 200)
    }
}
