import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Pinned keys of backends", .timeLimit(.minutes(5)))
struct BackendPinTests {
    typealias Version = TestSupport.TLSVersion
    private let upstream: UpstreamTLS

    init() throws { upstream = try UpstreamTLS() }

    private func apply(
        _ echo: EchoBackend, pins: [TestCertificate], _ change: (inout BackendTLS) throws -> Void = { _ in }
    ) throws {
        var tls = try upstream.tls()
        tls.spkiHashes = Set(try pins.map { try facts($0).spkiHash })
        try change(&tls)
        upstream.apply(tls, to: echo.port)
    }

    private func serves() throws -> Bool { try PlainClient(port: upstream.port).receiveLine() == "db" }

    @Test("beside CAs: the chain, the name, the dates and the key must be right", arguments: [Version.tls12, .tls13])
    func besideCAs(version: Version) throws {
        let authority = upstream.authority
        let good = try authority.issue(dnsNames: ["db.test"])
        let other = try authority.issue(dnsNames: ["db.test"])
        let echo = try EchoBackend("db", tls: try upstream.server(version, good))
        try apply(echo, pins: [good])
        #expect(try serves())
        try apply(echo, pins: [other, good])
        #expect(try serves())
        #expect(echo.accepted.withLock { $0 } == 2)
        let cases: [(TestCertificate, String)] = [
            (other, "backend_cert_key_mismatch: its public key is none of those that are pinned"),
            (try authority.issue(dnsNames: ["elsewhere.test"]), "backend_cert_name_mismatch"),
            (try authority.issue(dnsNames: ["db.test"], notAfter: -60), "backend_cert_expired"),
            (try TestPKI.makeCA("Others").issue(dnsNames: ["db.test"]), "backend_cert_unknown_ca"),
        ]
        for (index, (shown, detail)) in cases.enumerated() {
            let echo = try EchoBackend("db", tls: try upstream.server(version, shown))
            try apply(echo, pins: index == 0 ? [good] : [shown])
            #expect(try upstream.refuses(detail, echo), "\(detail)")
        }
    }

    @Test(
        "in place of CAs: nothing but the key counts, whoever issued the certificate, whatever its names and dates",
        arguments: [Version.tls12, .tls13])
    func alone(version: Version) throws {
        var request = TestCertificateRequest(commonName: "someone", dnsNames: ["elsewhere.test"])
        request.extendedKeyUsage = "clientAuth"
        request.notAfter = -60
        let odd = try TestPKI.selfSigned(request)
        let other = try upstream.authority.issue(dnsNames: ["db.test"])
        let echo = try EchoBackend("db", tls: try upstream.server(version, odd))
        try apply(echo, pins: [other, odd]) {
            $0.trust = .pinsOnly
            // A name that the certificate lacks is only sent.
            $0.subjectAltNames = [.hostname("nowhere.test")]
        }
        for _ in 0..<3 { #expect(try serves()) }
        // A certificate of a CA that would be trusted, for the right name.
        let right = try EchoBackend("db", tls: try upstream.server(version, other))
        try apply(right, pins: [odd]) { $0.trust = .pinsOnly }
        #expect(try upstream.refuses("backend_cert_key_mismatch", right))
    }

    @Test("a session resumes only where its key is pinned still", arguments: [Version.tls12, .tls13], [false, true])
    func resumed(version: Version, isAlone: Bool) throws {
        let (good, other) = (
            try upstream.authority.issue(dnsNames: ["db.test"]), try upstream.authority.issue(dnsNames: ["db.test"])
        )
        let echo = try EchoBackend("db", tls: try upstream.server(version, good))
        func apply(_ pins: [TestCertificate]) throws {
            try self.apply(echo, pins: pins) { if isAlone { $0.trust = .pinsOnly } }
        }
        func visit() throws -> Bool? {
            let client = try PlainClient(port: upstream.port)
            #expect(try client.receiveLine() == "db")
            try client.exchange("hello")
            return echo.resumed.withLock { $0.last }
        }
        try apply([good])
        #expect(try visit() == false)
        #expect(try visit() == true)
        try apply([other])
        #expect(try upstream.refuses("backend_cert_key_mismatch"))
        // The session of before belongs to the same demands as before.
        try apply([good, other])
        #expect(try visit() == false)
        #expect(try visit() == true)
    }

    @Test("pins that say nothing let nobody in")
    func failsClosed() throws {
        let good = try upstream.authority.issue(dnsNames: ["db.test"])
        let echo = try EchoBackend("db", tls: try upstream.server(.tls13, good))
        let hash = try facts(good).spkiHash
        let cases: [(BackendTLS.Trust?, Set<String>?, String)] = [
            (.pinsOnly, nil, "no public key is pinned"), (.pinsOnly, [], "no public key is pinned"),
            (nil, [], "no public key is pinned"), (nil, ["abc", hash], "abc is no SHA-256 in base64"),
            (.unusable, [hash], "the BackendTLSPolicy has no usable CA"),
        ]
        for (trust, hashes, detail) in cases {
            let tls = try upstream.tls {
                if let trust { $0.trust = trust }
                $0.spkiHashes = hashes
            }
            upstream.apply(tls, to: echo.port)
            #expect(try upstream.refuses(detail, echo), "\(detail)")
        }
    }
}
