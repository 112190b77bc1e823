import Certificates
import Primitives
import TestSupport
import Testing

@Suite("Key pair facts")
struct KeyPairFactsTests {
    private let ca: TestCA
    init() throws { ca = try TestPKI.makeCA("Facts CA") }

    private func facts(_ certificate: String, _ key: String) throws -> KeyPairFacts {
        try keyPairFacts(certificatePEM: Array(certificate.utf8), privateKeyPEM: Array(key.utf8)).get()
    }

    private func problem(_ certificate: String, _ key: String) -> String {
        switch keyPairFacts(certificatePEM: Array(certificate.utf8), privateKeyPEM: Array(key.utf8)) {
        case .success(let facts): "usable: \(facts)"
        case .failure(let problem): problem.message
        }
    }

    @Test(
        "each supported key type gives its facts",
        arguments: [
            (TestKey.KeyType.rsa2048, KeyPairFacts.KeyType.rsa(bits: 2048)),
            (.ecdsaP256, .ecdsa(curve: "P-256")), (.ecdsa(curve: "P-384"), .ecdsa(curve: "P-384")),
            (.ecdsa(curve: "P-521"), .ecdsa(curve: "P-521")), (.ed25519, .other("Ed25519")),
        ])
    func keyTypes(type: TestKey.KeyType, expected: KeyPairFacts.KeyType) throws {
        let issued = try ca.issue(dnsNames: ["WWW.Example.com", "*.example.org"], keyType: type)
        let facts = try facts(issued.chainPEM, issued.privateKeyPEM)
        #expect(facts.keyType == expected)
        #expect(facts.dnsNames == [.exact("www.example.com"), .wildcard(suffix: "example.org")])
        #expect(facts.notAfter - facts.notBefore == 25 * 3600)
        #expect(facts.chainLength == 1)
        #expect(facts.chainProblems == [])
        #expect(facts.spkiHash.utf8.count == 44 && facts.spkiHash.hasSuffix("="))
        #expect(facts.material.fingerprint.utf8.count == 64)
        #expect(facts.fingerprint == issued.fingerprint)
        #expect(facts.material.storage is KeyPairStorage)
    }

    @Test("the validity is that of the leaf, and an expired pair is usable")
    func expired() throws {
        let issued = try ca.issue(dnsNames: ["a.example"], notBefore: -7200, notAfter: -3600)
        let facts = try facts(issued.chainPEM, issued.privateKeyPEM)
        #expect(facts.notAfter - facts.notBefore == 3600)
        #expect(facts.notAfter * 1_000_000_000 < 4_102_444_800_000_000_000)
    }

    @Test("a chain with its intermediate has no problems, and its storage holds both")
    func chain() throws {
        let issued = try ca.issue(dnsNames: ["a.example"], intermediate: true)
        let facts = try facts(issued.chainPEM, issued.privateKeyPEM)
        #expect(facts.chainLength == 2)
        #expect(facts.chainProblems == [])
        let storage = try #require(facts.material.storage as? KeyPairStorage)
        #expect(storage.chain.count == 1)
    }

    @Test("equal bytes give equal facts, a renewed certificate on the same key another fingerprint")
    func identity() throws {
        var request = TestCertificateRequest(commonName: "a.example", dnsNames: ["a.example"])
        request.key = try TestKey(.ecdsaP256)
        let first = try ca.issue(request)
        let renewed = try ca.issue(request)
        let facts1 = try facts(first.chainPEM, first.privateKeyPEM)
        #expect(try facts(first.chainPEM, first.privateKeyPEM) == facts1)
        let facts2 = try facts(renewed.chainPEM, renewed.privateKeyPEM)
        #expect(facts2.spkiHash == facts1.spkiHash)
        #expect(facts2.material != facts1.material)
    }

    @Test(
        "the traditional forms of a key are read", arguments: [TestKey.KeyType.rsa2048, .ecdsaP256])
    func traditionalForms(type: TestKey.KeyType) throws {
        let issued = try ca.issue(dnsNames: ["a.example"], keyType: type)
        let traditional = try issued.key.pem(.traditional)
        #expect(!traditional.contains("BEGIN PRIVATE KEY"))
        #expect(try facts(issued.chainPEM, traditional) == facts(issued.chainPEM, issued.privateKeyPEM))
    }

    @Test("text around the blocks, CRLF, a byte order mark and a certificate beside the key do no harm")
    func tolerated() throws {
        let issued = try ca.issue(dnsNames: ["a.example"])
        let expected = try facts(issued.chainPEM, issued.privateKeyPEM)
        let windows = "\u{feff}" + issued.chainPEM.split(separator: "\n").joined(separator: "\r\n") + "\r\n"
        #expect(try facts(windows, issued.privateKeyPEM) == expected)
        #expect(try facts("subject=CN\n\n" + issued.chainPEM + "\ntail", issued.privateKeyPEM) == expected)
        #expect(try facts(issued.chainPEM, issued.chainPEM + issued.privateKeyPEM) == expected)
    }

    @Test("a key of another type names both types")
    func mismatchOfTypes() throws {
        let issued = try ca.issue(dnsNames: ["a.example"])
        let other = try TestKey(.rsa2048).pem()
        let message = problem(issued.chainPEM, other)
        #expect(message.hasPrefix("tls.key (RSA 2048, public key sha256:"), "\(message)")
        #expect(message.contains("does not match the certificate CN=a.example in tls.crt (ECDSA P-256, "))
    }

    @Test("another key of the same type differs in its hash")
    func mismatchOfKeys() throws {
        let issued = try ca.issue(dnsNames: ["a.example"])
        let message = problem(issued.chainPEM, try TestKey(.ecdsaP256).pem())
        #expect(message.hasPrefix("tls.key (ECDSA P-256, public key sha256:"), "\(message)")
    }

    @Test("a leaf that is not first is found")
    func leafNotFirst() throws {
        let issued = try ca.issue(dnsNames: ["a.example"], intermediate: true)
        let message = problem((issued.intermediatePEM ?? "") + issued.leafPEM, issued.privateKeyPEM)
        #expect(
            message.hasPrefix("tls.crt: certificate 2 of 2 (CN=a.example) belongs to tls.key but is not first"),
            "\(message)")
    }

    @Test("a key that signs with other secrets than its public half promises is refused")
    func damagedKey() throws {
        let issued = try ca.issue(dnsNames: ["a.example"])
        let message = problem(issued.chainPEM, try foreignSecret(in: issued.key))
        #expect(message == "tls.key is damaged: what it signs does not verify with the certificate in tls.crt")
    }

    @Test("what is no key pair is answered in words")
    func garbage() throws {
        let issued = try ca.issue(dnsNames: ["a.example"])
        let (crt, key) = (issued.chainPEM, issued.privateKeyPEM)
        #expect(problem("", key) == "tls.crt holds no certificate: no PEM block")
        #expect(problem("0\u{3}", key) == "tls.crt looks like DER or PKCS #12; PEM is needed")
        #expect(problem(key, key) == "tls.crt holds no certificate; its PEM blocks: PRIVATE KEY")
        #expect(problem(crt, "") == "tls.key holds no private key: no PEM block")
        #expect(problem(crt, try issued.key.publicPEM()) == "tls.key holds no private key; its PEM blocks: PUBLIC KEY")
        #expect(problem(crt, key + key) == "tls.key holds 2 private keys; exactly one is needed")
        let broken = "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"
        #expect(problem(crt + broken, key).hasPrefix("tls.crt: PEM block 2 (line "))
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
        #expect(
            problem(empty, key).hasPrefix("tls.crt: PEM block 1 (CERTIFICATE, line 1) is no readable certificate: "))
        let indented = crt.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
        #expect(problem(indented, key) == "tls.crt: line 1 of the PEM text is indented")
        let ssh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"
        #expect(problem(crt, ssh).contains("OPENSSH PRIVATE KEY is not supported; PKCS #8"))
    }

    @Test("an encrypted key is refused and nobody is asked for its passphrase")
    func encrypted() throws {
        let issued = try ca.issue(dnsNames: ["a.example"])
        let expected = "tls.key: the private key is encrypted; it must be stored without a passphrase"
        for form in [TestKey.Form.encryptedPKCS8(passphrase: "secret"), .encryptedTraditional(passphrase: "secret")] {
            #expect(problem(issued.chainPEM, try issued.key.pem(form)) == expected)
        }
    }

    @Test("keys that TLS refuses are named")
    func unusableKeys() throws {
        let weak = try ca.issue(dnsNames: ["a.example"], keyType: .rsa(bits: 1024))
        #expect(
            problem(weak.chainPEM, weak.privateKeyPEM)
                == "tls.crt: the key of the certificate CN=a.example (RSA 1024) cannot be used: RSA keys below 2048 bits "
                + "are refused by TLS libraries")
        let curve = try ca.issue(dnsNames: ["a.example"], keyType: .ecdsa(curve: "secp256k1"))
        #expect(problem(curve.chainPEM, curve.privateKeyPEM).contains("(ECDSA secp256k1) cannot be used"))
    }

    @Test("a weak certificate in the chain is refused in OpenSSL's words")
    func weakChain() throws {
        let weak = try TestPKI.makeCA("Weak", keyType: .rsa(bits: 1024))
        let issued = try ca.issue(dnsNames: ["a.example"])
        #expect(
            problem(issued.chainPEM + weak.pem, issued.privateKeyPEM)
                == "tls.crt cannot be used with tls.key: ca key too small")
    }
}
