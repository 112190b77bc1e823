/// The ReferenceGrants that references across namespaces need: one for each namespace and kind of object that refers.
struct Grants {
    struct From: Hashable, Comparable {
        var group: String
        var kind: String
        var namespace: String

        static func < (left: From, right: From) -> Bool { (left.namespace, left.kind) < (right.namespace, right.kind) }
    }

    struct To: Hashable, Comparable {
        var group: String
        var kind: String
        var name: ObjectName

        static func < (left: To, right: To) -> Bool { (left.kind, left.name) < (right.kind, right.name) }
    }

    private struct Key: Hashable, Comparable {
        var namespace: String
        var from: From

        static func < (left: Key, right: Key) -> Bool { (left.namespace, left.from) < (right.namespace, right.from) }
    }

    private var references: [Key: Set<To>] = [:]

    mutating func add(from: From, to: To) {
        references[Key(namespace: to.name.namespace, from: from), default: []].insert(to)
    }

    var documents: [OutputDocument] {
        references.sorted { $0.key < $1.key }.map { key, targets in
            let from = Tree.object(
                ("group", .text(key.from.group)), ("kind", .text(key.from.kind)),
                ("namespace", .text(key.from.namespace)))
            let to = targets.sorted().map { target in
                Tree.object(
                    ("group", .text(target.group)), ("kind", .text(target.kind)), ("name", .text(target.name.name)))
            }
            let name = ObjectName(
                namespace: key.namespace, name: Names.label("\(key.from.kind)s-of-\(key.from.namespace)"))
            return .object(
                DocumentWriter.gatewayAPI, "ReferenceGrant", name,
                spec: .object(("from", .list([from])), ("to", .list(to))))
        }
    }
}
