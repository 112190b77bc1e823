public import KubernetesAPI

/// Since when conditions hold: whoever keeps that is asked.
public struct ConditionTimes: Sendable {
    /// What of an object conditions speak of.
    public enum Part: Hashable, Sendable {
        case whole
        case listener(String)
        /// A route towards one parent, a policy towards one ancestor.
        case parent(ParentReference)
    }

    /// Seconds since 1970, parallel to the conditions; nil: not known.
    private let ask: @Sendable (StatusKindName, ObjectKey, Part, [Condition]) -> [Int64?]

    /// Such as `TCPRoute`.
    public typealias StatusKindName = String

    /// Nothing is known.
    public init() { ask = { _, _, _, conditions in conditions.map { _ in nil } } }

    public init(_ ask: @escaping @Sendable (StatusKindName, ObjectKey, Part, [Condition]) -> [Int64?]) {
        self.ask = ask
    }

    func nodes(_ kind: StatusKindName, _ key: ObjectKey, _ part: Part, _ conditions: [Condition]) -> [ConditionNode] {
        if conditions.isEmpty { return [] }
        return zip(conditions, ask(kind, key, part, conditions)).map { condition, since in
            ConditionNode(
                type: condition.type.rawValue, status: condition.status.rawValue, reason: condition.reason.rawValue,
                message: condition.message, isProblem: condition.isProblem, since: since)
        }
    }
}
