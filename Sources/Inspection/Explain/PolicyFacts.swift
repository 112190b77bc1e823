internal import EngineModel
internal import KubernetesAPI
internal import Translation

/// What a policy can be attached to.
struct PolicyPoint: Hashable {
    let kind: String
    let key: ObjectKey
    /// A listener, or a Service's port by its name.
    let section: String?

    init(_ kind: String, _ key: ObjectKey, _ section: String? = nil) {
        (self.kind, self.key, self.section) = (kind, key, section)
    }

    init(_ reference: PolicyTargetReference, in namespace: String) {
        self.init(
            reference.kind, ObjectKey(namespace: namespace, name: reference.name),
            reference.sectionName.flatMap { $0.isEmpty ? nil : $0 })
    }

    init(_ reference: BackendTLSPolicy.TargetReference, in namespace: String) {
        self.init(
            reference.kind, ObjectKey(namespace: namespace, name: reference.name),
            reference.sectionName.flatMap { $0.isEmpty ? nil : $0 })
    }

    /// Such as `Gateway infra/edge`, `Gateway infra/edge, listener redis`.
    var title: String {
        guard let section else { return "\(kind) \(key)" }
        return "\(kind) \(key), \(kind == Service.resourceKind.kind ? "port" : "listener") \(section)"
    }

    /// What policies for a listener can be attached to, the least specific first.
    static func of(_ listener: ListenerFacts) -> [PolicyPoint] {
        guard let set = listener.set else {
            return [.init("Gateway", listener.gateway), .init("Gateway", listener.gateway, listener.spec.name)]
        }
        let kind = ListenerSet.resourceKind.kind
        return [.init("Gateway", listener.gateway), .init(kind, set), .init(kind, set, listener.spec.name)]
    }

    /// The same for a backend.
    static func of(_ id: BackendID, _ snapshot: ClusterSnapshot) -> [PolicyPoint] {
        let key = ObjectKey(namespace: id.namespace, name: id.name)
        let ports = id.kind == "Service" ? snapshot.services[key]?.spec.ports ?? [] : []
        let name = ports.first { $0.port == Int(id.port) }?.name
        return [.init(id.kind, key)] + (name.map { [.init(id.kind, key, $0)] } ?? [])
    }
}

/// A policy of any kind, as far as explanations look at them.
struct PolicyFacts {
    let kind: String
    let key: ObjectKey
    let targets: [PolicyPoint]
    let status: PolicyStatus?
    let created: String
    var client: ClientPolicy.Spec?
    var backend: BackendPolicy.Spec?

    var title: String { "\(kind) \(key)" }

    /// Whether it is in force wherever it is attached.
    var isAccepted: Bool {
        !(status?.ancestors ?? []).contains { $0.conditions[.accepted]?.status == .false }
    }

    /// Whether it holds at a point, as what is said of it for a Gateway's traffic goes.
    func conditions(at gateway: ObjectKey?) -> [Condition] {
        let ancestors = status?.ancestors ?? []
        let here = ancestors.filter { ancestor in
            gateway.map { ancestor.ancestorRef.name == $0.name && ancestor.ancestorRef.namespace == $0.namespace }
                ?? true
        }
        var seen: Set<Condition> = []
        return (here.isEmpty ? ancestors : here).flatMap(\.conditions).filter { seen.insert($0).inserted }
    }

    /// Every policy, the older ones first.
    static func all(_ inspected: Inspected) -> [PolicyFacts] {
        let (snapshot, statuses) = (inspected.snapshot, inspected.statuses)
        let clients = snapshot.clientPolicies.map { key, policy in
            var facts = PolicyFacts(
                kind: ClientPolicy.resourceKind.kind, key: key,
                targets: policy.spec.targetRefs.map { PolicyPoint($0, in: key.namespace) },
                status: statuses.clientPolicies[key], created: "\(policy.metadata.creationTimestamp?.text ?? "")")
            facts.client = policy.spec
            return facts
        }
        let backends = snapshot.backendPolicies.map { key, policy in
            var facts = PolicyFacts(
                kind: BackendPolicy.resourceKind.kind, key: key,
                targets: policy.spec.targetRefs.map { PolicyPoint($0, in: key.namespace) },
                status: statuses.backendPolicies[key], created: "\(policy.metadata.creationTimestamp?.text ?? "")")
            facts.backend = policy.spec
            return facts
        }
        let tls = snapshot.backendTLSPolicies.map { key, policy in
            PolicyFacts(
                kind: BackendTLSPolicy.resourceKind.kind, key: key,
                targets: policy.spec.targetRefs.map { PolicyPoint($0, in: key.namespace) },
                status: statuses.backendTLSPolicies[key], created: "\(policy.metadata.creationTimestamp?.text ?? "")")
        }
        return (clients + backends + tls).sorted { ($0.created, $0.key) < ($1.created, $1.key) }
    }
}
