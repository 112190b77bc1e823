internal import EngineModel
internal import KubernetesAPI

/// ClientPolicies by what they are attached to; of two for one point the older one holds.
struct ClientPolicyIndex {
    /// In order of precedence.
    private(set) var policies: [ClientPolicyState]
    /// All attachments of a point; the first is the one that holds.
    private var holders: [AttachmentPoint: [Holder]] = [:]

    /// An attachment: index of the policy, and among its attachments.
    struct Holder {
        let policy: Int
        let attachment: Int
    }

    init(
        _ snapshot: ClusterSnapshot, _ gateways: [GatewayState], _ memory: ClientPolicyMemory, replicas: Int?
    ) {
        policies = snapshot.clientPolicies.byPrecedence.map {
            ClientPolicyState($0.key, $0.value, snapshot, memory, replicas: replicas)
        }
        guard !policies.isEmpty else { return }
        let scene = PolicyScene(snapshot, gateways)
        for index in policies.indices {
            for point in policies[index].points { attach(index, to: point, scene) }
        }
    }

    private mutating func attach(_ index: Int, to point: AttachmentPoint, _ scene: PolicyScene) {
        var attachment = ClientPolicyState.Attachment(point: point)
        attachment.ancestors = scene.ancestors(of: point)
        if let good = policies[index].substitute(at: point), scene.refusal(of: good, at: point) == nil {
            attachment.spare = good
        }
        var verdict = scene.refusal(of: policies[index].reading, at: point)
        if verdict?.reason != .targetNotFound, let holder = holders[point]?.first {
            verdict = Verdict(
                .conflicted, "\(point.description) has the older ClientPolicy \(policies[holder.policy].key)")
        }
        if let verdict { attachment.refuse(verdict) }
        holders[point, default: []].append(Holder(policy: index, attachment: policies[index].attachments.count))
        policies[index].attachments.append(attachment)
    }

    /// What holds of a policy at a point, where it does.
    func reading(_ holder: Holder) -> ClientPolicyReading {
        self[holder].substitute ?? policies[holder.policy].reading
    }

    /// Whether a policy that does not hold at a point should protect something there.
    func isSecurity(_ holder: Holder) -> Bool {
        let policy = policies[holder.policy]
        return policy.policy.spec.isSecurity || policy.reading.isSecurity || self[holder].isSecurityLost
    }

    var isEmpty: Bool { policies.isEmpty }

    /// Whether a route is, or would be, a target.
    func isTarget(_ route: RouteKey) -> Bool { holders[.route(route)] != nil }

    /// Who holds at a point.
    func holder(at point: AttachmentPoint) -> Holder? { holders[point]?.first }

    /// Who holds at the points, from the least to the most specific.
    func holders(at points: [AttachmentPoint]) -> [Holder] { points.compactMap { holders[$0]?.first } }

    subscript(_ holder: Holder) -> ClientPolicyState.Attachment {
        get { policies[holder.policy].attachments[holder.attachment] }
        set { policies[holder.policy].attachments[holder.attachment] = newValue }
    }

    /// Why the policy does not hold at a point.
    func obstacle(_ holder: Holder) -> Verdict? { policies[holder.policy].obstacle(at: self[holder]) }

    /// Says that a route is served by a gateway, to all policies that are attached to it.
    mutating func note(_ route: RouteKey, at gateway: ObjectKey) {
        for holder in holders[.route(route)] ?? [] {
            self[holder].ancestors.insert(PolicyAncestor(gateway: gateway, section: nil))
        }
    }
}
