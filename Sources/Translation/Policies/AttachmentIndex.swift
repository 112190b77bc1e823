internal import EngineModel
internal import KubernetesAPI

/// Policies of one kind by what they are attached to; of two for one point the older one holds.
struct AttachmentIndex<Reading: PolicyReading> {
    /// In order of precedence.
    private(set) var policies: [AttachedPolicy<Reading>]
    /// All attachments of a point; the first is the one that holds.
    private var holders: [AttachmentPoint: [Holder]] = [:]

    /// An attachment: index of the policy, and among its attachments.
    struct Holder: Hashable {
        let policy: Int
        let attachment: Int
    }

    /// `policies`: in order of precedence. `refusal`: why one cannot hold at a point, the others apart.
    init(
        _ policies: [AttachedPolicy<Reading>], _ scene: PolicyScene,
        refusal: (Reading, AttachmentPoint) -> Verdict?
    ) {
        self.policies = policies
        for index in policies.indices {
            for point in policies[index].points { attach(index, to: point, scene, refusal) }
        }
    }

    private mutating func attach(
        _ index: Int, to point: AttachmentPoint, _ scene: PolicyScene, _ refusal: (Reading, AttachmentPoint) -> Verdict?
    ) {
        var attachment = AttachedPolicy<Reading>.Attachment(point: point)
        attachment.ancestors = scene.ancestors(of: point)
        if let good = policies[index].substitute(at: point), refusal(good, point) == nil {
            attachment.spare = good
        }
        var verdict = refusal(policies[index].reading, point)
        if verdict?.reason != .targetNotFound, let holder = holders[point]?.first {
            verdict = Verdict(
                .conflicted, "\(point.description) has the older \(Reading.kind) \(policies[holder.policy].key)")
        }
        if let verdict { attachment.refuse(verdict) }
        holders[point, default: []].append(Holder(policy: index, attachment: policies[index].attachments.count))
        policies[index].attachments.append(attachment)
    }

    /// What holds of a policy at a point, where it does.
    func reading(_ holder: Holder) -> Reading {
        self[holder].substitute ?? policies[holder.policy].reading
    }

    /// Whether a policy that does not hold at a point should protect something there.
    func isSecurity(_ holder: Holder) -> Bool {
        let policy = policies[holder.policy]
        return policy.own.isSecurity || policy.reading.isSecurity || self[holder].isSecurityLost
    }

    var isEmpty: Bool { policies.isEmpty }

    /// Whether something is, or would be, a target.
    func isTarget(_ point: AttachmentPoint) -> Bool { holders[point] != nil }

    /// Who holds at a point.
    func holder(at point: AttachmentPoint) -> Holder? { holders[point]?.first }

    /// Who holds at the points, from the least to the most specific.
    func holders(at points: [AttachmentPoint]) -> [Holder] { points.compactMap { holders[$0]?.first } }

    subscript(_ holder: Holder) -> AttachedPolicy<Reading>.Attachment {
        get { policies[holder.policy].attachments[holder.attachment] }
        set { policies[holder.policy].attachments[holder.attachment] = newValue }
    }

    /// Why the policy does not hold at a point.
    func obstacle(_ holder: Holder) -> Verdict? { policies[holder.policy].obstacle(at: self[holder]) }

    /// A policy's name in a message that the owner of another one gets. That of a Gateway's policy is told all of them; who comes to
    /// the Gateway, or to a backend of others, is told no names of further namespaces.
    func name(_ holder: Holder, for reader: Holder) -> String {
        let (key, own) = (policies[holder.policy].key, policies[reader.policy].key)
        let isKnown = key.namespace == own.namespace || self[reader].point.isOfGateway || self[holder].point.isOfGateway
        return isKnown ? key.description : "of another namespace"
    }

    /// Whose limit it is.
    func limitID(_ holder: Holder) -> LimitID {
        LimitID(policy: policies[holder.policy].key.description, target: self[holder].point.description)
    }

    /// Says that a gateway's traffic passes a point, to all policies that are attached to it.
    mutating func note(_ point: AttachmentPoint, at gateway: ObjectKey) {
        for holder in holders[point] ?? [] {
            self[holder].ancestors.insert(PolicyAncestor(gateway: gateway, section: nil))
        }
    }
}
