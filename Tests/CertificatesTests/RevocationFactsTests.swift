import Certificates
import Primitives
import TestSupport
import Testing

@Suite("Revocation facts")
struct RevocationFactsTests {
    private let authority: TestCA

    init() throws { authority = try TestPKI.makeCA("Alpha") }

    @Test("a bundle gives its issuers in order and the earliest next update; other blocks are passed over")
    func bundle() throws {
        let leaf = try authority.issue(dnsNames: ["a.example"])
        let first = try authority.revocationList(revoking: [leaf], nextUpdate: 7200)
        let second = try TestPKI.makeCA("Beta").revocationList(nextUpdate: 3600)
        let bytes = Array((first.pem + authority.pem + second.pem).utf8)
        let facts = try revocationFacts(bytes, file: "ca.crl").get()
        #expect(facts.issuers == ["CN=Alpha", "CN=Beta"])
        let alone = try revocationFacts(Array(second.pem.utf8), file: "ca.crl").get()
        #expect(facts.nextUpdate == alone.nextUpdate && facts.material != alone.material)
        let storage = try #require(facts.material.storage as? RevocationStorage)
        #expect(storage.count == 2)
    }

    @Test("DER and PEM of one list are the same; a list need not say when the next one comes")
    func forms() throws {
        let list = try authority.revocationList(nextUpdate: nil)
        let pem = try revocationFacts(Array(list.pem.utf8), file: "a").get()
        #expect(try revocationFacts(list.der, file: "b").get() == pem)
        #expect(pem.nextUpdate == nil)
    }

    @Test("what is no list is answered in words, without its bytes")
    func garbage() throws {
        let list = try authority.revocationList()
        #expect(revocationFacts([], file: "x").problem == "x holds no certificate revocation list")
        #expect(
            revocationFacts(Array(authority.pem.utf8), file: "x").problem == "x holds no certificate revocation list")
        #expect(revocationFacts(list.der + [0], file: "x").problem?.hasPrefix("x is no readable") == true)
        #expect(revocationFacts(Array(list.der.dropLast()), file: "x").problem?.hasPrefix("x is no readable") == true)
        let cut = list.pem.split(separator: "\n").enumerated().filter { $0.offset != 1 }.map(\.element)
        let problem = revocationFacts(Array(cut.joined(separator: "\n").utf8), file: "x").problem
        #expect(problem?.contains("PEM block 1 (X509 CRL, line 1) is no readable certificate revocation list") == true)
    }

    @Test("facts are computed once per content of a key, and forgotten with the key")
    func cache() throws {
        let cache = FactsCache<String>()
        let (one, two) = (try authority.revocationList().pem, try authority.revocationList(nextUpdate: 60).pem)
        let files = ["a.crl": Array(one.utf8), "ca.crt": Array(authority.pem.utf8), "deny": Array("10.0.0.0/8".utf8)]
        let first = cache.revocationLists(of: "o", files: files)
        #expect(Set(first.keys) == ["a.crl", "deny"] && cache.computations == 2)
        #expect(first["deny"]?.problem == "deny holds no certificate revocation list")
        #expect(cache.revocationLists(of: "o", files: files) == first && cache.computations == 2)
        let changed = cache.revocationLists(of: "o", files: ["a.crl": Array(two.utf8)])
        #expect(changed["a.crl"] != first["a.crl"] && changed.count == 1 && cache.computations == 3)
        let lists = cache.addressLists(of: "o", files: files)
        #expect(try lists["deny"]?.get().count == 1)
        #expect(lists["a.crl"] == .failure(AddressListProblem(line: 1, text: "-----BEGIN X509 CRL-----")))
    }

    @Test("a list that says less than it seems to is refused")
    func kinds() throws {
        func problem(_ pem: String) -> String? { revocationFacts(Array(pem.utf8), file: "crl.pem").problem }
        let cases = [
            ("critical,indirectCRL:TRUE", "it speaks for other issuers (indirect)"),
            ("critical,onlyAA:TRUE", "it is about attribute certificates"),
            ("critical,onlysomereasons:keyCompromise", "it holds only some reasons of revocation"),
        ]
        for (point, reason) in cases {
            var request = TestRevocationRequest()
            request.distributionPoint = point
            let text = try #require(problem(authority.revocationPEM(request)))
            #expect(text == "crl.pem: PEM block 1 (X509 CRL, line 1) cannot be used: \(reason)")
        }
        var delta = TestRevocationRequest()
        delta.isDelta = true
        #expect(try #require(problem(authority.revocationPEM(delta))).contains("delta list"))
    }

    @Test("a list with any byte changed is refused, or read and believed by nobody")
    func mutations() throws {
        var request = TestRevocationRequest(revoking: try authority.issue(dnsNames: ["a.example"]))
        request.distributionPoint = "critical,fullname:URI:http://crl.test/a"
        let list = try authority.revocationList(request).der
        let issuer = try #require(trustFacts(pem: Array(authority.pem.utf8)).get().material.storage as? TrustStorage)
        let certificate = try #require(issuer.certificates.first)
        for index in list.indices {
            for change: UInt8 in [0x01, 0x80, 0xff] {
                var changed = list
                changed[index] ^= change
                guard case .success(let facts) = revocationFacts(changed, file: "x") else { continue }
                let storage = try #require(facts.material.storage as? RevocationStorage)
                storage.prepare(for: certificate)
                #expect(storage.status(of: certificate, issuedBy: certificate, at: 0) == .notCovered, "\(index)")
            }
        }
    }
}
