import EngineModel
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import TestAPIServer
import TestSupport
import Testing
import Translation

@testable import Controller

/// Long sequences of changes. `SLUICE_WALK_STEPS` sets their length.
@Suite("Random walk", .timeLimit(.minutes(10)))
struct RandomWalkTests {
    /// What may change next, and how.
    private struct Walk {
        let server: TestAPIServer
        var random: SplitMix64
        /// So that no change is none.
        var count = 0

        mutating func number(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }

        mutating func step() throws {
            let name = number(6)
            count += 1
            switch number(13) {
            case 0:
                var ports = [5432]
                if number(2) == 0 { ports.append(6000 + number(3)) }
                let gatewayClass = ["sluice", "sluice", "second", "absent"][number(4)]
                try server.putGateway("g\(name % 3)", class: gatewayClass, ports: ports, mark: count)
            case 1: try? server.delete("Gateway", "default", "g\(name % 3)")
            case 2...5:
                let parents = (0...number(3)).map { "g\($0)" }
                try server.putRoute("r\(name)", parents: parents, backend: "b\(number(4))", mark: count)
            case 6: try? server.delete("TCPRoute", "default", "r\(name)")
            case 7: try server.putService("b\(name % 4)", mark: count)
            case 8: try? server.delete("Service", "default", "b\(name % 4)")
            case 9:
                server.addPod(TestPod(name: "p\(name)", labels: ["app": "b\(name % 4)"], port: 40000 + number(1000)))
            case 10: server.removePod("default", "p\(name)")
            case 11:
                // What happened since is found by a list.
                server.compact()
                server.closeWatches()
            default: try putListenerSet("s\(name % 2)", gateway: "g\(number(3))")
            }
        }

        private func putListenerSet(_ name: String, gateway: String) throws {
            try server.put(
                yaml: """
                    apiVersion: gateway.networking.k8s.io/v1
                    kind: ListenerSet
                    metadata: {name: \(name), namespace: default, annotations: {mark: "\(count)"}}
                    spec: {parentRef: {name: \(gateway)}, listeners: [{name: extra, port: 7000, protocol: TCP}]}
                    """)
        }
    }

    /// What a controller keeps of each condition.
    private func conditions(_ replica: TestReplica) -> [StatusStore.Key: Condition] {
        let all = replica.controller.state.statuses.sorted.map { ($0.key, $0.entry.condition) }
        return Dictionary(all) { first, _ in first }
    }

    private func statuses(_ server: TestAPIServer) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        for kind in ["GatewayClass", "Gateway", "ListenerSet", "TCPRoute"] {
            for object in server.objects(kind, in: nil) {
                result["\(kind) \(object["metadata"]?["name"]?.text ?? "")"] = object["status"] ?? .null
            }
        }
        return result
    }

    @Test("a walk ends where a fresh start ends, and nothing was written twice", arguments: [1, 2])
    func walk(seed: Int) throws {
        let steps = Host.environment("SLUICE_WALK_STEPS").flatMap(Int.init) ?? 300
        let server = try TestAPIServer.forReplicas()
        try server.create(
            yaml: """
                apiVersion: gateway.networking.k8s.io/v1
                kind: GatewayClass
                metadata: {name: second}
                spec: {controllerName: example.com/second}
                """)
        var walk = Walk(server: server, random: SplitMix64(seed: UInt64(seed)))
        let replica = try TestReplica(server)
        for _ in 0..<steps {
            try walk.step()
            if walk.number(20) == 0 { _ = waitUntil(deadline: .milliseconds(30)) { false } }
        }
        try server.putGateway("last", ports: [9999])
        try server.putRoute("last", parents: ["last"])
        let isSeen = waitUntil(deadline: .seconds(30)) {
            server.condition("Gateway", "last", "Programmed") == "True"
                && server.condition("TCPRoute", "last", "Accepted") == "True"
        }
        #expect(isSeen, "seed \(seed)")
        var last: [String: JSONValue] = [:]
        let isSettled = waitUntil(deadline: .seconds(30)) {
            last = statuses(server)
            let changes = waitUntil(deadline: .milliseconds(300)) { statuses(server) != last }
            return !changes && replica.writer.isIdle
        }
        #expect(isSettled, "seed \(seed)")
        replica.stop()
        let (before, writes) = (statuses(server), server.writes("/status"))
        let configuration = replica.target.applied.last
        let (known, counts) = (conditions(replica), replica.controller.state.counts)
        #expect(replica.writes.unchanged == [], "seed \(seed)")

        let fresh = try TestReplica(server, name: "fresh")
        let isThere = waitUntil(deadline: .seconds(20)) {
            fresh.elector.leadership.isLeader && fresh.controller.state.hasApplied && fresh.writer.isIdle
                && fresh.target.applied.last == configuration
        }
        #expect(isThere, "seed \(seed): the fresh start is not where the walk ended")
        fresh.stop()
        #expect(conditions(fresh) == known, "seed \(seed)")
        #expect(fresh.controller.state.counts == counts, "seed \(seed)")
        #expect(statuses(server) == before, "seed \(seed)")
        #expect(server.writes("/status") == writes, "seed \(seed)")
    }
}
