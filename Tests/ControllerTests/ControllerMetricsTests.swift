import EngineModel
import KubernetesAPI
import Observability
import Platform
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("Metrics of the controller")
struct ControllerMetricsTests {
    private func families(_ state: ControllerState) throws -> [String: StrictPrometheusParser.Family] {
        var text = PrometheusText()
        state.append(to: &text)
        return try StrictPrometheusParser.parse(text.text)
    }

    private func use(
        _ name: String, _ version: String, at listener: String = "tls", usage: CertificateUse.Usage = .listener,
        until notAfter: Int64? = 1_800_000_000, invalid: Bool = false
    ) -> CertificateUse {
        CertificateUse(
            usage: usage, object: ObjectKey(namespace: "infra", name: name),
            listener: ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: listener), notAfter: notAfter,
            isInvalid: invalid, version: version)
    }

    @Test("each certificate says until when, for each listener; versions are counted once, and go with the last use")
    func certificates() throws {
        var state = ControllerState()
        func reloads(_ name: String, _ result: String) throws -> String? {
            try families(state)["sluice_tls_certificate_reloads_total"]?
                .value(["secret_namespace": "infra", "secret": name, "result": result])
        }
        state.certificates.update([use("a", "1"), use("a", "1", at: "other"), use("b", "1", until: nil, invalid: true)])
        let family = try #require(families(state)["sluice_tls_certificate_not_after_timestamp_seconds"])
        let place = ["gateway_namespace": "infra", "gateway": "edge", "secret_namespace": "infra", "secret": "a"]
        for listener in ["tls", "other"] {
            let labels = place.merging(["listener": listener, "usage": "listener"]) { $1 }
            #expect(family.value(labels) == "1800000000")
        }
        #expect(family.samples.count == 2)
        #expect(try [reloads("a", "ok"), reloads("a", "invalid")] == ["1", "0"])
        #expect(try [reloads("b", "ok"), reloads("b", "invalid")] == ["0", "1"])

        state.certificates.update([use("a", "1"), use("b", "1", until: nil, invalid: true)])
        #expect(try reloads("a", "ok") == "1")
        state.certificates.update([use("a", "2"), use("b", "2")])
        state.certificates.update([
            use("a", "2 stale", invalid: true), use("b", "2"), use("b", "k", usage: .backendClient),
        ])
        #expect(try [reloads("a", "ok"), reloads("a", "invalid")] == ["2", "1"])
        #expect(try [reloads("b", "ok"), reloads("b", "invalid")] == ["2", "1"])
        state.certificates.update([use("b", "2")])
        #expect(try reloads("a", "ok") == nil)
        state.certificates.update([])
        #expect(try families(state)["sluice_tls_certificate_not_after_timestamp_seconds"] == nil)
        #expect(try families(state)["sluice_tls_certificate_reloads_total"] == nil)
    }

    @Test("what was worked through is counted by how much it was and what came of it")
    func reconciles() throws {
        var options = TranslationOptions()
        options.standalone = true
        let controller = Controller(
            target: RecordingTarget(), options: options, logger: .disabled, localAddresses: { [] })
        try controller.start()
        defer { controller.stop() }
        func submit(_ ports: [Int], _ time: Int64, _ loads: UInt64) {
            var snapshot = ClusterSnapshot(asOf: time)
            let gateway = Gateway(
                metadata: ObjectMeta(name: "edge"),
                spec: .init(
                    gatewayClassName: "sluice",
                    listeners: ports.map { .init(name: "p\($0)", port: $0, protocol: .tcp) }))
            snapshot.gateways[gateway.key] = gateway
            controller.submit(snapshot, isComplete: true)
            #expect(waitUntil { controller.state.reloads.succeeded == loads })
        }
        func count(_ kind: String, _ result: String) throws -> String? {
            let (families, labels) = (try families(controller.state), ["kind": kind, "result": result])
            let counts = [
                families["sluice_reconciles_total"]?.value(labels),
                families["sluice_reconcile_duration_seconds"]?.value(labels, suffix: "_count"),
            ]
            #expect(counts[0] == counts[1])
            return counts[0]
        }
        submit([9000], 1000, 1)
        submit([9000, 9001], 1000, 2)
        #expect(try count("full", "applied") == "2")
        #expect(try count("full", "unchanged") == nil)
        submit([9000, 9001], 1001, 3)
        let unchanged = try (count("full", "unchanged") ?? "0", count("incremental", "unchanged") ?? "0")
        #expect(unchanged == ("0", "1") || unchanged == ("1", "0"))
        #expect(try count("full", "applied") == "2")
    }
}
