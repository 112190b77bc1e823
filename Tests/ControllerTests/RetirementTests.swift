import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing
import Translation

@testable import Controller

@Suite("Retirement", .timeLimit(.minutes(1)))
struct RetirementTests {
    private let server: FakeAPIServer
    private let log = MemoryLog()
    private let controllerName = "sluice.dev/gateway-controller"
    private let leasePath = "/apis/coordination.k8s.io/v1/namespaces/sys/leases/leader"
    private let gatewayAPI = "/apis/gateway.networking.k8s.io/v1"

    init() throws { server = try FakeAPIServer() }

    private func settings() -> Retirement.Settings {
        var lease = LeaderElector.Settings(namespace: "sys", name: "leader", identity: "x")
        lease.renewDeadline = .milliseconds(50)
        var settings = Retirement.Settings(controllerName: controllerName, lease: lease)
        settings.timeout = .seconds(20)
        return settings
    }

    private func retire(_ settings: Retirement.Settings? = nil) throws -> Retirement.Report {
        let retirement = Retirement(
            server: server, settings: settings ?? self.settings(), logger: Logger(recordingTo: log))
        return try BackgroundWork { retirement.run() }.value()
    }

    private func put(_ path: String, _ name: String, spec: [String: JSONValue], status: JSONValue?) {
        let namespace = path.hasPrefix("namespaces/") ? JSONValue.string("default") : nil
        server.put("\(gatewayAPI)/\(path)/\(name)") { object in
            var metadata: [String: JSONValue] = ["name": .string(name), "generation": .integer(1)]
            metadata["namespace"] = namespace
            (object["metadata"], object["spec"], object["status"]) = (.object(metadata), .object(spec), status)
        }
    }

    private func accepted() throws -> JSONValue {
        try JSONValue(encoding: GatewayStatus(conditions: [Condition(.accepted, .true, .accepted)]))
    }

    private func addCluster() throws {
        put("gatewayclasses", "sluice", spec: ["controllerName": .string(controllerName)], status: try accepted())
        put("gatewayclasses", "other", spec: ["controllerName": .string("example.com/x")], status: try accepted())
        let gateways = "namespaces/default/gateways"
        put(gateways, "ours", spec: ["gatewayClassName": .string("sluice")], status: try accepted())
        put(gateways, "theirs", spec: ["gatewayClassName": .string("other")], status: try accepted())
        let ours = JSONValue.object([
            "controllerName": .string(controllerName), "parentRef": .object(["name": .string("ours")]),
        ])
        let theirs = JSONValue.object([
            "controllerName": .string("example.com/x"), "parentRef": .object(["name": .string("theirs")]),
        ])
        server.addRoute("shared", status: .object(["parents": .array([theirs, ours])]))
        server.addRoute("foreign", status: .object(["parents": .array([theirs])]))
        let identity = Dictionary(uniqueKeysWithValues: ServiceNames.identity.map { ($0, JSONValue.string("x")) })
        for (name, controller) in [("mine", controllerName), ("yours", "example.com/second")] {
            server.put("/api/v1/namespaces/sys/services/\(name)") { object in
                let labels = identity.merging(
                    [ServiceNames.controller: .string(ServiceNames.labelValue(controller))]) { $1 }
                object["metadata"] = .object([
                    "name": .string(name), "namespace": .string("sys"), "labels": .object(labels),
                ])
                object["spec"] = .object([:])
            }
        }
    }

    @Test("what is ours goes, what is others' stays, and a second run finds nothing to do")
    func all() throws {
        try addCluster()
        let theirs = [
            "\(gatewayAPI)/gatewayclasses/other", "\(gatewayAPI)/namespaces/default/gateways/theirs",
            "\(FakeAPIServer.routes)/foreign", "/api/v1/namespaces/sys/services/yours",
        ]
        let secret = "/api/v1/namespaces/sys/secrets/leader-ticket-keys"
        server.put(secret) { $0["metadata"] = .object(["name": .string("leader-ticket-keys"), "uid": .string("u")]) }
        let before = theirs.map { server.object($0) }
        let report = try retire()
        #expect(server.object(secret) == nil)
        #expect(report.isComplete)
        #expect(report.statuses == ["Gateway default/ours", "GatewayClass sluice", "TCPRoute default/shared"])
        #expect(report.services == [key("mine", "sys")])
        #expect(server.parents("shared").map { $0["controllerName"]?.text } == ["example.com/x"])
        let gateway = server.object("\(gatewayAPI)/namespaces/default/gateways/ours")
        #expect(gateway?["status"]?["conditions"]?.elements?.first?["status"]?.text == "Unknown")
        #expect(server.object("/api/v1/namespaces/sys/services/mine") == nil)
        #expect(theirs.map { server.object($0) } == before)

        server.forgetRequests()
        let again = try retire()
        #expect(again.isComplete && again.statuses.isEmpty && again.services.isEmpty)
        #expect(server.requests.allSatisfy { $0.method == .get })
    }

    @Test("a leader that still runs loses the Lease first, and is kept away afterwards")
    func runningLeader() throws {
        try addCluster()
        let record = LeaseRecord(holder: "pod", durationSeconds: 15, acquireTime: "", renewTime: "", transitions: 3)
        server.put(leasePath) { object in
            object["metadata"] = .object(["name": .string("leader"), "namespace": .string("sys")])
            object["spec"] = .object(record.spec)
        }
        server.put("/api/v1/namespaces/sys/configmaps/sluice") { $0["metadata"] = .object(["name": .string("sluice")]) }
        var settings = settings()
        settings.marker = "sluice"
        let report = try retire(settings)
        #expect(report.isComplete)
        #expect(report.notes.count == 1)
        let writes = server.requests.filter { $0.method != .get }
        #expect(writes.first?.method == .put && writes.first?.path == leasePath)
        let lease = ObservedLease(try #require(server.object(leasePath)))
        #expect(lease.record.holder.hasPrefix("retire_"))
        #expect(lease.record.transitions == 4)
        #expect(lease.object["metadata"]?["ownerReferences"]?.elements?.first?["name"]?.text == "sluice")
        #expect(try retire(settings).isComplete)
        #expect(server.object(leasePath) == nil)
    }

    @Test("what cannot be removed is named with its reason, and the rest is removed")
    func partly() throws {
        try addCluster()
        server.fail(.fake(403, "Forbidden"), times: 100) { $0.path.hasSuffix("/shared/status") }
        server.fail(.fake(403, "Forbidden"), times: 100) { $0.path.contains("/tlsroutes") }
        let report = try retire()
        #expect(report.remaining.map(\.object) == ["TCPRoute default/shared", "TLSRoute"])
        #expect(report.statuses == ["Gateway default/ours", "GatewayClass sluice"])
        #expect(report.services == [key("mine", "sys")])
        #expect(report.description.contains("not removed: TCPRoute default/shared: its status still has our part"))
    }

    @Test("time is kept: what is not done then is named")
    func timeout() throws {
        try addCluster()
        server.fail(.fake(500, "InternalError"), times: 1000) { $0.path.hasSuffix("/shared/status") }
        var settings = settings()
        settings.timeout = .milliseconds(700)
        let start = MonotonicTime.now()
        let report = try retire(settings)
        #expect(MonotonicTime.now() - start < .seconds(10))
        #expect(report.remaining.map(\.object) == ["TCPRoute default/shared"])
    }

    @Test("a failure that passes is overcome")
    func passing() throws {
        try addCluster()
        server.fail(.fake(500, "InternalError"), times: 2) { $0.path.hasSuffix("/shared/status") }
        server.fail(.fake(503, "ServiceUnavailable"), times: 1) { $0.verb == "list" }
        let report = try retire()
        #expect(report.isComplete, "\(report)")
        #expect(server.parents("shared").count == 1)
    }
}
