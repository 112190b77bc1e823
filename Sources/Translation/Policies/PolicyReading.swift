internal import KubernetesAPI

/// The values of a policy of one kind: what is remembered of one that was good.
protocol PolicyReading: Hashable, Sendable {
    static var kind: String { get }
    /// Whether Services and Backends can be targets.
    static var targetsBackends: Bool { get }
    /// What it means at a target that a policy is not accepted which should protect something there.
    static var closure: String { get }
    static var affected: Condition.ConditionType { get }

    var uid: String? { get }
    var generation: Int64? { get }
    var targets: [PolicyTargetReference] { get }
    /// Whether there is a field that must not be lost: where the policy does not hold, connections are refused.
    var isSecurity: Bool { get }
}

extension PolicyReading {
    /// What the policy is attached to.
    func points(in namespace: String) -> [AttachmentPoint] {
        targets.compactMap { $0.point(in: namespace) }.filter { !$0.isBackend || Self.targetsBackends }
    }

    /// The end of a message that refuses a later version.
    var untilThen: String {
        "; until then \(generation.map { "that of generation \($0)" } ?? "the last good one") holds"
    }

    /// Why what is named cannot be a target; empty: it can be.
    func unsupportedTargets(in namespace: String) -> [Verdict] {
        targets.filter { target in
            let point = target.point(in: namespace)
            return point == nil || point?.isBackend == true && !Self.targetsBackends
        }.map { target in
            let name = target.sectionName.map { "\(target.kind) with sectionName \($0)" } ?? target.kind
            return Verdict(.unsupportedTarget, "a \(Self.kind) cannot target \(name) of group \"\(target.group)\"")
        }
    }
}
