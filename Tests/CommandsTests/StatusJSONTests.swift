import FoundationEssentials
import Inspection
import Testing

@testable import Commands

@Suite("JSON of a status")
struct StatusJSONTests {
    /// Everything that a tree can hold.
    private func full() -> StatusTree {
        var tree = StatusTree()
        (tree.version, tree.source, tree.sourceDetail) = ("1", "cluster", "https://api/\"x\"\n")
        (tree.time, tree.startedAt, tree.generation, tree.appliedAt, tree.isLeader) = (-1, 2, .max, 4, true)
        tree.warnings = ["a", "ü"]
        let condition = ConditionNode(
            type: "Accepted", status: "True", reason: "R", message: "m/n", isProblem: false, since: 7)
        var gateway = GatewayNode(namespace: "n", name: "g")
        (gateway.addresses, gateway.conditions) = (["192.0.2.1"], [condition, condition])
        var listener = ListenerNode(name: "l", port: 1, mode: "TCP")
        (listener.hostname, listener.conditions, listener.routes) = ("h", [condition], ["TCPRoute n/r"])
        listener.bindings = [
            BindingNode(address: "*:1", isBound: false, problem: "p"), .init(address: "a", isBound: true),
        ]
        var accepted = ListenerTrafficNode()
        (accepted.accepted, accepted.active, accepted.handshaking) = (1, 2, 3)
        accepted.rejected = ["no_route": 4, "authz_denied": 5]
        listener.traffic = accepted
        gateway.listeners = [listener, ListenerNode(name: "e", port: 2, mode: "TCP")]
        tree.gateways = [gateway]
        tree.routes = [route(condition), RouteNode(kind: "TCPRoute", namespace: "n", name: "e")]
        tree.backends = [backend(condition), BackendNode(kind: "Backend", namespace: "n", name: "e", port: 0)]
        var policy = PolicyNode(kind: "ClientPolicy", namespace: "n", name: "p")
        (policy.targets, policy.ancestors) = (["Gateway n/g"], [.init(parent: "Gateway n/g", conditions: [condition])])
        tree.policies = [policy]
        tree.certificates = [
            CertificateNode(object: "Secret n/c", usage: "crl", usedBy: ["u"], names: ["a", "b"], notAfter: 9)
        ]
        return tree
    }

    private func route(_ condition: ConditionNode) -> RouteNode {
        var route = RouteNode(kind: "TLSRoute", namespace: "n", name: "r")
        (route.hostnames, route.parents) = (["h"], [RouteParentNode(parent: "p", conditions: [condition])])
        route.backends = [.init(rule: 1, backend: "b", weight: 2, isFallback: true, isResolved: false)]
        var traffic = RouteTrafficNode()
        (traffic.opened, traffic.active, traffic.closed) = (1, 2, ["drain": 3])
        (traffic.requestBytes, traffic.responseBytes, traffic.setupNanoseconds, traffic.setups) = (4, 5, 6, 7)
        route.traffic = traffic
        return route
    }

    private func backend(_ condition: ConditionNode) -> BackendNode {
        var backend = BackendNode(kind: "Service", namespace: "n", name: "b", port: 80)
        (backend.conditions, backend.hasHealthChecks) = ([condition], true)
        var endpoint = EndpointNode(address: "1:2", zone: "z", state: "healthy")
        (endpoint.failure, endpoint.checkedAt) = ("f", 5)
        backend.endpoints = [endpoint, EndpointNode(address: "3:4", state: "serving")]
        var traffic = BackendTrafficNode()
        (traffic.active, traffic.pending, traffic.connected, traffic.failed) = (1, 2, 3, ["timeout": 4])
        (traffic.retries, traffic.connectNanoseconds) = (5, 6)
        backend.traffic = traffic
        return backend
    }

    @Test("it is what an encoder would say")
    func equal() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        for tree in [full(), StatusTree()] {
            let expected = String(decoding: try encoder.encode(tree), as: UTF8.self)
            #expect(String(decoding: tree.json, as: UTF8.self) == expected)
            #expect(try JSONDecoder().decode(StatusTree.self, from: Data(tree.json)) == tree)
        }
    }
}
