import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// A cluster of three owners, and what comes of what they write: the platform (`infra`) has the Gateway `edge`, `red` was there first
/// and has done nothing wrong, `blue` came later and is after what belongs to the others.
///
/// `edge` has the listeners `shared` (443, passed through), `secret` (8443, terminated), `db` (5432, plain), each for routes of all
/// namespaces, and takes ListenerSets of all; red has the Services `app` and `db`, blue `own`, both with endpoints.
struct TenancyBench {
    let snapshot: ClusterSnapshot
    var options = TranslationOptions()
    let result: TranslationResult

    init(_ manifests: String, memory: PolicyMemory = PolicyMemory()) throws {
        self.init(try GoldenInput(parsing: TenancyBench.scene + manifests, file: "tenants").snapshot, memory: memory)
    }

    init(_ snapshot: ClusterSnapshot, memory: PolicyMemory = PolicyMemory()) {
        self.snapshot = snapshot
        options.standalone = false
        result = translate(snapshot, options: options, memory: memory)
    }

    // MARK: Who serves what

    /// The route that serves a name at a port, as `namespace/name`; nil: none. An empty name: a client without SNI, or plain TCP.
    func server(_ name: String, at port: UInt16) -> String? { route(name, at: port).map { $0.id.owner } }

    /// As ``server(_:at:)``: by the narrowest listener, then by the narrowest route.
    func route(_ name: String, at port: UInt16) -> RouteConfiguration? {
        let listeners = result.configuration.listeners.filter { listener in listener.port == port }
        let found = listeners.compactMap { listener -> (rank: Int, listener: ListenerConfiguration)? in
            guard case .tls(let tls) = listener.traffic, let hostname = tls.hostname else { return (-1, listener) }
            return hostname.matches(name) ? (hostname.rank, listener) : nil
        }
        switch found.max(by: { $0.rank < $1.rank })?.listener.traffic {
        case .tcp(let route)?: return route
        case .tls(let tls)?:
            let fitting = tls.routes.filter { $0.hostname.matches(name) }
            return fitting.max { $0.hostname.rank < $1.hostname.rank }?.route ?? tls.fallback
        case nil: return nil
        }
    }

    /// The addresses that a route's connections go to; a share that is refused is none.
    func endpoints(_ route: RouteConfiguration?) -> [String] {
        let ids = (route?.backends ?? []).compactMap { backend -> BackendID? in
            if case .backend(let id) = backend.target { id } else { nil }
        }
        return ids.flatMap { id in
            result.configuration.backends.first { $0.id == id }?.endpoints.map(\.address.description) ?? []
        }
    }

    func listener(_ name: String) -> ListenerConfiguration? {
        result.configuration.listeners.first { $0.id.listener == name }
    }

    /// Whether nobody is let in.
    static func isClosed(_ limits: [ClientLimits]) -> Bool {
        limits.contains { $0.authorization == Authorization(rules: [], allowsByDefault: false) }
    }

    // MARK: What is said

    /// Every condition of an object's status, as `Type=Status Reason: message`.
    func said(_ kind: String, _ name: String) -> [String] {
        let parts = name.split(separator: "/").map(String.init)
        return conditions(kind, ObjectKey(namespace: parts[0], name: parts[1])).map {
            "\($0.type.rawValue)=\($0.status.rawValue) \($0.reason.rawValue): \($0.message)"
        }
    }

    /// Whether a condition with that status and reason is among them, as `Accepted=False Conflicted`.
    func says(_ kind: String, _ name: String, _ what: String) -> Bool {
        said(kind, name).contains { $0.hasPrefix("\(what):") }
    }

    private func conditions(_ kind: String, _ key: ObjectKey) -> [Condition] {
        let statuses = result.statuses
        func listeners(_ list: [ListenerStatus]?) -> [Condition] { (list ?? []).flatMap(\.conditions) }
        switch kind {
        case "Gateway":
            let status = statuses.gateways[key]
            return (status?.conditions ?? []) + listeners(status?.listeners)
        case "ListenerSet":
            let status = statuses.listenerSets[key]
            return (status?.conditions ?? []) + listeners(status?.listeners)
        case "TCPRoute": return (statuses.tcpRoutes[key]?.parents ?? []).flatMap(\.conditions)
        case "TLSRoute": return (statuses.tlsRoutes[key]?.parents ?? []).flatMap(\.conditions)
        case "ClientPolicy": return (statuses.clientPolicies[key]?.ancestors ?? []).flatMap(\.conditions)
        case "BackendPolicy": return (statuses.backendPolicies[key]?.ancestors ?? []).flatMap(\.conditions)
        case "BackendTLSPolicy": return (statuses.backendTLSPolicies[key]?.ancestors ?? []).flatMap(\.conditions)
        case "Backend": return statuses.backends[key]?.conditions ?? []
        default:
            Issue.record("no statuses of \(kind)")
            return []
        }
    }

    /// All that the statuses of a namespace's objects say.
    func everythingSaid(in namespace: String) -> [String] {
        let statuses = result.statuses
        func told(_ kind: String, _ keys: some Sequence<ObjectKey>) -> [String] {
            keys.filter { $0.namespace == namespace }.sorted().flatMap { key in
                conditions(kind, key).map { "\(kind) \(key.name): \($0.type.rawValue) \($0.message)" }
            }
        }
        return told("Gateway", statuses.gateways.keys) + told("ListenerSet", statuses.listenerSets.keys)
            + told("TCPRoute", statuses.tcpRoutes.keys) + told("TLSRoute", statuses.tlsRoutes.keys)
            + told("ClientPolicy", statuses.clientPolicies.keys) + told("BackendPolicy", statuses.backendPolicies.keys)
            + told("BackendTLSPolicy", statuses.backendTLSPolicies.keys) + told("Backend", statuses.backends.keys)
    }
}

extension RouteID {
    /// As `namespace/name`.
    var owner: String { "\(namespace)/\(name)" }
}

extension HostnamePattern {
    fileprivate var rank: Int {
        switch self {
        case .exact: .max
        case .wildcard(let suffix): suffix.utf8.count
        }
    }
}

// MARK: What tenants write

extension TenancyBench {
    /// A route of a tenant's to a backend, of which the default is each tenant's own Service.
    static func tlsRoute(
        _ owner: String, hosts: [String]?, to backend: String? = nil, parent: String = "name: edge, namespace: infra",
        section: String? = "shared", created: String? = nil
    ) -> String {
        let names = hosts.map { "hostnames: [\($0.map { "\"\($0)\"" }.joined(separator: ", "))], " } ?? ""
        return route("TLSRoute", owner, names, backend, parent, section, created)
    }

    static func tcpRoute(
        _ owner: String, to backend: String? = nil, parent: String = "name: edge, namespace: infra",
        section: String? = "db", created: String? = nil
    ) -> String {
        route("TCPRoute", owner, "", backend, parent, section, created)
    }

    private static func route(
        _ kind: String, _ owner: String, _ names: String, _ backend: String?, _ parent: String, _ section: String?,
        _ created: String?
    ) -> String {
        let section = section.map { ", sectionName: \($0)" } ?? ""
        let backend = backend ?? "name: \(owner.hasPrefix("red/") ? "app" : "own"), port: 80"
        return """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: \(kind)
            metadata: {\(metadata(owner, created))}
            spec: {parentRefs: [{\(parent)\(section)}], \(names)rules: [{backendRefs: [{\(backend)}]}]}

            """
    }

    static func listenerSet(_ owner: String, _ listeners: String..., created: String? = nil) -> String {
        """
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: ListenerSet
        metadata: {\(metadata(owner, created))}
        spec: {parentRef: {name: edge, namespace: infra}, listeners: [\(listeners.joined(separator: ", "))]}

        """
    }

    static func grant(_ name: String, from: String, to: String) -> String {
        """
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: ReferenceGrant
        metadata: {\(metadata(name, nil))}
        spec: {from: [{\(from)}], to: [{\(to)}]}

        """
    }

    static func policy(
        _ kind: String, _ owner: String, on target: String, _ spec: String, created: String? = nil
    ) -> String {
        """
        ---
        apiVersion: sluice.dev/v1alpha1
        kind: \(kind)
        metadata: {\(metadata(owner, created)), generation: 1}
        spec: {targetRefs: [{\(target)}], \(spec)}

        """
    }

    static func gatewayTarget(_ kind: String, _ name: String, _ section: String? = nil) -> String {
        "group: gateway.networking.k8s.io, kind: \(kind), name: \(name)\(section.map { ", sectionName: \($0)" } ?? "")"
    }

    /// `created`: a day of January 2026; by default red's objects are of the first, all others of the second.
    private static func metadata(_ owner: String, _ created: String?) -> String {
        let parts = owner.split(separator: "/")
        let day = created ?? (parts[0] == "red" ? "01" : "02")
        return "name: \(parts[1]), namespace: \(parts[0]), creationTimestamp: \"2026-01-\(day)T00:00:00Z\""
    }

    private static let scene = """
        kind: Surroundings
        standalone: false
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: GatewayClass
        metadata: {name: sluice}
        spec:
          controllerName: sluice.dev/gateway-controller
          parametersRef: {group: sluice.dev, kind: GatewayParameters, name: class, namespace: infra}
        ---
        apiVersion: sluice.dev/v1alpha1
        kind: GatewayParameters
        metadata: {name: class, namespace: infra}
        spec:
          exposure: Host
          allowedPorts:
            tcp: {ports: [5432, 5433]}
            tls: {ports: [443, 8443, 9443]}
            namespaces: {from: Same}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: edge, namespace: infra, creationTimestamp: "2026-01-01T00:00:00Z"}
        spec:
          gatewayClassName: sluice
          allowedListeners: {namespaces: {from: All}}
          listeners:
          - {name: shared, protocol: TLS, port: 443, tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}}
          - name: secret
            protocol: TLS
            port: 8443
            tls: {mode: Terminate, certificateRefs: [{name: wildcard}]}
            allowedRoutes: {namespaces: {from: All}, kinds: [{kind: TLSRoute}]}
          - {name: db, protocol: TCP, port: 5432, allowedRoutes: {namespaces: {from: All}}}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: wildcard, namespace: infra}
        data: {tls.crt: "FAKE:dns=*.example.com"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: cert, namespace: red}
        data: {tls.crt: "FAKE:dns=red.example.com", ca.crt: "FAKE:CN=red"}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: ca, namespace: red}
        data: {ca.crt: "FAKE:CN=red"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: cert, namespace: blue}
        data: {tls.crt: "FAKE:dns=blue.example.com"}

        """ + ["infra", "red", "blue"].map { namespace($0) }.joined()
        + service("red", "app", "10.0.1.1") + service("red", "db", "10.0.1.2") + service("blue", "own", "10.0.2.1")

    private static func namespace(_ name: String) -> String {
        "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: \(name), labels: {tenant: \(name)}}\n"
    }

    static func service(_ namespace: String, _ name: String, _ addresses: String..., slice: String? = nil) -> String {
        """
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: \(name), namespace: \(namespace)}
        spec: {ports: [{port: 80, protocol: TCP}]}

        """ + self.slice(namespace, slice ?? "\(name)-1", of: name, addresses)
    }

    static func slice(_ namespace: String, _ name: String, of service: String, _ addresses: [String]) -> String {
        """
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: \(name), namespace: \(namespace), labels: {kubernetes.io/service-name: \(service)}}
        addressType: \(addresses.contains { $0.contains(":") } ? "IPv6" : "IPv4")
        ports: [{port: 8080, protocol: TCP}]
        endpoints: [\(addresses.map { "{addresses: [\"\($0)\"]}" }.joined(separator: ", "))]

        """
    }
}
