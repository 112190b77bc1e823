public import KubernetesAPI

/// A condition and what it speaks of.
public struct StatusItem: Hashable, Sendable {
    public var subject: StatusSubject
    public var condition: Condition

    public init(_ subject: StatusSubject, _ condition: Condition) {
        self.subject = subject
        self.condition = condition
    }
}

/// The conditions that hold now, each with the time of its last transition. A value: the controller's thread has the
/// one that counts.
public struct StatusStore: Sendable {
    /// A condition with the time its status last changed, in seconds since 1970.
    public struct Entry: Hashable, Sendable {
        public var condition: Condition
        public var lastTransitionTime: Int64
    }

    /// Where a condition is kept.
    public struct Key: Hashable, Sendable, Comparable {
        public var subject: StatusSubject
        public var type: String

        public static func < (left: Key, right: Key) -> Bool {
            left.subject == right.subject ? left.type < right.type : left.subject < right.subject
        }
    }

    /// A condition that is new, or says something else than before (status, reason or message).
    struct Change {
        var item: StatusItem
        /// Whether nothing was known of it.
        var isNew: Bool
    }

    /// Which of an object's conditions.
    private struct Place: Hashable {
        var part: StatusSubject.Part
        var type: String
    }

    /// By kind and object: a change of one copies little of what others hold.
    private var objects: [String: [ObjectKey: [Place: Entry]]] = [:]

    public init() {}

    /// What is kept there; nil: nothing.
    public subscript(_ key: Key) -> Entry? {
        objects[key.subject.kind]?[key.subject.key]?[Place(part: key.subject.part, type: key.type)]
    }

    /// The conditions of one object.
    func conditions(of kind: String, _ key: ObjectKey) -> [Condition] {
        (objects[kind]?[key] ?? [:]).values.map(\.condition)
    }

    /// Takes over everything that holds of one object at `now`; what is missing is forgotten. Returns what changed, in no
    /// order.
    mutating func update(_ kind: String, _ key: ObjectKey, _ items: [StatusItem], now: Int64) -> [Change] {
        let before = objects[kind]?[key] ?? [:]
        var next: [Place: Entry] = [:]
        var changed: [Change] = []
        for item in items {
            let place = Place(part: item.subject.part, type: item.condition.type.rawValue)
            let known = before[place]
            let stays = known?.condition.status == item.condition.status
            next[place] = Entry(
                condition: item.condition, lastTransitionTime: stays ? known?.lastTransitionTime ?? now : now)
            if known.map({ StatusStore.saysOther(item.condition, $0.condition) }) ?? true {
                changed.append(Change(item: item, isNew: known == nil))
            }
        }
        objects[kind, default: [:]][key] = next.isEmpty ? nil : next
        return changed
    }

    /// Everything, in the order of ``Key``.
    public var sorted: [(key: Key, entry: Entry)] {
        var all: [(key: Key, entry: Entry)] = []
        for (kind, objects) in objects {
            for (key, entries) in objects {
                for (place, entry) in entries {
                    let subject = StatusSubject(
                        kind: kind, namespace: key.namespace, name: key.name, part: place.part)
                    all.append((Key(subject: subject, type: place.type), entry))
                }
            }
        }
        return all.sorted { $0.key < $1.key }
    }

    private static func saysOther(_ left: Condition, _ right: Condition) -> Bool {
        left.status != right.status || left.reason != right.reason || left.message != right.message
    }
}
