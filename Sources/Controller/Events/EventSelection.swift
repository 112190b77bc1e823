internal import KubernetesAPI
internal import KubernetesClient

/// Something that is told on an object by an Event.
struct ObjectEvent: Hashable, Sendable {
    var apiVersion: String
    var kind: String
    var key: ObjectKey
    var isWarning: Bool
    var reason: String
    /// What was being done: machine-readable, in CamelCase.
    var action: String
    var note: String
}

extension ObjectEvent {
    /// The Event that a condition is worth; nil for most. What a listener or a parent says already is not said again of
    /// the object, and no consequence beside its cause.
    init?(problem item: StatusItem) {
        let condition = item.condition
        guard condition.isProblem, let kind = StatusKind(rawValue: item.subject.kind) else { return nil }
        let isWhole = item.subject.part == .whole
        switch (condition.type, condition.reason) {
        case (.accepted, .listenersNotValid), (.resolvedRefs, .listenersNotResolved): return nil
        // Said by the condition Conflicted.
        case (.accepted, .hostnameConflict), (.accepted, .protocolConflict): return nil
        // Follow from Accepted.
        case (.programmed, .invalid), (.programmed, .hostnameConflict), (.programmed, .protocolConflict): return nil
        case (.programmed, .pending) where isWhole: return nil
        case (.accepted, _), (.resolvedRefs, _), (.programmed, _), (.conflicted, _), (.warning, _),
            (.supportedVersion, _):
            break
        default: return nil
        }
        self.init(kind, item, isWarning: true)
    }

    /// That a problem which was told of is over.
    init?(solved item: StatusItem) {
        guard !item.condition.isProblem, let kind = StatusKind(rawValue: item.subject.kind) else { return nil }
        self.init(kind, item, isWarning: false)
    }

    private init(_ kind: StatusKind, _ item: StatusItem, isWarning: Bool) {
        let part =
            switch item.subject.part {
            case .whole: ""
            case .listener(let name): "listener \(name): "
            case .parent(let name): "parent \(name): "
            }
        let condition = item.condition
        let text =
            condition.message.isEmpty ? "\(condition.type.rawValue) is \(condition.status.rawValue)" : condition.message
        self.init(
            apiVersion: kind.resource.apiVersion, kind: kind.rawValue,
            key: ObjectKey(namespace: item.subject.namespace, name: item.subject.name),
            isWarning: isWarning, reason: condition.reason.rawValue,
            action: ObjectEvent.actions[condition.type] ?? "Reconciling", note: cut(part + text, bytes: 1024))
    }

    /// That an object cannot be read; nil for kinds of which nothing is said by Events.
    init?(fault: ClusterState.Fault) {
        let grant = ReferenceGrant.resourceKind
        let resource = StatusKind(rawValue: fault.kind)?.resource ?? (fault.kind == grant.kind ? grant : nil)
        guard let resource else { return nil }
        let place = fault.field.isEmpty ? "" : "\(fault.field): "
        self.init(
            apiVersion: resource.apiVersion, kind: fault.kind, key: fault.key, isWarning: true, reason: "Unreadable",
            action: "Reading",
            note: cut("\(place)\(fault.message); the last version that could be read stays in use", bytes: 1024))
    }

    /// That the Service of a gateway could not be written; nil where it is nobody's or merely has to wait.
    init?(_ trouble: ServiceBook.Remark) {
        let (gateway, note): (ObjectKey, String)
        switch trouble {
        case .failed(let key, let owner?, .status(let status)) where status.code < 500:
            (gateway, note) = (owner, "Service \(key) cannot be written: \(status)")
        case .foreign(let key, let owner):
            (gateway, note) = (owner, "Service \(key) stands in the way: it is none of this installation's")
        case .failed: return nil
        }
        self.init(
            apiVersion: Gateway.resourceKind.apiVersion, kind: Gateway.resourceKind.kind, key: gateway, isWarning: true,
            reason: "ServiceNotWritten", action: "Exposing", note: cut(note, bytes: 1024))
    }

    private static let actions: [Condition.ConditionType: String] = [
        .accepted: "Accepting", .resolvedRefs: "ResolvingReferences", .programmed: "Programming",
        .conflicted: "Accepting",
    ]
}

/// `text`, or as much of its beginning as fits, with an ellipsis.
func cut(_ text: String, bytes limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    var end = text.startIndex
    var count = 0
    while end < text.endIndex {
        let size = text[end].utf8.count
        guard count + size <= limit - 3 else { break }
        (count, end) = (count + size, text.index(after: end))
    }
    return text[..<end] + "…"
}

extension ObservedStatus {
    /// Whether the API server has this very condition already: then somebody has told of it.
    func says(_ item: StatusItem, controllerName: String) -> Bool {
        let conditions: [JSONValue]
        switch item.subject.part {
        case .whole: conditions = status?["conditions"]?.elements ?? []
        case .listener(let name):
            let listener = status?["listeners"]?.elements?.first { $0["name"]?.text == name }
            conditions = listener?["conditions"]?.elements ?? []
        case .parent:
            let entries = (status?["parents"] ?? status?["ancestors"])?.elements ?? []
            conditions = entries.filter { $0["controllerName"]?.text == controllerName }
                .flatMap { $0["conditions"]?.elements ?? [] }
        }
        return conditions.contains { condition in
            condition["type"]?.text == item.condition.type.rawValue
                && condition["status"]?.text == item.condition.status.rawValue
                && condition["reason"]?.text == item.condition.reason.rawValue
                && condition["message"]?.text == item.condition.message
        }
    }
}
