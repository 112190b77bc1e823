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
    /// The last version that was good everywhere, which may be this one.
    let lastGood: ClientPolicyReading?
    /// Whether what is to hold is not known to be good everywhere.
    private let isChanged: Bool
    let unresolved: [Verdict]
    /// Whether there is something for ResolvedRefs to speak of.
    let hasReferences: Bool
    /// Where it is attached, in the order of its targetRefs.
    var attachments: [Attachment] = []

    /// One target of a policy.
    struct Attachment {
        let point: AttachmentPoint
        /// Why the policy does not hold there.
        private(set) var verdict: Verdict?
        /// The last good version, where it is another one and can be enforced there.
        var spare: ClientPolicyReading?
        private var isSpareRefused = false
        /// Gateways whose traffic the policy affects there; for a listener with its name.
        var ancestors: Set<PolicyAncestor> = []
        /// What deserves to be said though the policy holds.
        var warnings: [Verdict] = []
        /// Fields that a more specific policy sets somewhere: field by policy.
        var overridden: [String: Set<String>] = [:]
        /// Fields that hold somewhere.
        var holding: Set<String> = []

        init(point: AttachmentPoint) { self.point = point }

        /// The last good version where it holds in place of one that is invalid there.
        var substitute: ClientPolicyReading? { verdict?.reason == .invalid && !isSpareRefused ? spare : nil }

        /// Whether the last good version should protect something there, and cannot either.
        var isSecurityLost: Bool { verdict?.reason == .invalid && isSpareRefused && spare?.isSecurity == true }

        /// Says why what holds there cannot: first the policy, then what took its place.
        mutating func refuse(_ reason: Verdict) {
            if substitute != nil { return isSpareRefused = true }
            verdict = reason
            if let substitute { verdict = Verdict(reason.reason, reason.message + substitute.untilThen) }
        }
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
        lastGood = memory[key].flatMap { $0.uid == policy.metadata.uid ? $0 : nil }
        guard let verdict = verdicts.merged, let good = lastGood else {
            (reading, rejection, lastGoodPoints) = (own, verdicts.merged, nil)
            isChanged = lastGood != own
            return
        }
        (reading, isChanged) = (good, false)
        rejection = Verdict(verdict.reason, verdict.message + good.untilThen)
        lastGoodPoints = Set(good.spec.targetRefs.compactMap { $0.point(in: key.namespace) })
    }

    /// What the policy is attached to, now or as the version that holds.
    var points: [AttachmentPoint] {
        var seen: Set<AttachmentPoint> = []
        return (policy.spec.targetRefs + reading.spec.targetRefs).compactMap { $0.point(in: key.namespace) }
            .filter { seen.insert($0).inserted }
    }

    /// The last good version where that is another one, and was attached to the point too.
    func substitute(at point: AttachmentPoint) -> ClientPolicyReading? {
        guard isChanged, let lastGood else { return nil }
        return lastGood.spec.targetRefs.contains { $0.point(in: key.namespace) == point } ? lastGood : nil
    }

    /// Why the policy has no effect of its own at one of its targets; nil: it has.
    func obstacle(at attachment: Attachment) -> Verdict? {
        if let rejection, lastGoodPoints?.contains(attachment.point) != true { return rejection }
        return attachment.substitute == nil ? attachment.verdict : nil
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

    /// The end of a message that refuses a later version.
    fileprivate var untilThen: String {
        "; until then \(generation.map { "that of generation \($0)" } ?? "the last good one") holds"
    }
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
            let isGood =
                policy.rejection == nil && !policy.attachments.contains { $0.verdict?.reason == .invalid }
            known[policy.key] = isGood ? policy.reading : policy.lastGood
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
