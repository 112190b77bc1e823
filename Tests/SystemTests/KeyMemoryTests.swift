internal import FoundationEssentials
internal import Glibc
internal import Platform
internal import TestAPIServer
internal import TestSupport
internal import Testing

extension Process {
    /// What an image of the process's memory says of keys that it no longer uses (docs/security.md).
    @Suite("keys in memory", .timeLimit(.minutes(2)))
    struct KeyMemoryTests {
        private let backend: EchoBackend
        private let port: UInt16
        private let files: TemporaryDirectory

        init() throws {
            backend = try EchoBackend("echo")
            port = try Ports.free()
            files = try TemporaryDirectory()
        }

        private var routes: String {
            Manifest.gateway([.init(name: "tls", port: port, mode: .terminate, certificates: ["cert"])])
                + Manifest.tlsRoute("echo", to: "echo", hostnames: ["a.test"], section: "tls")
                + Manifest.service("echo", at: backend.port)
        }

        /// Waits until handshakes show a certificate, and makes a few, one of which is resumed.
        private func use(_ certificate: TestCertificate, _ sluice: some RunningSluice, port: UInt16) throws {
            _ = try sluice.program.wait(for: "the certificate") { () -> Bool? in
                let client = try? TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
                defer { client?.close() }
                return client?.peerFingerprint == certificate.fingerprint ? true : nil
            }
            for _ in 0..<8 {
                let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
                _ = try Greeting.receive(from: client)
                client.close()
            }
            try sluice.waitForMetrics("no connection") { $0.sum("sluice_tcp_connections_active") == 0 }
        }

        @Test(
            "a private key that was replaced in a folder of manifests is nowhere in memory, in no form",
            arguments: [TestKey.KeyType.ecdsaP256, .rsa2048])
        func manifests(type: TestKey.KeyType) throws {
            let authority = try TestPKI.makeCA()
            let (old, new) = (
                try authority.issue(dnsNames: ["a.test"], keyType: type),
                try authority.issue(dnsNames: ["a.test"], keyType: type)
            )
            let (oldFile, newFile) = (
                try files.write(old.privateKeyPEM, to: "old.key"), try files.write(new.privateKeyPEM, to: "new.key")
            )
            let sluice = try Sluice.ready(routes, Manifest.secret("cert", old), flags: MemoryImage.flags)
            try use(old, sluice, port: port)
            #expect(try MemoryImage(of: sluice.program, keys: oldFile).holdsKey, "the image shows a key that is in use")
            try sluice.apply(routes + Manifest.secret("cert", new))
            try use(new, sluice, port: port)
            try MemoryImage.expectNothing(of: oldFile, in: sluice.program)
            #expect(try MemoryImage(of: sluice.program, keys: newFile).holdsKey)
            try sluice.stop()
        }

        @Test("a private key that was replaced in a mounted volume is nowhere in memory, in no form")
        func volume() throws {
            let authority = try TestPKI.makeCA()
            let (old, new) = (
                try authority.issue(dnsNames: ["a.test"]), try authority.issue(dnsNames: ["a.test"])
            )
            let oldFile = try files.write(old.privateKeyPEM, to: "old.key")
            let sluice = try Sluice(routes, flags: MemoryImage.flags)
            let folder = "secrets/default/cert"
            for (file, text) in [("tls.crt", old.chainPEM), ("tls.key", old.privateKeyPEM)] {
                try sluice.manifests.replace("\(folder)/\(file)", with: text)
            }
            try sluice.waitUntilReady()
            try use(old, sluice, port: port)
            for (file, text) in [("tls.crt", new.chainPEM), ("tls.key", new.privateKeyPEM)] {
                try sluice.manifests.replace("\(folder)/\(file)", with: text)
            }
            try use(new, sluice, port: port)
            try MemoryImage.expectNothing(of: oldFile, in: sluice.program)
            try sluice.stop()
        }

        @Test("keys of session tickets that were taken out of their file are nowhere in memory")
        func tickets() throws {
            let keys = (0..<3).map { _ in
                Data((0..<80).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
            }
            let file = try files.write("\(keys[0])\n", to: "tickets")
            let gone = try files.write("\(keys[0])\n", to: "gone")
            let kept = try files.write("\(keys[2])\n", to: "kept")
            let certificate = try TestPKI.makeCA().issue(dnsNames: ["a.test"])
            let sluice = try Sluice.ready(
                routes, Manifest.secret("cert", certificate),
                flags: ["--tls-ticket-key-file", file, "--log-level", "debug"] + MemoryImage.flags)
            try use(certificate, sluice, port: port)
            #expect(try MemoryImage(of: sluice.program, keys: gone).holdsKey)
            try files.replace("tickets", with: "\(keys[2])\n\(keys[1])\n")
            // Each worker derives its keys anew at the next handshake.
            _ = try sluice.program.wait(for: "the new keys") { () -> Bool? in
                try use(certificate, sluice, port: port)
                return try MemoryImage(of: sluice.program, keys: kept).holdsKey ? true : nil
            }
            try MemoryImage.expectNothing(of: gone, in: sluice.program)
            try sluice.stop()
        }

        @Test("a private key that was replaced in a Secret of the API server is nowhere in memory, in no form")
        func cluster() throws {
            let installation = try TestInstallation()
            let authority = try TestPKI.makeCA()
            let (old, new) = (
                try authority.issue(dnsNames: ["a.test"]), try authority.issue(dnsNames: ["a.test"])
            )
            let oldFile = try files.write(old.privateKeyPEM, to: "old.key")
            try installation.serveTLS("a.test", with: old, by: backend)
            let front = try HTTP2Front(before: installation.server.address)
            let authorityFile = try files.write(front.authorityPEM, to: "front.crt")
            let replica = try installation.replica(
                kubeconfig: try installation.kubeconfig(through: front.url, authorityFile: authorityFile),
                flags: MemoryImage.flags, environment: ServedCluster.environment)
            try replica.waitUntilReady()
            let port = try installation.waitForPort(of: "echo", by: replica)
            try use(old, replica, port: port)
            #expect(try MemoryImage(of: replica.program, keys: oldFile).holdsKey)
            try installation.kubectl.apply(Manifest.secret("cert", new))
            try use(new, replica, port: port)
            try MemoryImage.expectNothing(of: oldFile, in: replica.program)
            try replica.stop()
        }

        @Test("a private key out of the cache on disk, and the key that sealed it, are nowhere in memory once replaced")
        func cache() throws {
            let installation = try TestInstallation()
            let authority = try TestPKI.makeCA()
            let (old, new) = (
                try authority.issue(dnsNames: ["a.test"]), try authority.issue(dnsNames: ["a.test"])
            )
            let oldFile = try files.write(old.privateKeyPEM, to: "old.key")
            let seals = (0..<2).map { _ in
                Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
            }
            let sealFile = try files.write(seals[0], to: "seal")
            let gone = try files.write(seals[0], to: "gone")
            let flags = CacheFolder(in: files).flags(sealedBy: sealFile)
            try installation.serveTLS("a.test", with: old, by: backend)
            let first = try installation.replica(flags: flags, environment: ServedCluster.environment)
            try first.waitUntilReady()
            let port = try installation.waitForPort(of: "echo", by: first)
            try use(old, first, port: port)
            try first.stop()

            installation.server.stopListening()
            let replica = try installation.replica(
                flags: flags + MemoryImage.flags, environment: ServedCluster.environment)
            try replica.waitUntilReady()
            try use(old, replica, port: port)
            #expect(try MemoryImage(of: replica.program, keys: oldFile).holdsKey, "it is served out of the cache")
            try files.replace("seal", with: seals[1])
            let secret = Manifest.secret("cert", new).replacing(
                "name: cert", with: "name: cert, namespace: default")
            try installation.server.put(yaml: secret)
            try installation.server.listenAgain()
            try use(new, replica, port: port)
            try replica.waitForMetrics("a cache with the other key", within: .seconds(20)) {
                $0.sum("sluice_cache_writes_total", ["result": "ok"]) > 0
            }
            try MemoryImage.expectNothing(of: oldFile, in: replica.program)
            try MemoryImage.expectNothing(of: gone, in: replica.program)
            try replica.stop()
        }
    }
}

/// Where keys stand in the memory of a process, by `Peers/memory_image.py`.
struct MemoryImage: Decodable {
    /// Places by form: `bytes`, `reversed` (as OpenSSL keeps numbers), `pem`, `base64`; `text` and `bytes` of keys of tickets.
    let counts: [String: Int]
    /// Bytes.
    let searched: Int
    let places: [String]

    /// What lets the image be taken by the user that the tests run as: root needs nothing.
    static var flags: [String] { Installation.isRoot ? [] : ["--allow-core-dumps"] }

    init(of program: Program, keys file: String) throws {
        let text = try run(try Installation.peer("memory_image.py", "\(program.identifier)", file)).checked()
        self = try JSONDecoder().decode(MemoryImage.self, from: Data(text.utf8))
        guard searched > 4 << 20 else { throw TestFailure("only \(searched) bytes could be searched") }
    }

    /// Whether the key itself is there, as those who use it have it.
    var holdsKey: Bool { (counts["reversed"] ?? 0) + (counts["bytes"] ?? 0) > 0 }

    /// Waits until nothing is left: the last to let go of an old table may do so a moment after the new one serves.
    static func expectNothing(of file: String, in program: Program, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        var image = try MemoryImage(of: program, keys: file)
        _ = try waitUntil(deadline: .seconds(5)) {
            image = try MemoryImage(of: program, keys: file)
            return image.places.isEmpty
        }
        #expect(image.places == [], sourceLocation: sourceLocation)
    }
}
