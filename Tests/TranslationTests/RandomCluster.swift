import KubernetesAPI
import Primitives

/// A cluster by dice: few names, so that objects meet, refer to each other, and conflict.
struct RandomCluster {
    private var state: UInt64
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
        state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    }

    /// xorshift64*.
    private mutating func next(_ bound: Int) -> Int {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return Int((state &* 0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[next(values.count)] }

    private let namespaces = ["a", "b", "c"]
    private let hosts = [
        "x.example.com", "y.example.com", "*.example.com", "*.com", "z.example.net", "bad_name", "a.x.example.com",
        "*.x.example.com",
    ]

    /// A snapshot of some hundred objects; equal for equal seeds.
    func snapshot() -> ClusterSnapshot {
        var dice = self
        return dice.roll()
    }

    private mutating func roll() -> ClusterSnapshot {
        var snapshot = ClusterSnapshot(asOf: 1000)
        for index in 0..<6 { put(gateway("gw\(index)"), in: &snapshot, \.gateways) }
        for index in 0..<10 { put(listenerSet("set\(index)"), in: &snapshot, \.listenerSets) }
        for index in 0..<60 {
            put(tcpRoute("r\(index)"), in: &snapshot, \.tcpRoutes)
            put(tlsRoute("r\(index)"), in: &snapshot, \.tlsRoutes)
        }
        for index in 0..<10 { addService("s\(index)", to: &snapshot) }
        for index in 0..<4 { put(grant("g\(index)"), in: &snapshot, \.referenceGrants) }
        for index in 0..<3 { put(backend("b\(index)"), in: &snapshot, \.backends) }
        for namespace in namespaces where next(2) == 0 {
            put(Namespace(metadata: ObjectMeta(name: namespace, labels: ["in": "x"])), in: &snapshot, \.namespaces)
        }
        for index in 0..<8 { put(policy("p\(index)"), in: &snapshot, \.backendTLSPolicies) }
        for namespace in namespaces where next(3) > 0 {
            let key = ObjectKey(namespace: namespace, name: "cert")
            let names = [HostnamePattern("*.example.com")].compactMap { $0 }
            snapshot.secrets[key] = SecretEntry(
                metadata: ObjectMeta(name: "cert", namespace: namespace),
                keyPair: .success(
                    KeyPairFacts(
                        keyType: .rsa(bits: 2048), dnsNames: names, notBefore: 0, notAfter: 5000, fingerprint: "",
                        spkiHash: "",
                        chainLength: 1, chainProblems: [],
                        material: KeyMaterial(fingerprint: namespace, storage: FakeMaterial()))))
        }
        var policies = RandomPolicies(seed: seed)
        policies.add(12, to: &snapshot)
        var backendPolicies = RandomBackendPolicies(seed: seed)
        backendPolicies.add(10, to: &snapshot)
        return snapshot
    }

    private func put<Value: KubernetesResource>(
        _ object: Value, in snapshot: inout ClusterSnapshot,
        _ path: WritableKeyPath<ClusterSnapshot, [ObjectKey: Value]>
    ) {
        snapshot[keyPath: path][object.key] = object
    }

    private mutating func meta(_ name: String) -> ObjectMeta {
        let time = next(3) == 0 ? nil : Timestamp("2026-01-01T00:00:0\(next(10))Z")
        return ObjectMeta(name: name, namespace: pick(namespaces), creationTimestamp: time)
    }

    private mutating func gateway(_ name: String) -> Gateway {
        let listeners = listeners()
        let from = pick(["All", "All", "Same", "None"])
        let spec = Gateway.Spec(
            gatewayClassName: pick(["sluice", "sluice", "sluice", "second", "other"]), listeners: listeners,
            tls: next(3) == 0
                ? Gateway.TLS(backend: Gateway.Backend(clientCertificateRef: SecretObjectReference(name: "cert")))
                : nil,
            allowedListeners: Gateway.AllowedListeners(namespaces: Gateway.ListenerNamespaces(from: from)))
        return Gateway(metadata: meta(name), spec: spec)
    }

    private mutating func listenerSet(_ name: String) -> ListenerSet {
        let parent = ListenerSet.ParentGatewayReference(name: "gw\(next(6))", namespace: pick(namespaces))
        return ListenerSet(metadata: meta(name), spec: ListenerSet.Spec(parentRef: parent, listeners: listeners()))
    }

    private mutating func listeners() -> [Gateway.Listener] {
        var listeners: [Gateway.Listener] = []
        for index in 0..<(1 + next(6)) {
            let isTLS = next(2) == 0
            let reference = SecretObjectReference(name: "cert", namespace: next(3) == 0 ? pick(namespaces) : nil)
            let tls = Gateway.ListenerTLS(mode: pick(["Passthrough", "Terminate"]), certificateRefs: [reference])
            listeners.append(
                Gateway.Listener(
                    name: "l\(index)", hostname: isTLS && next(3) > 0 ? pick(hosts) : nil, port: 440 + next(12),
                    protocol: isTLS ? .tls : pick([.tcp, .tcp, .tcp, .http]), tls: isTLS ? tls : nil,
                    allowedRoutes: Gateway.AllowedRoutes(
                        namespaces: Gateway.RouteNamespaces(
                            from: pick(["All", "All", "All", "Same", "Selector"]),
                            selector: LabelSelector(matchLabels: ["in": "x"])))))
        }
        return listeners
    }

    private mutating func parents() -> [ParentReference] {
        (0..<(1 + next(2))).map { _ in
            let isSet = next(4) == 0
            return ParentReference(
                kind: isSet ? "ListenerSet" : nil, namespace: pick(namespaces),
                name: isSet ? "set\(next(10))" : "gw\(next(7))", sectionName: next(2) == 0 ? "l\(next(5))" : nil,
                port: next(5) == 0 ? 440 + next(12) : nil)
        }
    }

    private mutating func rules() -> [RouteRule] {
        let references = (0..<(1 + next(3))).map { _ in
            next(6) == 0
                ? BackendReference(group: Backend.resourceKind.group, kind: "Backend", name: "b\(next(4))")
                : BackendReference(
                    name: "s\(next(11))", namespace: next(3) == 0 ? pick(namespaces) : nil, port: 80 + next(2),
                    weight: next(4))
        }
        return [RouteRule(backendRefs: references)]
    }

    private mutating func tcpRoute(_ name: String) -> TCPRoute {
        TCPRoute(metadata: meta(name), spec: TCPRoute.Spec(parentRefs: parents(), rules: rules()))
    }

    private mutating func tlsRoute(_ name: String) -> TLSRoute {
        let names = (0..<(1 + next(3))).map { _ in pick(hosts) }
        return TLSRoute(
            metadata: meta(name), spec: TLSRoute.Spec(parentRefs: parents(), hostnames: names, rules: rules()))
    }

    private mutating func addService(_ name: String, to snapshot: inout ClusterSnapshot) {
        for namespace in namespaces {
            let metadata = ObjectMeta(name: name, namespace: namespace)
            let ports = [Service.Port(name: "a", port: 80), Service.Port(name: "b", port: 81)]
            put(Service(metadata: metadata, spec: Service.Spec(ports: ports)), in: &snapshot, \.services)
            let endpoints = (0..<next(5)).map { index in
                EndpointSlice.Endpoint(
                    addresses: ["10.0.\(next(9)).\(index)"], conditions: EndpointSlice.Conditions(ready: next(3) > 0))
            }
            let label = [EndpointSlice.serviceNameLabel: name]
            put(
                EndpointSlice(
                    metadata: ObjectMeta(name: name + "-x", namespace: namespace, labels: label), addressType: "IPv4",
                    endpoints: endpoints, ports: [EndpointSlice.Port(name: "a", port: 8080)]),
                in: &snapshot, \.endpointSlices)
        }
    }

    private mutating func backend(_ name: String) -> Backend {
        let endpoint =
            next(2) == 0
            ? Backend.Endpoint(fqdn: Backend.FQDN(hostname: "db.example.com", port: 5432))
            : Backend.Endpoint(ip: Backend.IP(address: pick(["10.9.9.9", "169.254.0.1"]), port: 7))
        return Backend(metadata: meta(name), spec: Backend.Spec(endpoints: [endpoint]))
    }

    private mutating func grant(_ name: String) -> ReferenceGrant {
        let kinds = [("TCPRoute", "Service"), ("TLSRoute", "Service"), ("Gateway", "Secret")]
        let (from, to) = pick(kinds)
        return ReferenceGrant(
            metadata: meta(name),
            spec: ReferenceGrant.Spec(
                from: [ReferenceGrant.From(group: gatewayAPIGroup, kind: from, namespace: pick(namespaces))],
                to: [ReferenceGrant.To(group: "", kind: to)]))
    }

    private mutating func policy(_ name: String) -> BackendTLSPolicy {
        let target =
            next(4) == 0
            ? BackendTLSPolicy.TargetReference(
                group: Backend.resourceKind.group, kind: "Backend", name: "b\(next(3))", sectionName: nil)
            : BackendTLSPolicy.TargetReference(
                group: "", kind: "Service", name: "s\(next(10))", sectionName: pick([nil, "a", "c"]))
        return BackendTLSPolicy(
            metadata: meta(name),
            spec: BackendTLSPolicy.Spec(
                targetRefs: [target],
                validation: BackendTLSPolicy.Validation(
                    caCertificateRefs: next(4) > 0
                        ? nil : [LocalObjectReference(group: "", kind: "ConfigMap", name: "ca\(next(3))")],
                    wellKnownCACertificates: pick(["System", "example.com/x"]), hostname: "db.example.com")))
    }
}
