import EngineModel
import Platform
import TestAPIServer
import TestSupport
import Testing

@testable import Controller

/// The whole way from the pods of an installation to the limits that they divide.
@Suite("Dividing limits by ready replicas", .timeLimit(.minutes(2)))
struct ReadyReplicasTests {
    @Test("a limit that is divided follows the installation's ready pods, rounded up")
    func divide() throws {
        let server = try TestAPIServer.forReplicas()
        let root: String = #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/" + $1 }
        let definition = try readFile("\(root)/crds/sluice.dev_clientpolicies.yaml")
        try server.create(yaml: String(decoding: definition, as: UTF8.self))
        try server.putGateway("edge", ports: [5432])
        try server.put(
            yaml: """
                apiVersion: sluice.dev/v1alpha1
                kind: ClientPolicy
                metadata: {name: few, namespace: default}
                spec:
                  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
                  connectionLimit: {value: 10, shared: Divide}
                """)
        let replica = try TestReplica(server)
        defer { replica.stop() }
        func becomes(_ value: Int, _ what: Comment) {
            let became = waitUntil(deadline: .seconds(20)) {
                replica.target.applied.last?.listeners.first?.limits.first?.connections?.value == value
            }
            #expect(became, what)
        }
        func pod(_ number: Int, app: String = "sluice") -> TestPod {
            TestPod(
                namespace: "sluice-system", name: "\(app)-\(number)", labels: ["app": app], ip: "127.0.0.\(number)",
                port: 20000)
        }
        becomes(10, "no pod is known")
        for number in 1...3 { server.addPod(pod(number)) }
        becomes(4, "three pods")
        server.addPod(pod(9, app: "other"))
        server.removePod("sluice-system", "sluice-3")
        becomes(5, "two pods")
        var unready = pod(2)
        unready.ready = false
        server.addPod(unready)
        becomes(10, "one pod")
    }
}
