internal import KubernetesAPI

extension ClusterState {
    /// DELETE of one object: gone at once, or marked where finalizers hold it.
    mutating func delete(_ kind: ServedKind, _ path: ObjectPath, options body: JSONValue?, isDryRun: Bool = false)
        throws
        -> JSONValue
    {
        guard let old = object(kind, path) else { throw APIStatus.notFound(kind, path.name) }
        let wanted = body?["preconditions"]
        for (field, metadata) in [("uid", "uid"), ("resourceVersion", "resourceVersion")] {
            guard let text = wanted?[field]?.text, let real = old.value.at("metadata", metadata)?.text, text != real
            else { continue }
            throw APIStatus.conflict(
                kind, path.name,
                "the \(field == "uid" ? "UID" : "ResourceVersion") in the precondition (\(text)) does not match the "
                    + "\(field == "uid" ? "UID" : "ResourceVersion") in record (\(real)). The object might have been "
                    + "deleted and then recreated")
        }
        let isNamespace = kind.qualifiedKind == "Namespace"
        guard !isDryRun else { return success(kind, old.value) }
        if isNamespace || !(old.value.at("metadata", "finalizers")?.elements ?? []).isEmpty {
            return mark(kind, path, old.value, isNamespace: isNamespace)
        }
        if kind.kind == "CustomResourceDefinition" { withdraw(path.name) }
        commit(kind, path, nil)
        return success(kind, old.value)
    }

    private mutating func mark(_ kind: ServedKind, _ path: ObjectPath, _ old: JSONValue, isNamespace: Bool) -> JSONValue
    {
        guard old.at("metadata", "deletionTimestamp") == nil else { return old }
        var object = old
        object.set("metadata", "deletionTimestamp", to: .string(Self.now()))
        if isNamespace {
            object.set("status", "phase", to: .string("Terminating"))
        } else {
            object.set("metadata", "deletionGracePeriodSeconds", to: .integer(0))
            if let generation = object.at("metadata", "generation")?.integer {
                object.set("metadata", "generation", to: .integer(generation + 1))
            }
        }
        return commit(kind, path, object)?.value ?? object
    }

    private func success(_ kind: ServedKind, _ object: JSONValue) -> JSONValue {
        var details: [String: JSONValue] = ["kind": .string(kind.plural)]
        if !kind.group.isEmpty { details["group"] = .string(kind.group) }
        for field in ["name", "uid"] { details[field] = object.at("metadata", field) }
        return .object([
            "kind": .string("Status"), "apiVersion": .string("v1"), "metadata": .object([:]),
            "status": .string("Success"), "details": .object(details),
        ])
    }

    /// Removes what is in a terminating namespace and then itself; false where finalizers hold something back.
    mutating func removeNamespace(_ name: String) -> Bool {
        empty(name)
        let isHeld = stores.values.contains { store in
            store.kind.namespaced && store.objects.keys.contains { $0.namespace == name }
        }
        guard !isHeld else { return false }
        commit(kind("namespaces"), ObjectPath(namespace: "", name: name), nil)
        return true
    }

    private mutating func empty(_ namespace: String) {
        for store in stores.values where store.kind.namespaced {
            for (path, object) in store.objects.sorted(by: { $0.key < $1.key })
            where path.namespace == namespace && object.value.at("metadata", "deletionTimestamp") == nil {
                _ = try? delete(store.kind, path, options: nil)
            }
        }
    }

    /// Has owners, and none of them exists (in the object's own namespace, or in none).
    func isOrphan(_ object: JSONValue, in namespace: String) -> Bool {
        guard let owners = object.at("metadata", "ownerReferences")?.elements, !owners.isEmpty,
            object.at("metadata", "deletionTimestamp") == nil
        else { return false }
        return !owners.contains { owner in
            let group = (owner["apiVersion"]?.text ?? "").split(separator: "/").dropLast().first.map(String.init) ?? ""
            guard let name = owner["name"]?.text,
                let store = stores.values.first(where: { $0.kind.kind == owner["kind"]?.text && $0.kind.group == group }
                )
            else { return false }
            let path = ObjectPath(namespace: store.kind.namespaced ? namespace : "", name: name)
            return store.objects[path]?.value.at("metadata", "uid") == owner["uid"]
        }
    }
}
