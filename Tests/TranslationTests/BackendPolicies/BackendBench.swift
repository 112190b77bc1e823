import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// A small installation, given BackendPolicies, and what comes of it. A Gateway `edge` with the listeners `plain` (TCPRoute `plain` to
/// Service `db`), `terminate` (TLSRoute `secure` to `db`), `raw` (TLS passed through, TLSRoute `raw` to `db`), `safe` (TCPRoute `safe`
/// to Service `safe`, which a BackendTLSPolicy is for), `names` (TCPRoute `names` to Backend `named`, with `spare` as a fallback); a
/// Gateway `other` whose listener `plain` leads to `db` too; a Service `empty`, to which nothing leads.
struct BackendBench {
    var snapshot: ClusterSnapshot
    var options = TranslationOptions()
    let result: TranslationResult

    /// `documents`: BackendPolicies, or anything else. `patterns`: what is wrong with regular expressions.
    init(
        _ documents: String, zone: String? = nil, patterns: [String: String] = [:],
        memory: PolicyMemory = PolicyMemory()
    ) throws {
        snapshot = try GoldenInput(parsing: BackendBench.scene + documents, file: "policies").snapshot
        snapshot.patternProblems = patterns
        options.standalone = true
        options.zone = zone
        result = translate(snapshot, options: options, memory: memory)
    }

    /// A policy of namespace `infra`; `spec` is a flow mapping's content, such as `retry: {numRetries: 1}`.
    static func policy(_ name: String, _ target: String, _ spec: String, created: Int? = nil) -> String {
        let time = created.map { ", creationTimestamp: \"2026-01-01T00:00:0\($0)Z\"" } ?? ""
        return """
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: BackendPolicy
            metadata: {name: \(name), namespace: infra, generation: 1\(time)}
            spec: {targetRefs: [\(target)], \(spec)}

            """
    }

    static func target(_ kind: String, _ name: String, _ section: String? = nil) -> String {
        let group = kind == "Service" ? "\"\"" : kind == "Backend" ? "sluice.dev" : "gateway.networking.k8s.io"
        return "{group: \(group), kind: \(kind), name: \(name)\(section.map { ", sectionName: \($0)" } ?? "")}"
    }

    static let db = target("Service", "db")

    /// The backend that a listener's route leads to first.
    func backend(at listener: String = "plain", of gateway: String = "edge") throws -> BackendConfiguration {
        let route = try #require(
            result.configuration.listeners.first { $0.id.listener == listener && $0.id.gateway == gateway }?.routes
                .first)
        let id = try #require(route.usedBackends.first)
        return try #require(result.configuration.backends.first { $0.id == id })
    }

    func settings(at listener: String = "plain") throws -> BackendSettings { try backend(at: listener).settings }

    private func status(_ policy: String) -> PolicyStatus? {
        result.statuses.backendPolicies[ObjectKey(namespace: "infra", name: policy)]
    }

    /// `type=status reason` of a policy's conditions at its first ancestor, without Programmed=True.
    func conditions(_ policy: String) -> [String] {
        (status(policy)?.ancestors.first?.conditions ?? []).map {
            "\($0.type.rawValue)=\($0.status.rawValue) \($0.reason.rawValue)"
        }
        .filter { $0 != "Programmed=True Programmed" }
    }

    func message(_ policy: String, _ type: Condition.ConditionType = .accepted) -> String {
        (status(policy)?.ancestors ?? []).flatMap(\.conditions).filter { $0.type == type }.map(\.message)
            .joined(separator: " | ")
    }

    /// The Gateways that a policy's status names.
    func ancestors(_ policy: String) -> [String] {
        (status(policy)?.ancestors ?? []).map { ancestor in
            ancestor.ancestorRef.name + (ancestor.ancestorRef.sectionName.map { "/\($0)" } ?? "")
        }
    }

    private static func route(
        _ kind: String, _ name: String, _ listener: String, _ backends: String, of gateway: String = "edge"
    )
        -> String
    {
        let hostnames = kind == "TLSRoute" ? "hostnames: [\(name).example.com], " : ""
        return """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: \(kind)
            metadata: {name: \(name), namespace: infra}
            spec:
              {\(hostnames)parentRefs: [{name: \(gateway), sectionName: \(listener)}], rules: [{backendRefs: [\(backends)]}]}

            """
    }

    private static func service(_ name: String, _ endpoints: String) -> String {
        """
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: infra}
        spec: {ports: [{name: pg, port: 5432}, {name: admin, port: 9}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: \(name), namespace: infra, labels: {kubernetes.io/service-name: \(name)}}
        addressType: IPv4
        ports: [{name: pg, port: 5432}, {name: admin, port: 9}]
        endpoints: [\(endpoints)]

        """
    }

    private static let toBackends =
        "{group: sluice.dev, kind: Backend, name: named}, {group: sluice.dev, kind: Backend, name: spare}"
    private static let scene =
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: infra}
        spec:
          gatewayClassName: sluice
          listeners:
          - {name: plain, protocol: TCP, port: 5432}
          - {name: terminate, protocol: TLS, port: 443, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}
          - {name: raw, protocol: TLS, port: 444, tls: {mode: Passthrough}}
          - {name: safe, protocol: TCP, port: 5435}
          - {name: names, protocol: TCP, port: 5436}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: other, namespace: infra}
        spec: {gatewayClassName: sluice, listeners: [{name: plain, protocol: TCP, port: 5433}]}
        ---
        apiVersion: sluice.dev/v1alpha1
        kind: Backend
        metadata: {name: named, namespace: infra}
        spec: {endpoints: [{fqdn: {hostname: db.example.com, port: 1}, zone: z1, weight: 2}]}
        ---
        apiVersion: sluice.dev/v1alpha1
        kind: Backend
        metadata: {name: spare, namespace: infra}
        spec: {fallback: true, endpoints: [{ip: {address: 192.0.2.9, port: 1}}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: BackendTLSPolicy
        metadata: {name: safe, namespace: infra}
        spec:
          targetRefs: [{group: "", kind: Service, name: safe}]
          validation: {wellKnownCACertificates: System, hostname: safe.example.com}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: cert, namespace: infra}
        type: kubernetes.io/tls
        data: {tls.crt: "FAKE:dns=*.example.com"}

        """ + route("TCPRoute", "plain", "plain", "{name: db, port: 5432}")
        + route("TLSRoute", "secure", "terminate", "{name: db, port: 5432}")
        + route("TLSRoute", "raw", "raw", "{name: db, port: 5432}")
        + route("TCPRoute", "safe", "safe", "{name: safe, port: 5432}")
        + route("TCPRoute", "names", "names", toBackends)
        + route("TCPRoute", "other", "plain", "{name: db, port: 5432}", of: "other")
        + service("db", "{addresses: [10.0.0.1], zone: z1}, {addresses: [10.0.0.2], zone: z2}")
        + service("safe", "{addresses: [10.0.1.1]}") + service("empty", "")
}
