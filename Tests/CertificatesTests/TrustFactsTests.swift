import Certificates
import Primitives
import TestSupport
import Testing

@Suite("Trust facts")
struct TrustFactsTests {
    @Test("a bundle gives its subjects in order and the earliest end")
    func bundle() throws {
        let first = try TestPKI.makeCA("Zürich \"Root\"")
        let second = try TestPKI.makeCA("Alpha", keyType: .rsa2048)
        let short = try first.issue(dnsNames: ["leaf.example"], notAfter: 60)
        let facts = try trustFacts(pem: Array((first.pem + second.pem + short.leafPEM).utf8)).get()
        #expect(facts.subjects == ["CN=Zürich \\\"Root\\\"", "CN=Alpha", "CN=leaf.example"])
        let alone = try trustFacts(pem: Array(short.leafPEM.utf8)).get()
        #expect(facts.notAfter == alone.notAfter)
        #expect(facts.material != alone.material)
        let storage = try #require(facts.material.storage as? TrustStorage)
        #expect(storage.certificates.count == 3)
    }

    @Test("what is no bundle is answered in words")
    func garbage() throws {
        let key = try TestKey(.ecdsaP256).pem()
        #expect(trustFacts(pem: []).problem == "ca.crt holds no certificate: no PEM block")
        #expect(trustFacts(pem: Array(key.utf8)).problem == "ca.crt holds no certificate; its PEM blocks: PRIVATE KEY")
    }
}

extension Result where Failure == CertificateProblem {
    var problem: String? {
        if case .failure(let problem) = self { problem.message } else { nil }
    }
}
