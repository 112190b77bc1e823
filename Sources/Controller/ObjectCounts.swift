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

    /// An object is rejected when anything of it has `Accepted: False`.
    public init(_ items: [StatusItem]) {
        var states: [String: (kind: String, state: State)] = [:]
        for item in items {
            let object = item.subject.object
            var state = states[object]?.state ?? .accepted
            if item.condition.type == .accepted, item.condition.status == .false {
                state = .rejected
            } else if item.condition.type == .superseded, item.condition.status == .true, state == .accepted {
                state = .superseded
            }
            states[object] = (item.subject.kind, state)
        }
        for (kind, state) in states.values { counts[kind, default: [:]][state, default: 0] += 1 }
    }
}
