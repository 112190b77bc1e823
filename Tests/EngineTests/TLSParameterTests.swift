import EngineModel
import Observability
import Primitives
import TestSupport
import Testing

@Suite("Parameters of TLS", .timeLimit(.minutes(5)))
struct TLSParameterTests {
    typealias Version = TestSupport.TLSVersion
    private let tls: TLSHarness

    init() throws { tls = try TLSHarness(serverKey: .rsa2048) }

    private func client(_ version: Version, _ change: (inout TLSClientOptions) -> Void = { _ in }) throws
        -> TLSTestClient
    {
        var options = tls.options(version)
        change(&options)
        return try TLSTestClient(port: tls.port, options)
    }

    /// What became of a handshake that must fail.
    private func alert(_ version: Version, _ change: (inout TLSClientOptions) -> Void = { _ in }) -> TLSAlert? {
        do {
            _ = try client(version, change).receiveLine()
            return nil
        } catch StreamError.alert(let alert) {
            return alert
        } catch {
            return nil
        }
    }

    @Test("versions: from the lowest to the highest, no others")
    func versions() throws {
        try tls.apply { $0.maximumVersion = .v12 }
        #expect(try client(.tls12).version == "TLSv1.2")
        #expect(alert(.tls13) == .protocolVersion)
        try tls.apply { $0.minimumVersion = .v13 }
        #expect(try client(.tls13).version == "TLSv1.3")
        #expect(alert(.tls12) == .protocolVersion)
        #expect(tls.hasCounted("unsupported_version", 2))
    }

    @Test(
        "where nobody configured anything: forward secrecy, authenticated encryption, curves, no SHA-1 and no older versions"
    )
    func defaults() throws {
        try tls.apply { _ in }
        for suite in ["AES256-GCM-SHA384", "AES128-GCM-SHA256", "CHACHA20-POLY1305"] {
            #expect(try client(.tls12) { $0.ciphers = "ECDHE-RSA-" + suite }.cipher == "ECDHE-RSA-" + suite)
        }
        for group in ["X25519", "P-256", "P-384", "P-521"] { _ = try client(.tls13) { $0.groups = group } }
        let weak = [
            "AES128-SHA", "AES256-SHA256", "AES128-GCM-SHA256", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA",
            "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES256-GCM-SHA384", "ARIA128-GCM-SHA256",
        ]
        for suite in weak { #expect(alert(.tls12) { $0.ciphers = suite } == .handshakeFailure, "\(suite)") }
        for group in ["ffdhe2048", "ffdhe8192"] {
            #expect(alert(.tls13) { $0.groups = group } == .handshakeFailure, "\(group)")
        }
        let old: (inout TLSClientOptions) -> Void = {
            ($0.minVersion, $0.ciphers) = (.tls10, "ALL:@SECLEVEL=0")
            $0.maxVersion = .tls11
        }
        #expect(alert(.tls11, old) == .protocolVersion)
        #expect(alert(.tls12) { $0.signatureAlgorithms = "RSA+SHA224" } == .handshakeFailure)
    }

    @Test("suites of TLS 1.2, in our order; TLS 1.3 has its own")
    func ciphers() throws {
        let (first, second) = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256")
        let chacha = "ECDHE-RSA-CHACHA20-POLY1305"
        try tls.apply { $0.ciphers = [first, second, chacha] }
        #expect(try client(.tls12).cipher == first)
        #expect(try client(.tls12) { $0.ciphers = "\(chacha):\(second):\(first)" }.cipher == first)
        #expect(try client(.tls12) { $0.ciphers = second }.cipher == second)
        #expect(alert(.tls12) { $0.ciphers = "AES256-GCM-SHA384" } == .handshakeFailure)
        #expect(tls.hasCounted("no_shared_cipher", 1))
        #expect(try client(.tls13).version == "TLSv1.3")
        try tls.apply { $0.ciphers = ["DHE-RSA-AES128-GCM-SHA256"] }
        #expect(try client(.tls12).cipher == "DHE-RSA-AES128-GCM-SHA256")
    }

    @Test("groups, some of them twice by other names", arguments: [Version.tls12, .tls13])
    func groups(version: Version) throws {
        try tls.apply { $0.groups = ["P-384", "secp384r1", "X25519"] }
        _ = try client(version) { $0.groups = "P-384" }
        _ = try client(version) { $0.groups = "X25519" }
        let alert = alert(version) {
            $0.groups = "P-256"
            // TLS 1.2 could do without a group.
            $0.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"
        }
        #expect(alert == .handshakeFailure)
        #expect(tls.hasCounted("no_shared_cipher", 1))
    }

    @Test("signature algorithms", arguments: [Version.tls12, .tls13])
    func signatures(version: Version) throws {
        try tls.apply { $0.signatureAlgorithms = ["rsa_pss_rsae_sha384"] }
        _ = try client(version) { $0.signatureAlgorithms = "rsa_pss_rsae_sha384:rsa_pss_rsae_sha256" }
        #expect(alert(version) { $0.signatureAlgorithms = "rsa_pss_rsae_sha256" } == .handshakeFailure)
        try tls.apply { $0.signatureAlgorithms = ["rsa_pss_rsae_sha256", "RSA-PSS+SHA256"] }
        _ = try client(version) { $0.signatureAlgorithms = "rsa_pss_rsae_sha256" }
    }

    @Test("ALPN: without an overlap the handshake goes on, unless one is required", arguments: [Version.tls12, .tls13])
    func alpn(version: Version) throws {
        for isRequired in [false, true] {
            try tls.apply {
                $0.alpnProtocols = ["h2", "http/1.1"]
                $0.alpnRequired = isRequired
            }
            #expect(try client(version) { $0.alpn = ["http/1.1", "h2"] }.alpn == "h2")
            #expect(try client(version).alpn == nil)
            if isRequired {
                #expect(alert(version) { $0.alpn = ["ftp"] } == .noApplicationProtocol)
            } else {
                #expect(try client(version) { $0.alpn = ["ftp"] }.alpn == nil)
            }
        }
        #expect(tls.hasCounted("no_application_protocol", 1))
    }

    @Test("what OpenSSL does not know is refused, and what it would replace serves no longer")
    func unknown() throws {
        let changes: [(inout TLSTermination) -> Void] = [
            { $0.ciphers = ["ECDHE-RSA-AES128-GCM-SHA256", "nonsense"] }, { $0.groups = ["X25519:P-256"] },
            { $0.signatureAlgorithms = [""] }, { $0.ciphers = [] }, { $0.groups = [] },
        ]
        for change in changes {
            try tls.apply()
            _ = try client(.tls13)
            try tls.apply("t", change)
            #expect(alert(.tls13) == .internalError)
            #expect(alert(.tls12) == .internalError)
        }
        #expect(tls.harness.log.entries.contains { "\($0)".contains("unknown TLS parameters: nonsense") })
        try tls.apply()
        #expect(try client(.tls12).receiveLine() == "a")
    }
}
