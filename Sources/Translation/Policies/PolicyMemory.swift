internal import KubernetesAPI

/// The last good version of each policy: it goes on where a later one is invalid.
public struct PolicyMemory: Hashable, Sendable {
    var clients = ReadingMemory<ClientPolicyReading>()
    var backends = ReadingMemory<BackendPolicyReading>()

    /// Of nothing.
    public init() {}
}

/// What ``PolicyMemory`` holds of one kind.
struct ReadingMemory<Reading: PolicyReading>: Hashable, Sendable {
    private var readings: [ObjectKey: Reading] = [:]

    subscript(_ key: ObjectKey) -> Reading? { readings[key] }

    /// Takes over what is good now, and forgets policies that are gone.
    mutating func learn(_ policies: [AttachedPolicy<Reading>]) {
        var known: [ObjectKey: Reading] = [:]
        known.reserveCapacity(policies.count)
        for policy in policies {
            let isGood =
                policy.rejection == nil && !policy.attachments.contains { $0.verdict?.reason == .invalid }
            known[policy.key] = isGood ? policy.reading : policy.lastGood
        }
        readings = known
    }
}
