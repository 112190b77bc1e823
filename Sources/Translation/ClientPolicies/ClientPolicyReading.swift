internal import EngineModel
internal import KubernetesAPI

/// The values of a ClientPolicy.
struct ClientPolicyReading: PolicyReading {
    static var kind: String { ClientPolicy.resourceKind.kind }
    static var targetsBackends: Bool { false }
    static var closure: String { "nobody is let in" }
    static var affected: Condition.ConditionType { .clientPolicyAffected }

    let uid: String?
    let generation: Int64?
    let spec: ClientPolicy.Spec
    /// Rules and limits; their id names no target yet.
    let limits: ClientLimits?
    /// What client certificates must hold; nil: nothing.
    let requirement: ClientValidation.Requirement?

    var targets: [PolicyTargetReference] { spec.targetRefs }
    var isSecurity: Bool { spec.isSecurity }
}

extension ClientPolicy.Spec {
    /// Whether a limit is shared out among pods.
    var isDivided: Bool { connectionLimit?.effectiveShared == "Divide" && connectionLimit?.value != nil }

    /// Whether it protects something.
    var isSecurity: Bool {
        authorization != nil || proxyProtocol != nil || startTLS != nil || connectionLimit != nil
            || tls?.clientValidation != nil
    }
}

extension AttachmentIndex<ClientPolicyReading> {
    /// The ClientPolicies of a snapshot. `replicas`: what limits are divided by; nil: not known.
    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState], _ memory: PolicyMemory, replicas: Int?) {
        let policies = snapshot.clientPolicies.byPrecedence.map { key, policy in
            var reader = ClientPolicyReader(key, snapshot, replicas: replicas)
            let own = reader.read(policy)
            return AttachedPolicy(
                key, own, rejections: reader.rejections, unresolved: reader.hasReferences ? reader.unresolved : nil,
                memory.clients)
        }
        let scene = PolicyScene(snapshot, policies.isEmpty ? [] : gateways)
        self.init(policies, scene) { scene.refusal(of: $0, at: $1) }
    }
}

extension PolicyScene {
    /// Why a policy cannot hold at a point, the other policies apart.
    fileprivate func refusal(of policy: ClientPolicyReading, at point: AttachmentPoint) -> Verdict? {
        if let refusal = absence(of: point) ?? policy.silencing(point) { return refusal }
        guard let found = listeners(at: point) else { return nil }
        // It decides whom to believe: the platform's business.
        switch point {
        case .listenerSet(let key), .setListener(let key, _):
            guard policy.spec.proxyProtocol != nil, found.gateway.key.namespace != key.namespace else { break }
            return Verdict(
                .invalid,
                "proxyProtocol on ListenerSet \(key) is accepted only from the namespace of Gateway "
                    + "\(found.gateway.key)")
        default: break
        }
        return policy.unenforceable(on: found.own, all: found.all, point)
    }
}
