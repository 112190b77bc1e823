public import KubernetesAPI

/// The Secrets and ConfigMaps that ``translate(_:options:)`` asks for: those which gateways of ours, ListenerSets they allow,
/// policies for them or their routes, and policies for backends of the routes refer to; in other namespaces only with a grant.
/// Needs neither Secrets nor ConfigMaps in the snapshot. Pure.
public func referencedObjects(_ snapshot: ClusterSnapshot, options: TranslationOptions) -> ReferencedObjects {
    var parameters = ParametersIndex(snapshot)
    let classes = ClassSelection(snapshot, options, &parameters)
    let gateways = snapshot.gateways.filter { classes.contains($0.value.spec.gatewayClassName) }
    guard !gateways.isEmpty else { return ReferencedObjects() }
    var collector = ReferenceCollector(grants: GrantIndex(snapshot.referenceGrants))
    let sets = ListenerSetIndex(snapshot)
    var allowed: Set<ObjectKey> = []
    for (key, gateway) in gateways {
        collector.add(gateway, key)
        let mine = sets.sets(of: gateway, key, in: snapshot, standalone: options.standalone)
        for set in mine where set.rejection == nil {
            allowed.insert(set.key)
            collector.add(set.set.spec.listeners, of: ListenerOwner(gateway: key, set: set.key))
        }
    }
    let parents = RouteParents(gateways: Set(gateways.keys), sets: allowed)
    for (key, policy) in snapshot.clientPolicies where policy.refersToObjects {
        let isOurs = policy.spec.targetRefs.contains { reference in
            reference.point(in: key.namespace).map { parents.include($0, snapshot) } ?? false
        }
        if isOurs { collector.add(policy, key) }
    }
    let authorities = PolicyAuthorities(snapshot)
    guard !authorities.isEmpty else { return collector.found }
    for (key, route) in snapshot.tcpRoutes where parents.include(route.spec.parentRefs, from: key.namespace) {
        collector.add(authorities, route.spec.rules, of: .tcp, in: key.namespace)
    }
    for (key, route) in snapshot.tlsRoutes where parents.include(route.spec.parentRefs, from: key.namespace) {
        collector.add(authorities, route.spec.rules, of: .tls, in: key.namespace)
    }
    return collector.found
}

/// What is referred to so far.
private struct ReferenceCollector {
    let grants: GrantIndex
    private(set) var found = ReferencedObjects()

    init(grants: GrantIndex) { self.grants = grants }

    mutating func add(_ gateway: Gateway, _ key: ObjectKey) {
        let owner = ListenerOwner(gateway: key, set: nil)
        add(gateway.spec.listeners, of: owner)
        if let reference = gateway.spec.tls?.backend?.clientCertificateRef { add(reference, of: owner) }
        guard let frontend = gateway.spec.tls?.frontend else { return }
        for settings in [frontend.default] + (frontend.perPort ?? []).map(\.tls) {
            for reference in settings?.validation?.caCertificateRefs ?? [] where reference.group.isEmpty {
                add(
                    reference.kind, ObjectKey(namespace: reference.namespace ?? key.namespace, name: reference.name),
                    of: owner)
            }
        }
    }

    mutating func add(_ listeners: [Gateway.Listener], of owner: ListenerOwner) {
        for listener in listeners where listener.protocol == .tls && listener.tls?.isPassthrough != true {
            for reference in listener.tls?.certificateRefs ?? [] { add(reference, of: owner) }
        }
    }

    private mutating func add(_ reference: SecretObjectReference, of owner: ListenerOwner) {
        guard reference.effectiveGroup.isEmpty, reference.effectiveKind == "Secret" else { return }
        add("Secret", ObjectKey(namespace: reference.namespace ?? owner.namespace, name: reference.name), of: owner)
    }

    private mutating func add(_ kind: String, _ key: ObjectKey, of owner: ListenerOwner) {
        guard grants.permits(owner.kind, in: owner.namespace, toGroup: "", toKind: kind, key) else { return }
        insert(kind, key)
    }

    private mutating func insert(_ kind: String, _ key: ObjectKey) {
        switch kind {
        case "Secret": found.secrets.insert(key)
        case "ConfigMap": found.configMaps.insert(key)
        default: break
        }
    }

    /// The lists that a policy refers to in its own namespace.
    mutating func add(_ policy: ClientPolicy, _ key: ObjectKey) {
        for reference in policy.addressListReferences {
            insert("ConfigMap", ObjectKey(namespace: key.namespace, name: reference.name))
        }
        for reference in policy.revocationListReferences {
            insert(reference.effectiveKind, ObjectKey(namespace: key.namespace, name: reference.name))
        }
    }

    /// What policies for a route's backends refer to.
    mutating func add(
        _ authorities: PolicyAuthorities, _ rules: [RouteRule], of kind: RouteKind, in namespace: String
    ) {
        for reference in rules.first?.backendRefs ?? [] {
            let target = PolicyAuthorities.Target(
                group: reference.effectiveGroup, kind: reference.effectiveKind, key: reference.key(from: namespace))
            guard let references = authorities[target],
                grants.permits(
                    kind.rawValue, in: namespace, toGroup: target.group, toKind: target.kind, target.key)
            else { continue }
            for item in references {
                insert(item.kind, ObjectKey(namespace: target.key.namespace, name: item.name))
            }
        }
    }
}

/// The CA certificates that BackendTLSPolicies refer to, by what they target.
private struct PolicyAuthorities {
    struct Target: Hashable {
        let group: String
        let kind: String
        let key: ObjectKey
    }

    private var references: [Target: [LocalObjectReference]] = [:]

    init(_ snapshot: ClusterSnapshot) {
        for (key, policy) in snapshot.backendTLSPolicies {
            let authorities = (policy.spec.validation.caCertificateRefs ?? []).filter(\.group.isEmpty)
            guard !authorities.isEmpty else { continue }
            for target in policy.spec.targetRefs {
                let object = Target(
                    group: target.group, kind: target.kind, key: ObjectKey(namespace: key.namespace, name: target.name))
                references[object, default: []] += authorities
            }
        }
    }

    var isEmpty: Bool { references.isEmpty }
    subscript(_ target: Target) -> [LocalObjectReference]? { references[target] }
}

/// Parents of ours.
private struct RouteParents {
    let gateways: Set<ObjectKey>
    let sets: Set<ObjectKey>

    /// Whether what a policy is attached to is ours, or has a parent of ours.
    func include(_ point: AttachmentPoint, _ snapshot: ClusterSnapshot) -> Bool {
        switch point {
        case .gateway(let key), .gatewayListener(let key, _): gateways.contains(key)
        case .listenerSet(let key), .setListener(let key, _): sets.contains(key)
        case .route(let route):
            include(
                route.kind == .tcp
                    ? snapshot.tcpRoutes[route.key]?.spec.parentRefs : snapshot.tlsRoutes[route.key]?.spec.parentRefs,
                from: route.key.namespace)
        case .service, .servicePort, .backend: false
        }
    }

    func include(_ references: [ParentReference]?, from namespace: String) -> Bool {
        (references ?? []).contains { reference in
            guard reference.effectiveGroup == gatewayAPIGroup else { return false }
            switch reference.effectiveKind {
            case "Gateway": return gateways.contains(reference.key(from: namespace))
            case ListenerSet.resourceKind.kind: return sets.contains(reference.key(from: namespace))
            default: return false
            }
        }
    }
}

extension ClientPolicy {
    fileprivate var addressListReferences: [CIDRListReference] {
        (spec.authorization?.rules ?? []).flatMap { $0.principal.clientCIDRRefs ?? [] }
    }
    fileprivate var revocationListReferences: [RevocationListReference] { spec.tls?.clientValidation?.crlRefs ?? [] }

    /// Whether it names a ConfigMap or Secret.
    var refersToObjects: Bool { !addressListReferences.isEmpty || !revocationListReferences.isEmpty }
}
