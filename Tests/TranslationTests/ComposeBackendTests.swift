import EngineModel
import KubernetesAPI
import Testing
import Translation

@Suite("What the engine's names say of Backends")
struct ComposeBackendTests {
    private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "a", name: name) }
    private func id(_ name: String, kind: String = "Backend") -> BackendID {
        BackendID(kind: kind, namespace: "a", name: name, port: kind == "Service" ? 80 : 0)
    }

    private var report: StatusReport {
        var report = StatusReport()
        for name in ["good", "bad", "quiet"] {
            report.backends[key(name)] = BackendStatus(conditions: [
                Condition(.accepted, .true, .accepted, observedGeneration: 7)
            ])
        }
        return report
    }

    private func refs(_ report: StatusReport, _ name: String) -> Condition? {
        report.backends[key(name)]?.conditions.first { $0.type == .resolvedRefs }
    }

    @Test("names that resolve, those that do not, and those of which nothing is known")
    func states() {
        var acknowledgement = Acknowledgement(generation: 1, bindings: [:])
        acknowledgement.resolved = [id("good"), id("good", kind: "Service"), id("unknown")]
        acknowledgement.unresolved = [id("bad"): "db.example: the name does not exist"]
        let composed = compose(report, acknowledgement, addresses: [])
        #expect(
            refs(composed, "good") == Condition(.resolvedRefs, .true, .resolvedRefs, observedGeneration: 7))
        #expect(
            refs(composed, "bad")
                == Condition(
                    .resolvedRefs, .false, .dnsFailed, "db.example: the name does not exist", observedGeneration: 7))
        #expect(refs(composed, "quiet") == nil && composed.backends.count == 3)
        #expect(composed.backends[key("bad")]?.conditions.first?.status == .true, "it is accepted all the same")
    }

    @Test("an answer that changes alone changes what is said")
    func changes() {
        var composer = StatusComposer()
        var acknowledgement = Acknowledgement(generation: 1, bindings: [:])
        acknowledgement.unresolved = [id("bad"): "no"]
        #expect(refs(composer.compose(report, acknowledgement, addresses: []), "bad")?.status == .false)
        (acknowledgement.unresolved, acknowledgement.resolved) = ([:], [id("bad")])
        #expect(refs(composer.compose(report, acknowledgement, addresses: []), "bad")?.status == .true)
        acknowledgement.resolved = []
        #expect(refs(composer.compose(report, acknowledgement, addresses: []), "bad") == nil)
    }
}
