import KubernetesAPI
import KubernetesClient
import Observability
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("Statuses of policies, and what Backends say of them", .timeLimit(.minutes(1)))
struct PolicyStatusTests {
    private static let theirs = JSONValue.object([
        "ancestorRef": .object(["name": .string("theirs")]), "controllerName": .string("example.com/x"),
    ])
    private static let foreign = JSONValue.object([
        "type": .string("cost.example.com/Budget"), "status": .string("True"), "reason": .string("Fine"),
        "message": .string(""),
    ])

    private let server: FakeAPIServer

    init() throws { server = try FakeAPIServer() }

    private func put(_ plural: String, version: String, status: JSONValue) -> String {
        let path = "/apis/sluice.dev/\(version)/namespaces/default/\(plural)/p"
        server.put(path) { object in
            object["metadata"] = .object([
                "name": .string("p"), "namespace": .string("default"), "generation": .integer(1),
            ])
            object["status"] = status
        }
        return path
    }

    private func ancestors(_ path: String) -> [String?] {
        (server.object(path)?["status"]?["ancestors"]?.elements ?? []).map { $0["controllerName"]?.text }
    }

    private func conditions(_ path: String) -> [String?] {
        (server.object(path)?["status"]?["conditions"]?.elements ?? []).map { $0["type"]?.text }
    }

    @Test("are written beside others', follow the report, and go with it")
    func written() throws {
        let status = JSONValue.object(["ancestors": .array([Self.theirs])])
        let client = put("clientpolicies", version: "v1", status: status)
        let policy = put("backendpolicies", version: "v1", status: status)
        let backend = put("backends", version: "v1", status: .object(["conditions": .array([Self.foreign])]))
        let harness = try WriterHarness(server)
        let ours = PolicyAncestorStatus(
            ancestorRef: ParentReference(name: "edge"), controllerName: harness.controllerName,
            conditions: [Condition(.accepted, .true, .accepted, observedGeneration: 1)])
        harness.report.backendPolicies[key("p")] = PolicyStatus(ancestors: [ours])
        harness.report.backends[key("p")] = BackendStatus(conditions: [
            Condition(.accepted, .true, .accepted),
            Condition(.backendPolicyAffected, .true, .policyAffected, "BackendPolicy default/p"),
        ])
        #expect(harness.settle())
        #expect(ancestors(policy) == ["example.com/x", harness.controllerName])
        #expect(conditions(backend) == ["cost.example.com/Budget", "Accepted", "sluice.dev/BackendPolicyAffected"])
        #expect(ancestors(client) == ["example.com/x"])
        harness.report.backendPolicies = [:]
        harness.report.clientPolicies[key("p")] = PolicyStatus(ancestors: [ours])
        harness.report.backends[key("p")] = BackendStatus(conditions: [Condition(.accepted, .true, .accepted)])
        #expect(harness.settle())
        #expect(ancestors(policy) == ["example.com/x"])
        #expect(ancestors(client) == ["example.com/x", harness.controllerName])
        #expect(conditions(backend) == ["cost.example.com/Budget", "Accepted"])
    }

    @Test("are taken back when the installation goes")
    func retired() throws {
        let controllerName = "sluice.dev/gateway-controller"
        let ours = JSONValue.object([
            "ancestorRef": .object(["name": .string("edge")]), "controllerName": .string(controllerName),
        ])
        let paths = ["clientpolicies", "backendpolicies"].map {
            put($0, version: "v1alpha1", status: .object(["ancestors": .array([Self.theirs, ours])]))
        }
        let affected = Condition(.backendPolicyAffected, .true, .policyAffected)
        let status = JSONValue.object(["conditions": .array([Self.foreign, try JSONValue(encoding: affected)])])
        let backend = put("backends", version: "v1alpha1", status: status)
        var lease = LeaderElector.Settings(namespace: "sys", name: "leader", identity: "x")
        lease.renewDeadline = .milliseconds(50)
        let retirement = Retirement(
            server: server, settings: .init(controllerName: controllerName, lease: lease),
            logger: Logger(recordingTo: MemoryLog()))
        let report = try BackgroundWork { retirement.run() }.value()
        #expect(report.isComplete)
        #expect(
            Set(report.statuses) == ["Backend default/p", "BackendPolicy default/p", "ClientPolicy default/p"])
        for path in paths { #expect(ancestors(path) == ["example.com/x"]) }
        #expect(conditions(backend) == ["cost.example.com/Budget"])
    }
}
