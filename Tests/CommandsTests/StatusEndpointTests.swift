import EngineModel
import FoundationEssentials
import Inspection
import Platform
import Primitives
import TestSupport
import Testing

@testable import Commands

@Suite("Paths of status and traffic", .timeLimit(.minutes(2)))
struct StatusEndpointTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: edge, namespace: infra}
            spec:
              gatewayClassName: sluice
              listeners: [{name: db, protocol: TCP, port: 9000}]
            """, to: "gateway.yaml")
    }

    private func fetch<Value: Decodable>(_ type: Value.Type, _ path: String, _ gateway: RunningGateway) throws -> Value
    {
        let answer = try gateway.admin(path)
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
        guard answer.hasPrefix("HTTP/1.1 200"), parts.count == 2 else { throw TestFailure(answer) }
        return try JSONDecoder().decode(type, from: Data(parts[1].utf8))
    }

    private func started() throws -> RunningGateway {
        let gateway = try RunningGateway(folder: folder.path)
        #expect(try waitUntil { try gateway.admin("/status").hasPrefix("HTTP/1.1 200") })
        return gateway
    }

    private func end(_ gateway: RunningGateway) throws {
        gateway.signals.send(.interrupt)
        #expect(try gateway.exitCode() == 0)
    }

    @Test("/status is the tree, with what only the process knows")
    func status() throws {
        let gateway = try started()
        gateway.dataPlane.update { $0.warnings = ["accepting is paused"] }
        let tree = try fetch(StatusTree.self, "/status", gateway)
        #expect(tree.gateways.map(\.name) == ["edge"] && tree.gateways[0].listeners.map(\.name) == ["db"])
        #expect(tree.gateways[0].listeners[0].bindings == [BindingNode(address: "*:9000", isBound: true)])
        #expect(tree.version == sluiceVersion && tree.source == "manifests" && tree.sourceDetail == folder.path)
        #expect(tree.generation == 1 && tree.isLeader == nil && tree.appliedAt != nil)
        #expect(tree.startedAt > 1_700_000_000 && tree.time / 1000 >= tree.startedAt)
        #expect(tree.warnings == ["accepting is paused"])
        try end(gateway)
    }

    @Test("/traffic has samples, refusals, and the objects that are asked for")
    func traffic() throws {
        let gateway = try started()
        let listener = ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: "db")
        gateway.dataPlane.update { state in
            var sample = TrafficSample()
            sample.accepted = 7
            sample.refusals = [.init(.listener(listener), .noRoute, count: 2)]
            state.samples = [sample, sample]
            var counts = ListenerTraffic()
            counts.accepted = 7
            state.traffic.listeners = [listener: counts]
        }
        var live = LiveTraffic()
        #expect(
            try waitUntil {
                live = try fetch(LiveTraffic.self, "/traffic", gateway)
                return live.total.accepted == 7
            })
        #expect(live.interval == 1 && live.generation == 1 && live.history.count >= 2)
        #expect(live.refusals.map(\.place) == ["Gateway infra/edge/db"] && live.refusals[0].reason == "no_route")
        #expect(live.listeners == [:])
        live = try fetch(LiveTraffic.self, "/traffic?listener=infra/edge/db&route=TCPRoute%20a/b", gateway)
        #expect(live.listeners.mapValues(\.accepted) == ["infra/edge/db": 7] && live.routes == [:])
        try end(gateway)
    }

    @Test("/history has the changes, the newest first")
    func history() throws {
        let gateway = try started()
        try folder.delete("gateway.yaml")
        var steps: [ConfigurationStep] = []
        #expect(
            try waitUntil {
                steps = try fetch([ConfigurationStep].self, "/history", gateway)
                return steps.count == 2
            })
        #expect(steps.map(\.changes) == [["- listener infra/edge/db"], ["+ listener infra/edge/db at port 9000"]])
        try end(gateway)
    }
}
