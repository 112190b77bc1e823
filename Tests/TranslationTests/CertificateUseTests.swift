import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

@Suite("Certificates in use")
struct CertificateUseTests {
    private static let lists = PolicyBench.policy(
        "lists", PolicyBench.target("Gateway", "edge", "terminate"),
        "tls: {clientValidation: {crlRefs: [{name: lists, key: crl.pem}]}}")

    private func lines(_ result: TranslationResult) -> [String] {
        result.certificates.map { use in
            let end = use.notAfter.map { "\($0)" } ?? "-"
            return "\(use.usage.rawValue) \(use.object) \(use.listener) \(end)\(use.isInvalid ? " invalid" : "")"
        }
    }

    @Test("a listener's own, the authorities of its clients, and the lists of its policies")
    func listeners() throws {
        let bench = try PolicyBench(Self.lists)
        #expect(bench.conditions("lists") == ["Accepted=True Accepted", "ResolvedRefs=True ResolvedRefs"])
        #expect(
            lines(bench.result) == [
                "client_ca infra/ca infra/edge/terminate 4000000000",
                "listener infra/cert infra/edge/terminate 4000000000",
                "crl infra/lists infra/edge/terminate -",
            ])
        #expect(Set(bench.result.certificates.map(\.version)).count == 3)
    }

    @Test("what has expired stays; what cannot be read is invalid; what is not there, or not granted, is nobody's")
    func contents() throws {
        let bench = try PolicyBench("")
        let cert = ObjectKey(namespace: "infra", name: "cert")
        var snapshot = bench.snapshot
        snapshot.asOf = 5_000_000_000
        #expect(
            lines(translate(snapshot, options: bench.options)).contains(
                "listener infra/cert infra/edge/terminate 4000000000"))
        let (good, version) = (snapshot.secrets[cert]?.keyPair, bench.result.certificates.map(\.version))
        snapshot.secrets[cert]?.keyPair = .failure(CertificateProblem("no certificate"))
        let broken = translate(snapshot, options: bench.options)
        #expect(lines(broken).contains("listener infra/cert infra/edge/terminate - invalid"))
        #expect(broken.certificates.map(\.version) != version)
        // The last good one goes on, and the new one is counted.
        snapshot.secrets[cert]?.keyPair = good
        snapshot.secrets[cert]?.staleReason = "no certificate"
        let stale = translate(snapshot, options: bench.options)
        #expect(lines(stale).contains("listener infra/cert infra/edge/terminate 4000000000 invalid"))
        #expect(stale.certificates.map(\.version) != version)
        snapshot.secrets[cert] = nil
        #expect(!lines(translate(snapshot, options: bench.options)).contains { $0.hasPrefix("listener") })

        let foreign = ObjectKey(namespace: "apps", name: "cert")
        snapshot.secrets[foreign] = SecretEntry(metadata: ObjectMeta(name: "cert", namespace: "apps"), keyPair: good)
        for (key, gateway) in snapshot.gateways where key.name == "edge" {
            var spec = gateway.spec
            for index in spec.listeners.indices {
                for place in (spec.listeners[index].tls?.certificateRefs ?? []).indices {
                    spec.listeners[index].tls?.certificateRefs?[place].namespace = "apps"
                }
            }
            snapshot.gateways[key]?.spec = spec
        }
        #expect(!lines(translate(snapshot, options: bench.options)).contains { $0.hasPrefix("listener") })
    }

    @Test("what the gateway shows to backends is the whole gateway's")
    func backends() throws {
        let bench = try PolicyBench("")
        var snapshot = bench.snapshot
        for (key, gateway) in snapshot.gateways where key.name == "edge" {
            var spec = gateway.spec
            spec.tls?.backend = Gateway.Backend(clientCertificateRef: SecretObjectReference(name: "cert"))
            snapshot.gateways[key]?.spec = spec
        }
        #expect(
            lines(translate(snapshot, options: bench.options)).contains(
                "backend_client infra/cert infra/edge/ 4000000000"))
    }
}
