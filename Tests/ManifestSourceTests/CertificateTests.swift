import Glibc
import KubernetesAPI
@testable import ManifestSource
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Certificates in manifests and volumes", .timeLimit(.minutes(1)))
struct CertificateTests {
    private let folder: TemporaryDirectory
    private let authority: TestCA
    private let key = ObjectKey(namespace: "default", name: "tls")

    init() throws {
        folder = try TemporaryDirectory()
        authority = try TestPKI.makeCA()
    }

    private func issue(_ name: String) throws -> TestCertificate {
        try authority.issue(TestCertificateRequest(commonName: name, dnsNames: [name]))
    }

    private func secret(_ certificate: String, _ key: String) -> String {
        func block(_ text: String) -> String { text.split(separator: "\n").map { "    \($0)\n" }.joined() }
        return "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\ntype: kubernetes.io/tls\nstringData:\n"
            + "  tls.crt: |\n\(block(certificate))  tls.key: |\n\(block(key))"
    }

    private func names(_ state: ManifestSnapshot, _ key: ObjectKey) -> [String]? {
        guard case .success(let facts)? = state.snapshot.secrets[key]?.keyPair else { return nil }
        return facts.dnsNames.map(\.description)
    }

    @Test("a Secret becomes facts; one that does not match is reported, and is not a usable pair")
    func secrets() throws {
        let (one, two) = (try issue("a.example"), try issue("b.example"))
        try folder.write(secret(one.chainPEM, one.privateKeyPEM), to: "s.yaml")
        #expect(names(ManifestSource.load([folder.path]), key) == ["a.example"])
        try folder.write(secret(one.chainPEM, two.privateKeyPEM), to: "s.yaml")
        let state = ManifestSource.load([folder.path])
        guard case .failure(let problem)? = state.snapshot.secrets[key]?.keyPair else {
            Issue.record("expected a failure")
            return
        }
        #expect(problem.message.contains("does not match"))
        #expect(state.problems.map(\.field) == ["data[tls.crt]"])
        #expect(!"\(state)".contains("BEGIN"))
    }

    @Test("a ConfigMap's ca.crt becomes facts")
    func configMap() throws {
        let text = authority.pem.split(separator: "\n").map { "    \($0)\n" }.joined()
        try folder.write(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca}\ndata:\n  ca.crt: |\n\(text)", to: "c.yaml")
        let entry = ManifestSource.load([folder.path]).snapshot.configMaps[ObjectKey(namespace: "default", name: "ca")]
        guard case .success(let facts)? = entry?.caCertificates else {
            Issue.record("expected facts")
            return
        }
        #expect(facts.subjects.count == 1)
    }

    @Test("keys of ConfigMaps and Secrets are read as lists; that they are none is for those who refer to them to say")
    func lists() throws {
        let list = try authority.revocationList()
        let text = list.pem.split(separator: "\n").map { "    \($0)\n" }.joined()
        try folder.write(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lists}\ndata:\n  ca.crl: |\n\(text)"
                + "  deny: |\n    # none\n    10.0.0.0/8\n  bad: |\n    10.0.0.1\n    x\nbinaryData:\n  bytes: MTAuMC4wLjE=\n",
            to: "c.yaml")
        try folder.write(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: tls}\nstringData:\n  password: secret\n  ca.crl: |\n\(text)",
            to: "s.yaml")
        let state = ManifestSource.load([folder.path])
        #expect(state.problemLines == [])
        let map = try #require(state.snapshot.configMaps[ObjectKey(namespace: "default", name: "lists")])
        #expect(try map.revocationLists["ca.crl"]?.get().issuers == ["CN=Test CA"])
        #expect(try map.addressLists["deny"]?.get().addresses == CIDRSet([try #require(CIDR("10.0.0.0/8"))]))
        #expect(map.addressLists["bad"] == .failure(AddressListProblem(line: 2, text: "x")))
        #expect(try map.addressLists["bytes"]?.get().count == 1)
        let secret = try #require(state.snapshot.secrets[key])
        #expect(secret.revocationLists["ca.crl"] == map.revocationLists["ca.crl"])
        #expect(Set(secret.revocationLists.keys) == ["ca.crl", "password"])
        #expect(
            state.snapshot.nextValidityChange == (try map.revocationLists["ca.crl"]?.get().nextUpdate.map { $0 + 1 }))
        #expect(!"\(state)".contains("secret\""))
    }

    @Test("mounted volumes count as Secret; with ca.crt alone as Secret and ConfigMap")
    func volumes() throws {
        let pair = try issue("a.example")
        try folder.write(pair.chainPEM, to: "secrets/shop/web/tls.crt")
        try folder.write(pair.privateKeyPEM, to: "secrets/shop/web/tls.key")
        try folder.write(authority.pem, to: "secrets/shop/ca/ca.crt")
        try folder.write("x", to: "secrets/shop/web/other.txt")
        let state = ManifestSource.load([folder.path])
        #expect(state.problemLines == [])
        #expect(names(state, ObjectKey(namespace: "shop", name: "web")) == ["a.example"])
        #expect(state.snapshot.secrets.count == 2)
        #expect(state.snapshot.configMaps.keys.map(\.description) == ["shop/ca"])
    }

    @Test("a Secret that becomes bad keeps the last good pair, and says why, until it is good again")
    func staleSecret() throws {
        let (one, two) = (try issue("a.example"), try issue("b.example"))
        try folder.write(secret(one.chainPEM, one.privateKeyPEM), to: "s.yaml")
        let running = try RunningSource(folder.path)
        try running.wait("the first pair") { names($0, key) == ["a.example"] }
        try folder.replace("s.yaml", with: secret(two.chainPEM, one.privateKeyPEM))
        let stale = try running.wait("a reason") { $0.snapshot.secrets[key]?.staleReason != nil }
        #expect(names(stale, key) == ["a.example"])
        #expect(stale.problems.count == 1)
        try folder.replace("s.yaml", with: secret(two.chainPEM, two.privateKeyPEM))
        let good = try running.wait("the second pair") { names($0, key) == ["b.example"] }
        #expect(good.problems.isEmpty)
        #expect(good.snapshot.secrets[key]?.staleReason == nil)
    }

    @Test("a certificate's end is a new state, with the time at which it came")
    func expiry() throws {
        var request = TestCertificateRequest(commonName: "a.example", dnsNames: ["a.example"])
        request.notAfter = 2
        let pair = try authority.issue(request)
        try folder.write(secret(pair.chainPEM, pair.privateKeyPEM), to: "s.yaml")
        let running = try RunningSource(folder.path)
        let first = try running.wait("the pair") { names($0, key) == ["a.example"] }
        let end = try #require(first.snapshot.nextValidityChange)
        #expect(end > first.snapshot.asOf)
        // Events without a meaning here must not put off what is due.
        let noise = try BackgroundWork { [folder] in
            for _ in 0..<250 {
                try folder.write("x", to: "noise.txt")
                usleep(10_000)
            }
        }
        defer { _ = try? noise.value() }
        let second = try running.wait("its end") { $0.snapshot.asOf >= end }
        #expect(second.isSame(as: first))
        #expect(running.count == 2)
    }

    @Test("crt and key written one after the other pass without a word; a pair that stays bad is reported")
    func volumePatience() throws {
        let key = ObjectKey(namespace: "shop", name: "web")
        let (one, two) = (try issue("a.example"), try issue("b.example"))
        try folder.write(one.chainPEM, to: "secrets/shop/web/tls.crt")
        try folder.write(one.privateKeyPEM, to: "secrets/shop/web/tls.key")
        var options = ManifestSource.Options()
        options.pairPatience = .milliseconds(400)
        let running = try RunningSource(folder.path, options: options)
        try running.wait("the first pair") { names($0, key) == ["a.example"] }

        try folder.write(two.chainPEM, to: "secrets/shop/web/tls.crt")
        try folder.write(gateway("marker"), to: "marker.yaml")
        try running.wait("a change after the half pair") { !$0.gatewayNames.isEmpty }
        try folder.write(two.privateKeyPEM, to: "secrets/shop/web/tls.key")
        try running.wait("the second pair") { names($0, key) == ["b.example"] }
        #expect(running.all.allSatisfy { $0.problems.isEmpty && $0.snapshot.secrets[key]?.staleReason == nil })

        try folder.write(one.chainPEM, to: "secrets/shop/web/tls.crt")
        let bad = try running.wait("the report") { !$0.problems.isEmpty }
        #expect(names(bad, key) == ["b.example"])
        #expect(bad.snapshot.secrets[key]?.staleReason?.contains("does not match") == true)
        #expect(bad.problems.map(\.file) == ["\(folder.path)/secrets/shop/web/tls.crt"])
    }
}
