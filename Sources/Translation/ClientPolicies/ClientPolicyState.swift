internal import EngineModel
internal import KubernetesAPI

/// A ClientPolicy on its way through the translation.
struct ClientPolicyState {
    let key: ObjectKey
    /// As it is now: what the status speaks of.
    let policy: ClientPolicy
    /// What holds of it: the policy as it is now or, where that is rejected, as it last was good.
    let reading: ClientPolicyReading
    /// Why the policy cannot be accepted anywhere.
    let rejection: Verdict?
    /// Where the last good version holds in place of what is rejected; nil: there is none, or none is needed.
    private let lastGoodPoints: Set<AttachmentPoint>?
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
        /// Gateways whose traffic the policy affects there; for a listener with its name.
        var ancestors: Set<PolicyAncestor> = []
        /// What deserves to be said though the policy holds.
        var warnings: [Verdict] = []
        /// Fields that a more specific policy sets somewhere: field by policy.
        var overridden: [String: Set<String>] = [:]
        /// Fields that hold somewhere.
        var holding: Set<String> = []
    }

    init(
        _ key: ObjectKey, _ policy: ClientPolicy, _ snapshot: ClusterSnapshot, _ memory: ClientPolicyMemory,
        replicas: Int?
    ) {
        self.key = key
        self.policy = policy
        var reader = ClientPolicyReader(key, snapshot, replicas: replicas)
        let own = reader.read(policy)
        unresolved = reader.unresolved
        hasReferences = reader.hasReferences
        let verdicts = reader.rejections + reader.unresolved.map { Verdict(.invalid, $0.message) }
        guard let verdict = verdicts.merged, let good = memory[key], good.uid == policy.metadata.uid else {
            (reading, rejection, lastGoodPoints) = (own, verdicts.merged, nil)
            return
        }
        reading = good
        let version = good.generation.map { "that of generation \($0)" } ?? "the last good one"
        rejection = Verdict(verdict.reason, verdict.message + "; until then \(version) holds")
        lastGoodPoints = Set(good.spec.targetRefs.compactMap { $0.point(in: key.namespace) })
    }

    /// What the policy is attached to, now or as the version that holds.
    var points: [AttachmentPoint] {
        var seen: Set<AttachmentPoint> = []
        return (policy.spec.targetRefs + reading.spec.targetRefs).compactMap { $0.point(in: key.namespace) }
            .filter { seen.insert($0).inserted }
    }

    /// Why the policy has no effect of its own at one of its targets; nil: it has.
    func obstacle(at attachment: Attachment) -> Verdict? {
        if let rejection, lastGoodPoints?.contains(attachment.point) != true { return rejection }
        return attachment.verdict
    }
}

/// The values of a policy: what is remembered of one that was good.
struct ClientPolicyReading: Hashable {
    let uid: String?
    let generation: Int64?
    let spec: ClientPolicy.Spec
    /// Rules and limits; their id names no target yet.
    let limits: ClientLimits?
    /// What client certificates must hold; nil: nothing.
    let requirement: ClientValidation.Requirement?

    /// Whether there is a field that must not be lost: where the policy does not hold, nobody is let in.
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

/// The last good version of each ClientPolicy: it goes on where a later one is invalid.
public struct ClientPolicyMemory: Hashable, Sendable {
    private var readings: [ObjectKey: ClientPolicyReading] = [:]

    /// Of nothing.
    public init() {}

    subscript(_ key: ObjectKey) -> ClientPolicyReading? { readings[key] }

    /// Takes over what is good now, and forgets policies that are gone.
    mutating func learn(_ policies: [ClientPolicyState]) {
        var known: [ObjectKey: ClientPolicyReading] = [:]
        known.reserveCapacity(policies.count)
        for policy in policies {
            // Of a rejected one the reading is the good one, where there was one.
            let isGood = policy.rejection == nil || readings[policy.key] == policy.reading
            if isGood { known[policy.key] = policy.reading }
        }
        readings = known
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
