import Certificates
import Primitives
import TestSupport
import Testing

@Suite("Names and chains of a key pair")
struct CertificateNamesTests {
    private let ca: TestCA
    init() throws { ca = try TestPKI.makeCA("Names CA") }

    private func facts(_ issued: TestCertificate, chain: String? = nil) throws -> KeyPairFacts {
        try keyPairFacts(
            certificatePEM: Array((chain ?? issued.chainPEM).utf8), privateKeyPEM: Array(issued.privateKeyPEM.utf8)
        ).get()
    }

    @Test("names that are no host names are passed over and told")
    func oddNames() throws {
        let odd = ["*", "f*.example.com", "a.*.example.com", "under_score.example", "bücher.example", "1.2.3.4", ""]
        let issued = try ca.issue(dnsNames: ["good.example"] + odd + ["good.example"])
        let facts = try facts(issued)
        #expect(facts.dnsNames == [.exact("good.example")])
        #expect(facts.chainProblems.count == odd.count)
        #expect(facts.chainProblems.first == "name \"*\" is not a host name and is not served")
    }

    @Test("a NUL inside a name does not shorten it")
    func embeddedNUL() throws {
        let facts = try facts(try ca.issue(dnsNames: ["good.example\0.evil.example"]))
        #expect(facts.dnsNames == [])
        #expect(facts.chainProblems == ["name \"good.example?.evil.example\" is not a host name and is not served"])
    }

    @Test("the common name counts where there is no DNS name in subjectAltName")
    func commonName() throws {
        let plain = try facts(try ca.issue(TestCertificateRequest(commonName: "CN.example")))
        #expect(plain.dnsNames == [.exact("cn.example")])
        #expect(plain.chainProblems.count == 1)
        var request = TestCertificateRequest(commonName: "cn.example")
        request.ips = ["127.0.0.1", "::1"]
        request.uris = ["spiffe://a/b"]
        #expect(try facts(try ca.issue(request)).dnsNames == [.exact("cn.example")])
        request.dnsNames = ["san.example"]
        #expect(try facts(try ca.issue(request)).dnsNames == [.exact("san.example")])
        let spoken = try facts(try ca.issue(TestCertificateRequest(commonName: "A person, really")))
        #expect(spoken.dnsNames == [])
        #expect(spoken.chainProblems == [])
    }

    @Test("a chain in the wrong order, with a gap, a stranger or a repetition says so")
    func chainProblems() throws {
        let issued = try ca.issue(dnsNames: ["a.example"], intermediate: true)
        let other = try TestPKI.makeCA("Other CA")
        let middle = issued.intermediatePEM ?? ""
        #expect(try facts(issued, chain: issued.leafPEM + middle + ca.pem).chainProblems == [])
        #expect(
            try facts(issued, chain: issued.leafPEM + ca.pem + middle).chainProblems.first
                == "certificate 2 (CN=Names CA) is out of order: certificate 1 was issued by certificate 3 "
                + "(CN=Names CA Intermediate), which belongs right after it")
        #expect(
            try facts(issued, chain: issued.leafPEM + ca.pem).chainProblems
                == [
                    "certificate 2 (CN=Names CA) did not issue certificate 1: its issuer CN=Names CA Intermediate is missing"
                ])
        #expect(
            try facts(issued, chain: issued.leafPEM + middle + middle).chainProblems
                == ["certificate 3 (CN=Names CA Intermediate) repeats certificate 2"])
        #expect(
            try facts(issued, chain: issued.leafPEM + middle + ca.pem + other.pem).chainProblems
                == ["certificate 4 (CN=Other CA) is superfluous: certificate 3 is self-signed"])
    }

    @Test("an issuer that ends before the leaf and a leaf that is not for servers are told")
    func validityAndPurpose() throws {
        let long = try ca.issue(dnsNames: ["a.example"], notAfter: 800 * 24 * 3600, intermediate: true)
        #expect(
            try facts(long).chainProblems == ["certificate 2 (CN=Names CA Intermediate) expires before the leaf"])
        var request = TestCertificateRequest(dnsNames: ["a.example"])
        request.extendedKeyUsage = "clientAuth"
        #expect(
            try facts(try ca.issue(request)).chainProblems
                == ["the certificate's extended key usage does not allow TLS servers"])
    }

    @Test("a leaf alone from an issuer that publishes its certificate lacks the intermediate")
    func missingIntermediate() throws {
        var request = TestCertificateRequest(dnsNames: ["a.example"])
        request.issuerURL = "http://ca.example/issuer.cer"
        let issued = try ca.issue(request, intermediate: true)
        #expect(
            try facts(issued, chain: issued.leafPEM).chainProblems
                == [
                    "the intermediate certificate CN=Names CA Intermediate is not in tls.crt; "
                        + "some clients will not trust it"
                ])
        #expect(try facts(issued).chainProblems == [])
    }

    @Test("a self-signed certificate is usable")
    func selfSigned() throws {
        var request = TestCertificateRequest(commonName: "self.example", dnsNames: ["self.example"])
        request.keyType = .ed25519
        let facts = try facts(try TestPKI.selfSigned(request))
        #expect(facts.dnsNames == [.exact("self.example")])
        #expect(facts.chainProblems == [])
    }
}
