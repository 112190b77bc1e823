internal import Glibc
internal import TestSupport
internal import Testing

extension Process {
    /// What openssl s_client says of a connection.
    struct SClient {
        let output: String

        /// Ends once the output holds `awaited`, or s_client ends by itself.
        init(port: UInt16, waitingFor awaited: String = "\"backend\"", _ flags: [String]) throws {
            let program = try Program(
                "s_client",
                [
                    try Installation.program("openssl"), "s_client", "-ign_eof", "-connect", "127.0.0.1:\(port)",
                ] + flags)
            let end = waitUntil(deadline: .seconds(10)) { program.ending != nil || program.output.contains(awaited) }
            guard end else { throw TestFailure("s_client \(flags): no \(awaited) within 10 s") }
            program.signal(SIGTERM)
            try program.waitForEnd(within: .seconds(5))
            output = program.output + program.errors
        }

        /// The common name of the certificate that the server showed.
        var subject: String? { field("subject=CN = ") ?? field("subject=CN=") }
        var version: String? {
            ["TLSv1.3", "TLSv1.2"].first {
                output.contains("New, \($0), Cipher is") || output.contains("Reused, \($0)")
            }
        }
        var isReused: Bool { output.contains("Reused, TLSv1.") }
        var keyType: String? { field("Peer signature type: ") }
        /// `alert number N`.
        var alert: Int? { field("alert number ").flatMap { Int($0) } ?? field("SSL alert number ").flatMap { Int($0) } }

        private func field(_ prefix: String) -> String? {
            guard let found = output.firstRange(of: prefix) else { return nil }
            return String(output[found.upperBound...].prefix { $0 != "\n" && $0 != "\r" })
        }
    }

    @Suite("openssl s_client", .timeLimit(.minutes(2)))
    struct SClientTests {
        private let port: UInt16
        private let otherPort: UInt16
        private let sluice: Sluice
        private let backend: EchoBackend
        private let trust: TrustFile

        /// A listener for one name, one for a wildcard, one for any, all on one port; and the first again on another port.
        init() throws {
            let authority = try TestPKI.makeCA()
            trust = try TrustFile(authority.pem)
            backend = try EchoBackend("s")
            (port, otherPort) = (try Ports.free(), try Ports.free())
            let port = port
            func listener(_ name: String, _ hostname: String?, _ secrets: String...) -> Manifest.Listener {
                .init(name: name, port: port, mode: .terminate, hostname: hostname, certificates: secrets)
            }
            let names = ["exact.example.com", "any.example.com", "default.example.org"]
            sluice = try Sluice.ready(
                Manifest.gateway([
                    listener("exact", "exact.example.com", "exact-rsa", "exact-ecdsa"),
                    listener("wildcard", "*.example.com", "wildcard"), listener("default", nil, "default"),
                    .init(
                        name: "other", port: otherPort, mode: .terminate, hostname: "exact.example.com",
                        certificates: ["exact-rsa", "exact-ecdsa"]),
                ]),
                Manifest.secret("exact-rsa", try authority.issue(dnsNames: [names[0]], keyType: .rsa2048)),
                Manifest.secret("exact-ecdsa", try authority.issue(dnsNames: [names[0]])),
                Manifest.secret("wildcard", try authority.issue(dnsNames: [names[1], "*.example.com"])),
                Manifest.secret("default", try authority.issue(dnsNames: [names[2]])),
                Manifest.tcpRoute("exact", to: "echo", section: "exact"),
                Manifest.tcpRoute("wildcard", to: "echo", section: "wildcard"),
                Manifest.tcpRoute("default", to: "echo", section: "default"),
                Manifest.tcpRoute("other", to: "echo", section: "other"),
                Manifest.service("echo", at: backend.port))
        }

        @Test("TLS 1.2 and 1.3, and the certificate by SNI: exact, wildcard, none", arguments: ["1_2", "1_3"])
        func certificates(version: String) throws {
            let cases: [(flags: [String], subject: String)] = [
                (["-servername", "exact.example.com"], "exact.example.com"),
                (["-servername", "EXACT.example.com"], "exact.example.com"),
                (["-servername", "some.example.com"], "any.example.com"),
                (["-servername", "a.b.example.com"], "any.example.com"),
                (["-servername", "elsewhere.example.net"], "default.example.org"),
                (["-noservername"], "default.example.org"),
            ]
            for item in cases {
                let flags = ["-tls\(version)", "-CAfile", trust.path] + item.flags
                let client = try SClient(port: port, flags)
                #expect(client.subject == item.subject, "\(flags): \(client.output)")
                #expect(client.version == (version == "1_2" ? "TLSv1.2" : "TLSv1.3"), "\(client.output)")
                #expect(client.output.contains("Verify return code: 0 (ok)"), "\(client.output)")
            }
            try sluice.stop()
        }

        @Test("an RSA and an ECDSA pair side by side: what the client can verify", arguments: ["1_2", "1_3"])
        func keyTypes(version: String) throws {
            let algorithms = ["RSA-PSS": "rsa_pss_rsae_sha256", "ECDSA": "ecdsa_secp256r1_sha256"]
            for (type, algorithm) in algorithms {
                let client = try SClient(
                    port: port, ["-tls\(version)", "-servername", "exact.example.com", "-sigalgs", algorithm])
                #expect(client.keyType == type, "\(client.output)")
                #expect(client.subject == "exact.example.com")
            }
            try sluice.stop()
        }

        @Test("a session is taken up again where it was made, and not on another listener", arguments: ["1_2", "1_3"])
        func resumption(version: String) throws {
            let files = try TemporaryDirectory()
            let session = "\(files.path)/session"
            let flags = ["-tls\(version)", "-servername", "exact.example.com"]
            // TLS 1.3's ticket comes after the handshake: the greeting of the backend comes after the ticket.
            let first = try SClient(port: port, flags + ["-sess_out", session])
            #expect(!first.isReused && first.subject == "exact.example.com", "\(first.output)")
            let again = try SClient(port: port, flags + ["-sess_in", session])
            #expect(again.isReused, "\(again.output)")
            let elsewhere = try SClient(port: otherPort, flags + ["-sess_in", session])
            #expect(!elsewhere.isReused && elsewhere.subject == "exact.example.com", "\(elsewhere.output)")
            let otherName = try SClient(
                port: port, ["-tls\(version)", "-servername", "some.example.com", "-sess_in", session])
            #expect(!otherName.isReused && otherName.subject == "any.example.com", "\(otherName.output)")
            try sluice.waitForMetrics("one resumption") { $0.sum("sluice_tls_session_resumptions_total") == 1 }
            try sluice.stop()
        }

        @Test("TLS 1.1 is refused with protocol_version")
        func oldVersion() throws {
            let client = try SClient(
                port: port, ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-servername", "exact.example.com"])
            #expect(client.alert == 70, "\(client.output)")
            #expect(client.version == nil)
            try sluice.waitForMetrics("the refusal") {
                $0.sum("sluice_tls_handshakes_total", ["result": "unsupported_version"]) == 1
            }
            try sluice.stop()
        }
    }
}
