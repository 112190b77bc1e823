public import EngineModel
public import Inspection
internal import KubernetesAPI

extension ControllerState {
    /// What is shown to people, with what the engine says of itself; nil before anything was applied. Copies nothing.
    public func inspected(health: [BackendHealthReport], traffic: TrafficReport) -> Inspected? {
        guard let snapshot, let configuration else { return nil }
        var inspected = Inspected(
            snapshot: snapshot, configuration: configuration, statuses: report, acknowledgement: acknowledgement)
        inspected.health = Dictionary(health.map { ($0.backend, $0) }) { first, _ in first }
        inspected.traffic = traffic
        inspected.notices = notices
        return inspected
    }

    /// Since when conditions hold.
    public var conditionTimes: ConditionTimes {
        let statuses = statuses
        return ConditionTimes { kind, key, part, conditions in
            let place: StatusSubject.Part =
                switch part {
                case .whole: .whole
                case .listener(let name): .listener(name)
                case .parent(let reference): .parent(reference.text(from: key.namespace))
                }
            let subject = StatusSubject(kind: kind, namespace: key.namespace, name: key.name, part: place)
            return conditions.map { condition in
                statuses[StatusStore.Key(subject: subject, type: condition.type.rawValue)]?.lastTransitionTime
            }
        }
    }
}
