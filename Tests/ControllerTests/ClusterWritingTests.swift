import EngineModel
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestAPIServer
import TestSupport
import Testing
import Translation

@testable import Controller

/// The whole way from an object in the API to what is written about it.
@Suite("Writing to a cluster", .timeLimit(.minutes(3)))
struct ClusterWritingTests {
    private let server: TestAPIServer

    init() throws { server = try TestAPIServer.forReplicas() }

    private func becomes(_ what: Comment, _ condition: () -> Bool) {
        let became = waitUntil(deadline: .seconds(20), condition)
        #expect(became, what)
    }

    @Test("a Gateway gets a Service, an address and its conditions, each written once")
    func gateway() throws {
        try server.putService("db")
        server.addPod(TestPod(name: "db-0", labels: ["app": "db"], port: 41234))
        try server.putGateway("edge", ports: [5432])
        try server.putRoute("db", parents: ["edge"])
        let replica = try TestReplica(server)
        defer { replica.stop() }
        becomes("programmed") { server.condition("Gateway", "edge", "Programmed") == "True" }
        becomes("attached") { server.condition("TCPRoute", "db", "Accepted") == "True" }
        #expect(server.condition("GatewayClass", "sluice", "Accepted") == "True")
        let gateway = try #require(server.object("Gateway", "default", "edge"))
        #expect(gateway["status"]?["addresses"]?.elements?.first?["value"]?.text?.hasPrefix("127.20.") == true)
        let services = server.objects("Service", in: "sluice-system")
        #expect(services.count == 1)
        #expect(services.first?["metadata"]?["ownerReferences"]?.elements?.first?["kind"]?.text == "ConfigMap")
        let target = services.first?["spec"]?["ports"]?.elements?.first?["targetPort"]?.integer
        #expect(replica.target.applied.last?.listeners.first?.bindings.map { Int64($0.port) } == target.map { [$0] })

        becomes("idle") { replica.writer.isIdle }
        let before = server.statistics
        try server.put(yaml: "{apiVersion: v1, kind: Namespace, metadata: {name: unrelated}}")
        becomes("seen") { replica.controller.state.reloads.succeeded > 0 && replica.writer.isIdle }
        #expect(server.writes("/status") == before.counts.filter { $0.key.hasSuffix("/status") }.values.reduce(0, +))
        #expect(replica.writes.unchanged == [])
        #expect(server.objects("Event", in: "default").isEmpty)
    }

    @Test("a route whose parent is taken away loses our entry, and a Gateway that goes takes its Service with it")
    func removal() throws {
        try server.putGateway("edge", ports: [5432])
        try server.putRoute("db", parents: ["edge"])
        let replica = try TestReplica(server)
        defer { replica.stop() }
        becomes("attached") { server.condition("TCPRoute", "db", "Accepted") == "True" }
        try server.putRoute("db", parents: ["elsewhere"])
        becomes("taken back") { server.object("TCPRoute", "default", "db")?["status"]?["parents"]?.elements == [] }
        becomes("a Service") { server.objects("Service", in: "sluice-system").count == 1 }
        try server.delete("Gateway", "default", "edge")
        becomes("no Service") { server.objects("Service", in: "sluice-system").isEmpty }
    }

    @Test("a bad certificate is an Event on the Gateway")
    func event() throws {
        try server.put(
            yaml: """
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: edge, namespace: default}
                spec:
                  gatewayClassName: sluice
                  listeners:
                  - {name: tls, port: 443, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: missing}]}}
                """)
        let replica = try TestReplica(server)
        defer { replica.stop() }
        becomes("an Event") {
            server.objects("Event", in: "default").contains { event in
                event["reason"]?.text == "InvalidCertificateRef" && event["regarding"]?["name"]?.text == "edge"
                    && event["note"]?.text?.contains("missing") == true
            }
        }
    }

    @Test("two installations share routes, and neither touches what is the other's")
    func twoInstallations() throws {
        try server.create(
            yaml: """
                apiVersion: gateway.networking.k8s.io/v1
                kind: GatewayClass
                metadata: {name: second}
                spec: {controllerName: example.com/second}
                """)
        try server.putGateway("one", ports: [5432])
        try server.putGateway("two", class: "second", ports: [5432])
        for index in 0..<20 { try server.putRoute("r\(index)", parents: ["one", "two"]) }
        let first = try TestReplica(server)
        let second = try TestReplica(server, controllerName: "example.com/second", name: "b")
        defer {
            first.stop()
            second.stop()
        }
        func controllers(_ index: Int) -> Set<String?> {
            let parents = server.object("TCPRoute", "default", "r\(index)")?["status"]?["parents"]?.elements ?? []
            return Set(parents.map { $0["controllerName"]?.text })
        }
        let both: Set<String?> = ["sluice.dev/gateway-controller", "example.com/second"]
        becomes("both") { (0..<20).allSatisfy { controllers($0) == both } }
        becomes("both programmed") {
            ["one", "two"].allSatisfy { server.condition("Gateway", $0, "Programmed") == "True" }
        }
        #expect(server.objects("Service", in: "sluice-system").count == 2)
        let kept = server.object("Gateway", "default", "two")
        try server.delete("Gateway", "default", "one")
        becomes("one left") { (0..<20).allSatisfy { controllers($0) == ["example.com/second"] } }
        #expect(server.object("Gateway", "default", "two") == kept)
        #expect(first.writes.unchanged + second.writes.unchanged == [])
    }

    @Test("when the leader is killed the other takes over, and writes nothing that stands already")
    func failover() throws {
        try server.putGateway("edge", ports: [5432])
        let first = try TestReplica(server, name: "a")
        becomes("a leads") { first.elector.leadership.isLeader }
        let second = try TestReplica(server, name: "b")
        defer { second.stop() }
        becomes("programmed") { server.condition("Gateway", "edge", "Programmed") == "True" && first.writer.isIdle }
        #expect(!second.elector.leadership.isLeader)
        let before = server.writes("/status")
        first.kill()
        becomes("b leads") { second.elector.leadership.isLeader }
        try server.putGateway("edge", ports: [5432, 5433])
        becomes("b writes") {
            server.object("Gateway", "default", "edge")?["status"]?["listeners"]?.elements?.count == 2
                && server.condition("Gateway", "edge", "Programmed") == "True" && second.writer.isIdle
        }
        #expect(server.writes("/status") > before)
        #expect(first.writes.unchanged + second.writes.unchanged == [])
    }

    @Test("a Gateway whose class is deleted while no replica runs says that it waits, as soon as one runs again")
    func orphaned() throws {
        try server.putGateway("edge", ports: [5432])
        let first = try TestReplica(server)
        becomes("programmed") { server.condition("Gateway", "edge", "Programmed") == "True" }
        first.stop()
        try server.delete("GatewayClass", "", "sluice")
        let second = try TestReplica(server)
        defer { second.stop() }
        becomes("waiting") { server.condition("Gateway", "edge", "Programmed") == "Unknown" }
        #expect(server.condition("Gateway", "edge", "Accepted") == "Unknown")
    }

    @Test("a leader that ends gives the Lease back, and the next one leads at once")
    func handover() throws {
        let first = try TestReplica(server, name: "a")
        becomes("a leads") { first.elector.leadership.isLeader }
        first.stop()
        let lease = try #require(server.objects("Lease", in: "sluice-system").first)
        #expect(lease["spec"]?["holderIdentity"]?.text == "")
        let start = MonotonicTime.now()
        let second = try TestReplica(server, name: "b")
        defer { second.stop() }
        becomes("b leads") { second.elector.leadership.isLeader }
        #expect(MonotonicTime.now() - start < .milliseconds(1400))
        #expect(server.objects("Lease", in: "sluice-system").first?["spec"]?["leaseTransitions"]?.integer == 1)
    }

    @Test("an API server that fails everything for a while leads to the same end")
    func outage() throws {
        let replica = try TestReplica(server)
        defer { replica.stop() }
        becomes("leads") { replica.elector.leadership.isLeader }
        server.faults = .failing(500, times: 30)
        try server.putGateway("edge", ports: [5432])
        for index in 0..<20 { try server.putRoute("r\(index)", parents: ["edge"]) }
        becomes("written") {
            (0..<20).allSatisfy { server.condition("TCPRoute", "r\($0)", "Accepted") == "True" }
                && server.condition("Gateway", "edge", "Programmed") == "True"
        }
        #expect(replica.writes.unchanged == [])
    }

    @Test("retiring a running installation leaves nothing of it")
    func retire() throws {
        try server.putGateway("edge", ports: [5432])
        try server.putRoute("db", parents: ["edge"])
        let replica = try TestReplica(server)
        defer { replica.stop() }
        becomes("programmed") { server.condition("Gateway", "edge", "Programmed") == "True" }
        becomes("attached") { server.condition("TCPRoute", "db", "Accepted") == "True" }
        var lease = LeaderElector.Settings(
            namespace: "sluice-system", name: "sluice.dev-gateway-controller", identity: "retire")
        lease.renewDeadline = .milliseconds(1000)
        let settings = Retirement.Settings(
            controllerName: "sluice.dev/gateway-controller", lease: lease, marker: "sluice")
        let retirement = Retirement(server: replica.client, settings: settings, logger: .disabled)
        let report = try BackgroundWork { retirement.run() }.value()
        #expect(report.isComplete, "\(report)")
        #expect(!replica.elector.leadership.isLeader)
        #expect(server.objects("Service", in: "sluice-system").isEmpty)
        #expect(server.condition("Gateway", "edge", "Programmed") == "Unknown")
        #expect(server.condition("GatewayClass", "sluice", "Accepted") == "Unknown")
        #expect(server.object("TCPRoute", "default", "db")?["status"]?["parents"]?.elements == [])
        let before = server.writes("/status")
        try server.putRoute("later", parents: ["edge"])
        becomes("seen") { replica.writer.isIdle }
        #expect(server.writes("/status") == before)
    }
}
