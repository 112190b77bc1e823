import COpenSSL
import Certificates
import Primitives
import TestSupport
import Testing

@Suite("Hostile PEM", .timeLimit(.minutes(2)))
struct HostileInputTests {
    private let certificate: [UInt8]
    private let key: [UInt8]

    init() throws {
        let issued = try TestPKI.makeCA().issue(dnsNames: ["a.example", "*.b.example"], intermediate: true)
        certificate = Array(issued.chainPEM.utf8)
        key = Array(issued.privateKeyPEM.utf8)
    }

    @Test("a chain cut anywhere is a problem, or a shorter chain that says nothing wrong")
    func truncatedCertificate() {
        for length in 0..<certificate.count {
            let result = keyPairFacts(certificatePEM: Array(certificate.prefix(length)), privateKeyPEM: key)
            if case .success(let facts) = result {
                #expect(facts.dnsNames.count == 2, "cut at \(length)")
            }
            _ = trustFacts(pem: Array(certificate.prefix(length)))
        }
        #expect(ERR_peek_error() == 0)
    }

    @Test("a key cut anywhere is a problem")
    func truncatedKey() {
        // The newline after the last line is the one byte that may lack.
        for length in 0..<(key.count - 1) {
            let result = keyPairFacts(certificatePEM: certificate, privateKeyPEM: Array(key.prefix(length)))
            #expect(result.problem != nil, "cut at \(length)")
        }
        #expect(ERR_peek_error() == 0)
    }

    @Test("a thousand random changes neither trap nor let another key through")
    func mutations() throws {
        let original = try keyPairFacts(certificatePEM: certificate, privateKeyPEM: key).get()
        var generator = SplitMix64(seed: 20_260_801)
        for _ in 0..<1000 {
            var (crt, secret) = (certificate, key)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                mutate(&crt, &generator)
                if Bool.random(using: &generator) { mutate(&secret, &generator) }
            }
            if case .success(let facts) = keyPairFacts(certificatePEM: crt, privateKeyPEM: secret) {
                #expect(facts.spkiHash == original.spkiHash)
            }
            _ = keyPairFacts(certificatePEM: certificate, privateKeyPEM: secret)
            _ = trustFacts(pem: crt)
            #expect(ERR_peek_error() == 0)
        }
    }

    @Test("random bytes are a problem")
    func noise() {
        for seed in 0..<200 {
            let bytes = testBytes(512, seed: UInt64(seed))
            #expect(keyPairFacts(certificatePEM: bytes, privateKeyPEM: bytes).problem != nil)
            let armoured =
                Array("-----BEGIN CERTIFICATE-----\n".utf8) + bytes + Array("\n-----END CERTIFICATE-----\n".utf8)
            #expect(trustFacts(pem: armoured).problem != nil)
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SplitMix64) {
        let index = Int.random(in: bytes.indices, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(bytes[index], at: index)
        default:
            let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=".utf8)
            bytes[index] = alphabet[Int.random(in: alphabet.indices, using: &generator)]
        }
    }
}
