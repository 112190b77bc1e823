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
            (left.subject, left.type) < (right.subject, right.type)
        }
    }

    public private(set) var entries: [Key: Entry] = [:]

    public init() {}

    /// Takes over the conditions that hold at `now`; those missing are forgotten. Returns what is new or says something
    /// else than before (status, reason or message), in the order of ``Key``.
    public mutating func update(_ items: [StatusItem], now: Int64) -> [StatusItem] {
        var next: [Key: Entry] = [:]
        var changed: [(Key, StatusItem)] = []
        for item in items {
            let key = Key(subject: item.subject, type: item.condition.type.rawValue)
            let before = entries[key]
            let stays = before?.condition.status == item.condition.status
            next[key] = Entry(
                condition: item.condition, lastTransitionTime: stays ? before?.lastTransitionTime ?? now : now)
            if before.map({ StatusStore.saysOther(item.condition, $0.condition) }) ?? true {
                changed.append((key, item))
            }
        }
        entries = next
        return changed.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// Everything, in the order of ``Key``.
    public var sorted: [(key: Key, entry: Entry)] {
        entries.sorted { $0.key < $1.key }.map { (key: $0.key, entry: $0.value) }
    }

    private static func saysOther(_ left: Condition, _ right: Condition) -> Bool {
        left.status != right.status || left.reason != right.reason || left.message != right.message
    }
}
