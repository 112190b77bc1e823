internal import EngineModel
internal import KubernetesAPI

/// A ClientPolicy on its way through the translation.
struct ClientPolicyState {
    let key: ObjectKey
    let policy: ClientPolicy
    /// Rules and limits; their id names no target yet.
    let limits: ClientLimits?
    /// Why the policy cannot be accepted anywhere.
    var rejection: Verdict?
    let unresolved: [Verdict]
    /// Whether there is something for ResolvedRefs to speak of.
    let hasReferences: Bool
    /// Where it is attached, in the order of its targetRefs.
    var attachments: [Attachment] = []

    /// One target of a policy.
    struct Attachment {
        let point: AttachmentPoint
        /// Why the policy does not hold there.
        var verdict: Verdict?
        /// Whether another policy of that point holds in its place: then nothing fails closed.
        var isReplaced = false
        /// Gateways whose traffic the policy affects there; for a listener with its name.
        var ancestors: Set<PolicyAncestor> = []
        /// What deserves to be said though the policy holds.
        var warnings: [Verdict] = []
        /// Fields that a more specific policy sets, everywhere it was looked for: field by policy.
        var overridden: [String: Set<String>] = [:]
        /// Fields that hold somewhere.
        var holding: Set<String> = []
    }

    init(_ key: ObjectKey, _ policy: ClientPolicy, _ snapshot: ClusterSnapshot) {
        self.key = key
        self.policy = policy
        var reader = ClientPolicyReader(key, snapshot)
        // From a folder of manifests an object can come that an API server would have refused.
        for problem in policy.specProblems() { reader.reject("\(problem.field): \(problem.message)") }
        limits = reader.limits(policy.spec)
        unresolved = reader.unresolved
        hasReferences = reader.hasReferences
        rejection = (reader.rejections + reader.unresolved.map { Verdict(.invalid, $0.message) }).merged
    }

    /// Whether the policy has a field that must not be lost: where the policy does not hold, nobody is let in.
    var isSecurity: Bool {
        let spec = policy.spec
        return spec.authorization != nil || spec.proxyProtocol != nil || spec.startTLS != nil
            || spec.connectionLimit != nil || spec.tls?.clientValidation != nil
    }
}

/// A gateway as a policy's status names it.
struct PolicyAncestor: Hashable, Comparable {
    let gateway: ObjectKey
    /// The listener that the policy targets; nil: the gateway as a whole.
    let section: String?

    static func < (left: PolicyAncestor, right: PolicyAncestor) -> Bool {
        (left.gateway, left.section ?? "") < (right.gateway, right.section ?? "")
    }
}
