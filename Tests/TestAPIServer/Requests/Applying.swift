internal import KubernetesAPI

extension ClusterState {
    /// PATCH by server-side apply (KEP-555): creates what is not there.
    mutating func apply(
        _ kind: ServedKind, _ path: ObjectPath, subresource: String?, configuration: JSONValue,
        by options: WriteOptions, isNamed: Bool = true
    ) throws -> WriteResult {
        guard isNamed else {
            throw APIStatus(
                code: 422, reason: "Invalid",
                message:
                    "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply "
                    + "patch")
        }
        var applied = try typed(configuration.withoutNulls, kind: kind, options: options)
        guard try place(&applied, kind: kind, namespace: kind.namespaced ? path.namespace : nil) == path else {
            throw APIStatus.badRequest("the name of the object does not match the name on the URL (\(path.name))")
        }
        if applied.at("metadata", "managedFields") != nil {
            throw APIStatus.badRequest("metadata.managedFields must be nil")
        }
        let warnings = try unknownFields(of: &applied, kind: kind, options: options)
        if subresource == nil, kind.subresources.contains("status") { applied.set("status", to: nil) }
        if subresource == "status" { applied = applied.statusOnly }
        let old = object(kind, path)
        if old == nil, subresource != nil { throw APIStatus.notFound(kind, path.name) }
        let owner = ManagedFields.Owner(
            manager: options.manager, operation: "Apply",
            apiVersion: kind.apiVersion(options.version ?? kind.versions[0]), subresource: subresource ?? "")
        var managed = ManagedFields(of: old?.value)
        let merged = try merge(applied, into: old?.value, kind: kind, owner: owner, managed: &managed, options: options)
        var result: WriteResult
        if let old {
            result = try change(
                kind, path, old: old, to: merged, subresource: subresource, managed: managed, options: options)
        } else {
            try admit(kind, path)
            result = try insert(kind, path, merged, managed: managed, options: options)
        }
        result.warnings += warnings.filter { !result.warnings.contains($0) }
        return result
    }

    private func unknownFields(of applied: inout JSONValue, kind: ServedKind, options: WriteOptions) throws -> [String]
    {
        let unknown = Validation(applied, kind: kind, allowsLoopback: true).unknownFields
        if options.fieldValidation == "Strict", !unknown.isEmpty {
            let list = unknown.map { "unknown field \"\($0)\"" }.joined(separator: ", ")
            throw APIStatus.badRequest(
                "\(kind.kind) in version \"\(options.version ?? kind.versions[0])\" cannot be handled as a \(kind.kind): "
                    + "strict decoding error: \(list)")
        }
        for field in unknown { applied = applied.removing(field: field) }
        return options.fieldValidation == "Warn" ? unknown.map { "unknown field \"\($0)\"" } : []
    }

    /// The live object with the configuration in it and without what the owner has dropped; `managed` follows.
    private func merge(
        _ applied: JSONValue, into live: JSONValue?, kind: ServedKind, owner: ManagedFields.Owner,
        managed: inout ManagedFields, options: WriteOptions
    ) throws -> JSONValue {
        let tree = TypedTree(kind)
        let wanted = ManagedFields.owned(applied)
        let set = tree.fields(of: wanted)
        let before = managed.fields(of: owner)
        if let live {
            let conflicts = self.conflicts(of: wanted, set, with: live, tree: tree, owner: owner, managed: managed)
            if !conflicts.isEmpty, !options.force {
                throw APIStatus.applyConflict(conflicts.map { ($0.manager, $0.path.map(\.shown).joined()) })
            }
            var taken = FieldSet()
            for conflict in conflicts { taken = taken.union(FieldSet(path: conflict.path[...])) }
            managed.take(taken, fromAllBut: owner)
        }
        let time = managed.entries.first { $0.owner == owner && $0.fields == set }?.time
        managed.set(owner, set, time: time ?? Self.now())
        guard let live else { return applied }
        let kept = managed.fields(besides: owner).union(set)
        let dropped = before.subtracting(kept)
        let cleaned = tree.removing(dropped, keeping: kept, from: live) ?? .object([:])
        return tree.merged(cleaned, with: applied)
    }

    /// Fields that others own with another value than the configuration's.
    private func conflicts(
        of wanted: JSONValue, _ set: FieldSet, with live: JSONValue, tree: TypedTree, owner: ManagedFields.Owner,
        managed: ManagedFields
    ) -> [(manager: String, path: [FieldStep])] {
        var conflicts: [(manager: String, path: [FieldStep])] = []
        for entry in managed.entries where entry.owner != owner {
            for path in entry.fields.intersection(set).paths {
                guard set.at(path[...]).children.isEmpty,
                    tree.value(live, at: path[...]) != tree.value(wanted, at: path[...])
                else { continue }
                var name = "\"\(entry.owner.manager)\""
                if !entry.owner.subresource.isEmpty { name += " with subresource \"\(entry.owner.subresource)\"" }
                if entry.owner.operation == "Update" { name += " using \(entry.owner.apiVersion)" }
                conflicts.append((name, path))
            }
        }
        return conflicts
    }
}

extension FieldSet {
    init(path: ArraySlice<FieldStep>) {
        guard let step = path.first else {
            self = .member
            return
        }
        self.init()
        children[step] = FieldSet(path: path.dropFirst())
    }

    func at(_ path: ArraySlice<FieldStep>) -> FieldSet {
        guard let step = path.first else { return self }
        return self[step].at(path.dropFirst())
    }
}

extension JSONValue {
    /// What an applied status speaks of.
    fileprivate var statusOnly: JSONValue {
        var result = JSONValue.object([:])
        for field in ["apiVersion", "kind", "status"] { result.set(field, to: self[field]) }
        for field in ["name", "namespace", "uid", "resourceVersion"] {
            result.set("metadata", field, to: at("metadata", field))
        }
        return result
    }
}
