internal import KubernetesAPI

/// Who owns which fields: metadata.managedFields, read and written.
struct ManagedFields: Sendable {
    struct Owner: Hashable, Sendable {
        var manager: String
        /// `Apply` or `Update`.
        var operation: String
        var apiVersion: String
        var subresource: String
    }
    struct Entry: Sendable {
        var owner: Owner
        var fields: FieldSet
        var time: String
    }

    var entries: [Entry] = []

    init(of object: JSONValue?) {
        for entry in object?.at("metadata", "managedFields")?.elements ?? [] {
            entries.append(
                Entry(
                    owner: Owner(
                        manager: entry["manager"]?.text ?? "", operation: entry["operation"]?.text ?? "",
                        apiVersion: entry["apiVersion"]?.text ?? "", subresource: entry["subresource"]?.text ?? ""),
                    fields: FieldSet(json: entry["fieldsV1"] ?? .null), time: entry["time"]?.text ?? ""))
        }
    }

    /// Applied configurations first, then by time and name, as the API server sorts them. nil where nobody owns anything.
    var json: JSONValue? {
        let kept = entries.filter { !$0.fields.isEmpty }.sorted { left, right in
            (left.owner.operation, left.time, left.owner.manager, left.owner.subresource)
                < (right.owner.operation, right.time, right.owner.manager, right.owner.subresource)
        }
        guard !kept.isEmpty else { return nil }
        return .array(
            kept.map { entry in
                var json: [String: JSONValue] = [
                    "manager": .string(entry.owner.manager), "operation": .string(entry.owner.operation),
                    "apiVersion": .string(entry.owner.apiVersion), "time": .string(entry.time),
                    "fieldsType": .string("FieldsV1"), "fieldsV1": entry.fields.json,
                ]
                if !entry.owner.subresource.isEmpty { json["subresource"] = .string(entry.owner.subresource) }
                return .object(json)
            })
    }

    func fields(of owner: Owner) -> FieldSet { entries.first { $0.owner == owner }?.fields ?? FieldSet() }

    /// What all others own together.
    func fields(besides owner: Owner) -> FieldSet {
        entries.filter { $0.owner != owner }.reduce(FieldSet()) { $0.union($1.fields) }
    }

    mutating func set(_ owner: Owner, _ fields: FieldSet, time: String) {
        if let index = entries.firstIndex(where: { $0.owner == owner }) {
            entries[index].fields = fields
            entries[index].time = time
        } else if !fields.isEmpty {
            entries.append(Entry(owner: owner, fields: fields, time: time))
        }
    }

    mutating func take(_ fields: FieldSet, fromAllBut owner: Owner?) {
        for index in entries.indices where entries[index].owner != owner {
            entries[index].fields = entries[index].fields.subtracting(fields)
        }
    }

    /// Notes an update: the changed fields are the owner's now, the removed ones nobody's.
    mutating func update(_ owner: Owner, tree: TypedTree, from old: JSONValue?, to new: JSONValue, time: String) {
        let before = old.map(Self.owned)
        let after = Self.owned(new)
        let changed = tree.changed(from: before, to: after)
        if let before { take(tree.removed(from: before, to: after), fromAllBut: nil) }
        guard !changed.isEmpty else { return }
        take(changed, fromAllBut: owner)
        set(owner, fields(of: owner).union(changed), time: time)
    }

    /// The object without what nobody can own.
    static func owned(_ object: JSONValue) -> JSONValue {
        var result = object
        for field in ["apiVersion", "kind"] { result.set(field, to: nil) }
        guard var metadata = object["metadata"]?.fields else { return result }
        for field in [
            "name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields",
            "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "generateName",
        ] {
            metadata[field] = nil
        }
        result.set("metadata", to: metadata.isEmpty ? nil : .object(metadata))
        return result
    }
}
