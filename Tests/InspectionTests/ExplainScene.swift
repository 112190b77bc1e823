import EngineModel
import Inspection
import KubernetesAPI
import Primitives
import TestSupport
import Translation
import YAML

/// A Gateway `infra/edge` with a listener, a route and a Service of two endpoints, as a gateway serves it that runs.
struct ExplainScene {
    var inspected: Inspected

    static let backend = BackendID(kind: "Service", namespace: "infra", name: "redis", port: 6379)
    static let listener = ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: "redis")
    static let route = RouteID(kind: "TCPRoute", namespace: "infra", name: "redis")

    init(policy: String? = nil, weights: [Int] = [1]) throws {
        var snapshot = ClusterSnapshot(asOf: 1_700_000_000)
        let key = ObjectKey(namespace: "infra", name: "redis")
        snapshot.gateways[ObjectKey(namespace: "infra", name: "edge")] = try read(
            """
            metadata: {name: edge, namespace: infra}
            spec: {gatewayClassName: sluice, listeners: [{name: redis, protocol: TCP, port: 6380}]}
            """)
        snapshot.tcpRoutes[key] = try read(
            """
            metadata: {name: redis, namespace: infra}
            spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: redis, port: 6379}]}]}
            """)
        snapshot.services[key] = try read(
            "{metadata: {name: redis, namespace: infra}, spec: {ports: [{name: main, port: 6379}]}}")
        snapshot.endpointSlices[key] = try read(
            """
            metadata: {name: redis, namespace: infra, labels: {kubernetes.io/service-name: redis}}
            addressType: IPv4
            ports: [{name: main, port: 7000}]
            endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]
            """)
        if let policy { snapshot.backendPolicies[key] = try read(policy) }
        var options = TranslationOptions()
        options.standalone = true
        let result = translate(snapshot, options: options)
        var acknowledgement = Acknowledgement(generation: 1, bindings: [:])
        for listener in result.configuration.listeners {
            for binding in listener.bindings { acknowledgement.bindings[binding] = .bound }
        }
        inspected = Inspected(
            snapshot: snapshot, configuration: result.configuration,
            statuses: compose(result.statuses, acknowledgement, addresses: [.loopbackV4]),
            acknowledgement: acknowledgement)
        inspected.notices = result.notices
    }

    /// How the two endpoints stand: nil is healthy, else what their check fails at.
    mutating func setHealth(_ failures: [String?]) {
        let endpoints = failures.enumerated().map { index, failure in
            EndpointHealthReport(
                address: "10.0.0.\(index + 1):7000", state: failure == nil ? .healthy : .unhealthy,
                lastCheck: .init(time: 1, duration: .zero, failure: failure), ejections: 0)
        }
        inspected.health[Self.backend] = BackendHealthReport(backend: Self.backend, endpoints: endpoints)
    }

    var explanation: Explanation { .of(kind: "tcproute", namespace: "infra", name: "redis", in: inspected) }

    static let checked = """
        metadata: {name: redis, namespace: infra}
        spec: {targetRefs: [{group: "", kind: Service, name: redis}], healthCheck: {active: {type: TCP}}}
        """
}

private func read<Value: Decodable>(_ text: String) throws -> Value {
    let stream = YAMLStream(parsing: text.utf8, file: "test")
    guard let root = stream.documents.first?.root else { throw TestFailure("no YAML: \(text)") }
    return try YAMLDecoder(file: "test").decode(Value.self, from: root).value
}
