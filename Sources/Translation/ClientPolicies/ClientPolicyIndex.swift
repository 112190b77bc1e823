internal import EngineModel
internal import KubernetesAPI

/// ClientPolicies by what they are attached to; of two for one point the older one holds.
struct ClientPolicyIndex {
    /// In order of precedence.
    private(set) var policies: [ClientPolicyState]
    /// Who holds at a point: index of the policy, and of its attachment.
    private var holders: [AttachmentPoint: Holder] = [:]

    struct Holder {
        let policy: Int
        let attachment: Int
    }

    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState]) {
        policies = snapshot.clientPolicies.byPrecedence.map { ClientPolicyState($0.key, $0.value, snapshot) }
        let scene = PolicyScene(snapshot, gateways)
        for index in policies.indices {
            for reference in policies[index].policy.spec.targetRefs { attach(reference, of: index, scene) }
        }
    }

    private mutating func attach(
        _ reference: ClientPolicy.TargetReference, of index: Int, _ scene: PolicyScene
    ) {
        guard let point = reference.point(in: policies[index].key.namespace) else {
            let name = reference.sectionName.map { "\(reference.kind) with sectionName \($0)" } ?? reference.kind
            let verdict = Verdict(.unsupportedTarget, "a ClientPolicy cannot target \(name) (\(reference.group))")
            policies[index].rejection = [policies[index].rejection, verdict].compactMap { $0 }.merged
            return
        }
        var attachment = ClientPolicyState.Attachment(point: point)
        attachment.verdict = scene.refusal(of: policies[index], at: point)
        attachment.ancestors = scene.ancestors(of: point)
        if let holder = holders[point] {
            attachment.verdict = Verdict(
                .conflicted, "\(point.description) has the older ClientPolicy \(policies[holder.policy].key)")
            attachment.isReplaced = true
        } else {
            holders[point] = Holder(policy: index, attachment: policies[index].attachments.count)
        }
        policies[index].attachments.append(attachment)
    }

    var isEmpty: Bool { policies.isEmpty }

    /// Who is attached to a route.
    func holder(of route: RouteKey) -> Holder? { holders[.route(route)] }

    /// Who is attached to the points, from the least to the most specific.
    func holders(at points: [AttachmentPoint]) -> [Holder] { points.compactMap { holders[$0] } }

    subscript(_ holder: Holder) -> ClientPolicyState.Attachment {
        get { policies[holder.policy].attachments[holder.attachment] }
        set { policies[holder.policy].attachments[holder.attachment] = newValue }
    }

    /// Why the policy does not hold at a point.
    func obstacle(_ holder: Holder) -> Verdict? { policies[holder.policy].rejection ?? self[holder].verdict }

    /// Says that a route that the policy is attached to is served by a gateway.
    mutating func note(_ route: RouteKey, at gateway: ObjectKey) {
        guard let holder = holders[.route(route)] else { return }
        self[holder].ancestors.insert(PolicyAncestor(gateway: gateway, section: nil))
    }
}

/// What there is for policies to be attached to.
struct PolicyScene {
    private let snapshot: ClusterSnapshot
    private let gateways: [ObjectKey: GatewayState]
    /// The gateway of each ListenerSet that adds listeners to one of ours.
    private let sets: [ObjectKey: ObjectKey]

    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState]) {
        self.snapshot = snapshot
        self.gateways = Dictionary(gateways.map { ($0.key, $0) }) { first, _ in first }
        var sets: [ObjectKey: ObjectKey] = [:]
        for gateway in gateways {
            for set in gateway.sets { sets[set.key] = gateway.key }
        }
        self.sets = sets
    }

    /// The gateways of ours that the point is of; a route's are known when it is attached.
    func ancestors(of point: AttachmentPoint) -> Set<PolicyAncestor> {
        switch point {
        case .gateway(let key): gateways[key] == nil ? [] : [PolicyAncestor(gateway: key, section: nil)]
        case .gatewayListener(let key, let name):
            gateways[key] == nil ? [] : [PolicyAncestor(gateway: key, section: name)]
        case .listenerSet(let key), .setListener(let key, _):
            Set([sets[key].map { PolicyAncestor(gateway: $0, section: nil) }].compactMap { $0 })
        case .route: []
        }
    }

    /// Why a policy cannot hold at a point, the other policies apart.
    func refusal(of policy: ClientPolicyState, at point: AttachmentPoint) -> Verdict? {
        switch point {
        case .gateway(let key):
            if snapshot.gateways[key] == nil { return missing(point) }
            return unmeant(policy, point, gateways[key].map { Array($0.listeners) } ?? [])
        case .gatewayListener(let key, let name):
            guard let gateway = gateways[key] else { return snapshot.gateways[key] == nil ? missing(point) : nil }
            let listeners = gateway.ownListeners.filter { $0.spec.name == name }
            if listeners.isEmpty { return Verdict(.targetNotFound, "Gateway \(key) has no listener \(name)") }
            return unmeant(policy, point, Array(listeners))
        case .listenerSet(let key):
            return refusal(of: policy, at: point, set: key) { _ in true }
        case .setListener(let key, let name):
            return refusal(of: policy, at: point, set: key) { $0.spec.name == name }
        case .route(let route):
            let exists =
                route.kind == .tcp ? snapshot.tcpRoutes[route.key] != nil : snapshot.tlsRoutes[route.key] != nil
            return exists ? nil : missing(point)
        }
    }

    private func refusal(
        of policy: ClientPolicyState, at point: AttachmentPoint, set key: ObjectKey,
        _ isMeant: (ListenerState) -> Bool
    ) -> Verdict? {
        guard snapshot.listenerSets[key] != nil else { return missing(point) }
        guard let gateway = sets[key].flatMap({ gateways[$0] }) else { return nil }
        // It decides whom to believe: the platform's business.
        if policy.policy.spec.proxyProtocol != nil, gateway.key.namespace != key.namespace {
            return Verdict(
                .invalid,
                "proxyProtocol on ListenerSet \(key) is accepted only from the namespace of Gateway \(gateway.key)")
        }
        let listeners = gateway.listeners.filter { $0.owner.set == key && isMeant($0) }
        if listeners.isEmpty, case .setListener(_, let name) = point {
            return Verdict(.targetNotFound, "ListenerSet \(key) has no listener \(name)")
        }
        return unmeant(policy, point, listeners)
    }

    private func missing(_ point: AttachmentPoint) -> Verdict {
        Verdict(.targetNotFound, "\(point.description) does not exist")
    }

    /// Security fields that could be enforced on no listener of the point.
    private func unmeant(
        _ policy: ClientPolicyState, _ point: AttachmentPoint, _ listeners: [ListenerState]
    ) -> Verdict? {
        guard !listeners.isEmpty else { return nil }
        let spec = policy.policy.spec
        if spec.startTLS != nil, point.isWhole ? !listeners.contains(where: \.isTLS) : !listeners.allSatisfy(\.isTLS) {
            return Verdict(.invalid, "startTLS needs a listener of protocol TLS")
        }
        guard spec.tls?.clientValidation != nil else { return nil }
        if listeners.contains(where: { $0.traffic == .terminate && $0.clientValidation != nil }) { return nil }
        return Verdict(
            .invalid,
            "tls.clientValidation adds to Gateway.spec.tls.frontend, which validates no clients of \(point.description)"
        )
    }
}
