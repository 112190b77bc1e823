internal import KubernetesAPI

/// Namespace (empty for kinds of cluster scope) and name.
struct ObjectPath: Hashable, Comparable, Sendable {
    var namespace: String
    var name: String

    static func < (left: ObjectPath, right: ObjectPath) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

/// One version of an object. Its text is made once and sent to all.
struct StoredObject: Sendable {
    let value: JSONValue
    let version: Int64
    let bytes: [UInt8]

    init(_ value: JSONValue, version: Int64) {
        self.value = value
        self.version = version
        bytes = JSONText.bytes(value)
    }
}

/// What a watch tells of.
struct ObjectChange: Sendable {
    var version: Int64
    var path: ObjectPath
    /// nil: it was created.
    var previous: StoredObject?
    /// Its last state where it was deleted.
    var object: StoredObject
    var isDeletion: Bool
}

/// The objects of one kind and their latest changes.
struct KindStore: Sendable {
    var kind: ServedKind
    var objects: [ObjectPath: StoredObject] = [:]
    var changes: [ObjectChange] = []
    /// Changes up to this version are forgotten.
    var compacted: Int64
    /// What paged lists began with, by version.
    var snapshots: [Int64: [ObjectPath: StoredObject]] = [:]

    /// The changes after a version, in order.
    func changes(after version: Int64) -> ArraySlice<ObjectChange> {
        var low = 0
        var high = changes.count
        while low < high {
            let middle = (low + high) / 2
            if changes[middle].version <= version { low = middle + 1 } else { high = middle }
        }
        return changes[low...]
    }

    mutating func record(_ change: ObjectChange, limit: Int) {
        changes.append(change)
        guard changes.count > limit + limit / 4 else { return }
        let dropped = changes.count - limit
        compacted = changes[dropped - 1].version
        changes.removeFirst(dropped)
    }

    mutating func compact(upTo version: Int64) {
        compacted = max(compacted, version)
        changes.removeAll { $0.version <= version }
        snapshots = [:]
    }
}
