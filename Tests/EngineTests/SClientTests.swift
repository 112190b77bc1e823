import EngineModel
import Glibc
import Platform
import Primitives
import TestSupport
import Testing

/// What `openssl s_client`, a client that is not ours, says of listeners.
@Suite("openssl s_client", .timeLimit(.minutes(5)))
struct SClientTests {
    private let tls: TLSHarness
    private let folder: TemporaryDirectory
    private let (good, bad): (TestCertificate, TestCertificate)

    init() throws {
        tls = try TLSHarness(serverKey: .rsa2048)
        folder = try TemporaryDirectory()
        (good, bad) = (try tls.clients.issue(dnsNames: ["good"]), try tls.clients.issue(dnsNames: ["bad"]))
    }

    private func identity(_ certificate: TestCertificate) throws -> [String] {
        [
            "-cert", try folder.write(certificate.chainPEM, to: "tls.crt"), "-key",
            try folder.write(certificate.privateKeyPEM, to: "tls.key"),
        ]
    }

    /// Runs until it has the backend's greeting, or ends by itself; what it wrote.
    private func run(_ flags: [String], version: String) throws -> String {
        let path = "\(folder.path)/output"
        unlink(path)
        let input = FileDescriptor(owning: open("/dev/null", O_RDONLY | O_CLOEXEC))
        let output = FileDescriptor(owning: open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600))
        let address = "127.0.0.1:\(tls.port)"
        let child = try ChildProcess(
            ["openssl", "s_client", "-ign_eof", "-connect", address, "-servername", "a.test", version] + flags,
            input: input.raw, output: output.raw)
        func text() -> String { (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? "" }
        _ = waitUntil(deadline: .seconds(20)) { child.poll() != nil || "\n\(text())\n".contains("\na\n") }
        child.signal(SIGTERM)
        _ = child.wait()
        return text()
    }

    @Test("certificates: right, wrong, expired, revoked and none", arguments: ["-tls1_2", "-tls1_3"])
    func certificates(version: String) throws {
        let list = try tls.clients.revocationPEM(.init(revoking: bad))
        try tls.demand(.init(names: [.dns(.suffix("d"))], revocationLists: revocationLists(list)))
        let right = try run(identity(good), version: version)
        #expect(right.contains("\na\n"))
        #expect(right.contains("New, TLSv1.\(version.suffix(1))"))
        let wrong: [(TestCertificate?, String)] = [
            (bad, "SSL alert number 44"), (try tls.clients.issue(dnsNames: ["other"]), "SSL alert number 46"),
            (try tls.clients.issue(dnsNames: ["good"], notAfter: -60), "SSL alert number 45"),
            (try TestPKI.makeCA("Strangers").issue(dnsNames: ["good"]), "SSL alert number 48"),
            (nil, version == "-tls1_2" ? "SSL alert number 40" : "SSL alert number 116"),
        ]
        for (certificate, alert) in wrong {
            let output = try run(certificate.map(identity) ?? [], version: version)
            #expect(output.contains(alert), "\(alert): \(output.suffix(800))")
            #expect(!output.contains("\na\n"))
        }
        #expect(tls.echo.accepted.withLock { $0 } == 1)
        for result in ["revoked", "san_mismatch", "expired", "unknown_ca", "required"] {
            #expect(tls.hasCounted("client_cert_\(result)", 1), "\(result)")
        }
    }

    @Test("suites, groups and signature algorithms", arguments: ["-tls1_2", "-tls1_3"])
    func parameters(version: String) throws {
        try tls.apply {
            $0.ciphers = ["ECDHE-RSA-AES256-GCM-SHA384"]
            $0.groups = ["P-384"]
            $0.signatureAlgorithms = ["rsa_pss_rsae_sha384"]
        }
        let fitting = try run([], version: version)
        #expect(fitting.contains("\na\n"))
        #expect(fitting.contains("Server Temp Key: ECDH, secp384r1, 384 bits"), "\(fitting.suffix(2000))")
        #expect(fitting.contains("Peer signing digest: SHA384"))
        if version == "-tls1_2" {
            #expect(fitting.contains("Cipher is ECDHE-RSA-AES256-GCM-SHA384"))
            #expect(try run(["-cipher", "AES128-GCM-SHA256"], version: version).contains("SSL alert number 40"))
        }
        #expect(try run(["-groups", "X25519"], version: version).contains("SSL alert number 40"))
        #expect(try run(["-sigalgs", "rsa_pss_rsae_sha256"], version: version).contains("SSL alert number 40"))
    }

    @Test("sessions resume, without early data, until they may not", arguments: ["-tls1_2", "-tls1_3"])
    func resumption(version: String) throws {
        try tls.demand(.init(revocationLists: revocationLists(tls.clients.revocationPEM())))
        let path = "\(folder.path)/session"
        let first = try run(identity(good) + ["-sess_out", path], version: version)
        #expect(first.contains("New, TLSv1."))
        #expect(!first.contains("Max Early Data: ") || first.contains("Max Early Data: 0"))
        let again = try run(["-sess_in", path], version: version)
        #expect(again.contains("Reused, TLSv1."))
        #expect(again.contains("\na\n"))
        try tls.demand(.init(revocationLists: revocationLists(tls.clients.revocationPEM(.init(revoking: good)))))
        let refused = try run(identity(good) + ["-sess_in", path], version: version)
        #expect(refused.contains("SSL alert number 44"))
        #expect(!refused.contains("\na\n"))
    }
}
