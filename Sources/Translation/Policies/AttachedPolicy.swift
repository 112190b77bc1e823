internal import EngineModel
internal import KubernetesAPI

/// A policy on its way through the translation.
struct AttachedPolicy<Reading: PolicyReading> {
    let key: ObjectKey
    /// As it is now: what the status speaks of.
    let own: Reading
    /// What holds of it: the policy as it is now or, where that is rejected, as it last was good.
    let reading: Reading
    /// Why the policy cannot be accepted anywhere.
    let rejection: Verdict?
    /// Where the last good version holds in place of what is rejected; nil: there is none, or none is needed.
    private let lastGoodPoints: Set<AttachmentPoint>?
    /// The last version that was good everywhere, which may be this one.
    let lastGood: Reading?
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
        var spare: Reading?
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
        var substitute: Reading? { verdict?.reason == .invalid && !isSpareRefused ? spare : nil }

        /// Whether the last good version should protect something there, and cannot either.
        var isSecurityLost: Bool { verdict?.reason == .invalid && isSpareRefused && spare?.isSecurity == true }

        /// Says why what holds there cannot: first the policy, then what took its place.
        mutating func refuse(_ reason: Verdict) {
            if substitute != nil { return isSpareRefused = true }
            verdict = reason
            if let substitute { verdict = Verdict(reason.reason, reason.message + substitute.untilThen) }
        }

        /// Adds what is not said yet.
        mutating func warn(_ all: [Verdict]) {
            for warning in all where !warnings.contains(warning) { warnings.append(warning) }
        }
    }

    /// `rejections`: why the policy as it is now cannot be accepted; `unresolved`: references that lead nowhere, which is
    /// another reason; nil: it names nothing.
    init(
        _ key: ObjectKey, _ own: Reading, rejections: [Verdict], unresolved: [Verdict]? = nil,
        _ memory: ReadingMemory<Reading>
    ) {
        self.key = key
        self.own = own
        self.unresolved = unresolved ?? []
        hasReferences = unresolved != nil
        let verdicts = rejections + (unresolved ?? []).map { Verdict(.invalid, $0.message) }
        lastGood = memory[key].flatMap { $0.uid == own.uid ? $0 : nil }
        guard let verdict = verdicts.merged, let good = lastGood else {
            (reading, rejection, lastGoodPoints) = (own, verdicts.merged, nil)
            isChanged = lastGood != own
            return
        }
        (reading, isChanged) = (good, false)
        rejection = Verdict(verdict.reason, verdict.message + good.untilThen)
        lastGoodPoints = Set(good.points(in: key.namespace))
    }

    /// What the policy is attached to, now or as the version that holds.
    var points: [AttachmentPoint] {
        var seen: Set<AttachmentPoint> = []
        return (own.points(in: key.namespace) + reading.points(in: key.namespace)).filter { seen.insert($0).inserted }
    }

    /// The last good version where that is another one, and was attached to the point too.
    func substitute(at point: AttachmentPoint) -> Reading? {
        guard isChanged, let lastGood else { return nil }
        return lastGood.points(in: key.namespace).contains(point) ? lastGood : nil
    }

    /// Why the policy has no effect of its own at one of its targets; nil: it has.
    func obstacle(at attachment: Attachment) -> Verdict? {
        if let rejection, lastGoodPoints?.contains(attachment.point) != true { return rejection }
        return attachment.substitute == nil ? attachment.verdict : nil
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
