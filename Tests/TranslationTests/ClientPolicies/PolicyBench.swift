import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// A small installation, given ClientPolicies, and what comes of it: a Gateway `edge` with a plain listener `plain` (5432, with
/// TCPRoute `plain`), `terminate` (443, validating clients, with TLSRoute `secure`) and `raw` (444, passed through, with TLSRoute
/// `raw`); a Gateway `other` with the listener `plain` (5433), and ListenerSets `near` of the same namespace and `far` of another.
struct PolicyBench {
    var snapshot: ClusterSnapshot
    var options = TranslationOptions()
    let result: TranslationResult

    /// `policies`: documents of ClientPolicies, or of anything else.
    init(_ policies: String, memory: PolicyMemory = PolicyMemory()) throws {
        let input = try GoldenInput(parsing: PolicyBench.scene + policies, file: "policies")
        snapshot = input.snapshot
        let list = try AddressList("10.0.0.0/8\n2001:db8::/32 # ours")
        snapshot.configMaps[ObjectKey(namespace: "infra", name: "lists")] = {
            var entry = ConfigMapEntry(metadata: ObjectMeta(name: "lists", namespace: "infra"))
            entry.addressLists["cidrs.txt"] = .success(list)
            entry.revocationLists["crl.pem"] = .success(PolicyBench.revoked)
            return entry
        }()
        options.standalone = true
        result = translate(snapshot, options: options, memory: memory)
    }

    static let revoked = RevocationFacts(
        issuers: ["CN=Clients"], nextUpdate: nil, material: KeyMaterial(fingerprint: "crl", storage: FakeMaterial()))

    /// A policy of namespace `infra`; `spec` is a flow mapping's content, such as `startTLS: {protocol: Postgres}`.
    static func policy(_ name: String, _ target: String, _ spec: String, created: Int? = nil) -> String {
        let time = created.map { ", creationTimestamp: \"2026-01-01T00:00:0\($0)Z\"" } ?? ""
        return """
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: ClientPolicy
            metadata: {name: \(name), namespace: infra, generation: 1\(time)}
            spec: {targetRefs: [\(target)], \(spec)}

            """
    }

    static func target(_ kind: String, _ name: String, _ section: String? = nil) -> String {
        "{group: gateway.networking.k8s.io, kind: \(kind), name: \(name)\(section.map { ", sectionName: \($0)" } ?? "")}"
    }

    func listener(_ name: String, of gateway: String = "edge") throws -> ListenerConfiguration {
        try #require(
            result.configuration.listeners.first { $0.id.listener == name && $0.id.gateway == gateway }, "\(name)")
    }

    func termination() throws -> TLSTermination {
        guard case .tls(let tls) = try listener("terminate").traffic, case .terminate(let termination) = tls.mode else {
            throw InputProblem(text: "not terminated")
        }
        return termination
    }

    func route(at listener: String) throws -> RouteConfiguration {
        try #require(try self.listener(listener).routes.first)
    }

    /// Whether nobody is let in by one of the limits.
    static func isClosed(_ limits: [ClientLimits]) -> Bool {
        limits.contains { $0.authorization == Authorization(rules: [], allowsByDefault: false) }
    }

    /// `type=status reason` of a policy's conditions at its first ancestor, without Programmed=True.
    func conditions(_ policy: String) -> [String] {
        let status = result.statuses.clientPolicies[ObjectKey(namespace: "infra", name: policy)]
        return (status?.ancestors.first?.conditions ?? []).map {
            "\($0.type.rawValue)=\($0.status.rawValue) \($0.reason.rawValue)"
        }
        .filter { $0 != "Programmed=True Programmed" }
    }

    func message(_ policy: String, _ type: Condition.ConditionType = .accepted) -> String {
        let status = result.statuses.clientPolicies[ObjectKey(namespace: "infra", name: policy)]
        let conditions = status?.ancestors.flatMap(\.conditions) ?? []
        return conditions.filter { $0.type == type }.map(\.message).joined(separator: " | ")
    }

    private static let scene = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: infra}
        spec:
          gatewayClassName: sluice
          allowedListeners: {namespaces: {from: All}}
          tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}}
          listeners:
          - {name: plain, protocol: TCP, port: 5432, allowedRoutes: {namespaces: {from: All}}}
          - {name: terminate, protocol: TLS, port: 443, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}
          - {name: raw, protocol: TLS, port: 444, hostname: raw.example.com, tls: {mode: Passthrough}}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: other, namespace: infra}
        spec: {gatewayClassName: sluice, listeners: [{name: plain, protocol: TCP, port: 5433}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: ListenerSet
        metadata: {name: near, namespace: infra}
        spec:
          parentRef: {name: edge}
          listeners: [{name: near, protocol: TLS, port: 444, hostname: near.example.com, tls: {mode: Passthrough}}]
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: ListenerSet
        metadata: {name: far, namespace: apps}
        spec: {parentRef: {name: edge, namespace: infra}, listeners: [{name: far, protocol: TCP, port: 6000}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: TCPRoute
        metadata: {name: plain, namespace: infra}
        spec: {parentRefs: [{name: edge, sectionName: plain}], rules: [{backendRefs: [{name: db, port: 5432}]}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: TLSRoute
        metadata: {name: secure, namespace: infra}
        spec:
          parentRefs: [{name: edge, sectionName: terminate}]
          hostnames: [db.example.com]
          rules: [{backendRefs: [{name: db, port: 5432}]}]
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: TLSRoute
        metadata: {name: raw, namespace: infra}
        spec:
          parentRefs: [{name: edge, sectionName: raw}]
          hostnames: [raw.example.com]
          rules: [{backendRefs: [{name: db, port: 5432}]}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: db, namespace: infra}
        spec: {ports: [{port: 5432}]}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: ca, namespace: infra}
        data: {ca.crt: "FAKE:CN=Clients"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: cert, namespace: infra}
        type: kubernetes.io/tls
        data: {tls.crt: "FAKE:dns=*.example.com"}

        """
}
