internal import KubernetesAPI

/// How many objects of each kind are accepted, rejected, or accepted while an older one serves in their place.
public struct ObjectCounts: Hashable, Sendable {
    /// Raw values are the label `state` of `sluice_config_objects`.
    public enum State: String, CaseIterable, Sendable {
        case accepted
        case rejected
        case superseded
    }

    public private(set) var counts: [String: [State: Int]] = [:]

    init() {}

    /// Counts an object of a kind by what is said of it now, and no more by what was said before; empty: nothing, it is not
    /// ours.
    mutating func replace(_ kind: String, _ before: [Condition], with now: [Condition]) {
        let (old, new) = (State(before), State(now))
        guard old != new else { return }
        if let old {
            counts[kind, default: [:]][old, default: 1] -= 1
            if counts[kind]?[old] == 0 { counts[kind]?[old] = nil }
        }
        if let new { counts[kind, default: [:]][new, default: 0] += 1 }
        if counts[kind]?.isEmpty == true { counts[kind] = nil }
    }
}

extension ObjectCounts.State {
    /// Of an object: rejected when anything of it has `Accepted: False`. Nil where nothing is said.
    fileprivate init?(_ conditions: [Condition]) {
        if conditions.isEmpty { return nil }
        if conditions.contains(where: { $0.type == .accepted && $0.status == .false }) {
            self = .rejected
        } else if conditions.contains(where: { $0.type == .superseded && $0.status == .true }) {
            self = .superseded
        } else {
            self = .accepted
        }
    }
}
