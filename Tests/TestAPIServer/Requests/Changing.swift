internal import KubernetesAPI

extension ClusterState {
    /// PUT of an object or of its status.
    mutating func replace(
        _ kind: ServedKind, _ path: ObjectPath, subresource: String?, with object: JSONValue, by options: WriteOptions
    ) throws -> WriteResult {
        var object = try typed(object.withoutNulls, kind: kind, options: options)
        let given = try place(&object, kind: kind, namespace: kind.namespaced ? path.namespace : nil)
        guard given == path else {
            throw APIStatus.badRequest(
                "the name of the object (\(given.name)) does not match the name on the URL (\(path.name))")
        }
        guard let old = self.object(kind, path) else { throw APIStatus.notFound(kind, path.name) }
        let isUnconditional = (object.at("metadata", "resourceVersion")?.text ?? "").isEmpty
        if isUnconditional, kind.isCustom || kind.kind == "Lease", !options.isInternal {
            throw APIStatus.invalid(
                kind, path.name,
                [
                    InvalidField(
                        field: "metadata.resourceVersion",
                        message: "Invalid value: \(kind.isCustom ? "0" : "\"\""): must be specified for an update")
                ])
        }
        return try change(kind, path, old: old, to: object, subresource: subresource, managed: nil, options: options)
    }

    /// How a patch is written.
    enum PatchForm { case merge, strategic, json }

    /// PATCH by anything but server-side apply.
    mutating func patch(
        _ kind: ServedKind, _ path: ObjectPath, subresource: String?, with patch: JSONValue, form: PatchForm = .merge,
        by options: WriteOptions
    ) throws -> WriteResult {
        guard let old = object(kind, path) else { throw APIStatus.notFound(kind, path.name) }
        guard form == .json || patch.fields != nil else { throw APIStatus.badRequest("the patch is no object") }
        let base = options.version.map { kind.served(old.value, version: $0) } ?? old.value
        let patched =
            switch form {
            case .merge: base.merged(with: patch)
            case .strategic: StrategicMerge(shape: kind.shape).apply(patch, to: base)
            case .json: try JSONPatch.apply(patch, to: base)
            }
        let object = try typed(patched, kind: kind, options: options)
        return try change(kind, path, old: old, to: object, subresource: subresource, managed: nil, options: options)
    }

    /// Makes the next version of an object. `managed`: who owns what where a configuration was applied.
    mutating func change(
        _ kind: ServedKind, _ path: ObjectPath, old: StoredObject, to given: JSONValue, subresource: String?,
        managed applied: ManagedFields?, options: WriteOptions
    ) throws -> WriteResult {
        try checkPreconditions(kind, path, old: old.value, given: given)
        var object = keepingIdentity(of: old.value, in: given, kind: kind, subresource: subresource)
        Defaults.fill(&object, kind: kind)
        let warnings = try check(&object, kind: kind, name: path.name, options: options)
        if kind.hasGeneration, old.value.withoutMetadataAndStatus != object.withoutMetadataAndStatus {
            let generation = old.value.at("metadata", "generation")?.integer ?? 1
            object.set("metadata", "generation", to: .integer(generation + 1))
        }
        if kind.qualifiedKind == "Service", subresource == nil { object = try allocate(object, previous: old.value) }
        // A writer may hand on who owns what, as kubectl does when it moves to server-side apply.
        let isHandedOn = given.at("metadata", "managedFields")?.elements?.isEmpty == false && subresource == nil
        var managed = applied ?? ManagedFields(of: isHandedOn ? given : old.value)
        if applied == nil {
            let owner = ManagedFields.Owner(
                manager: options.manager, operation: "Update",
                apiVersion: kind.apiVersion(options.version ?? kind.versions[0]), subresource: subresource ?? "")
            managed.update(owner, tree: TypedTree(kind), from: old.value, to: object, time: Self.now())
        }
        object.set("metadata", "managedFields", to: managed.json)
        object.set("metadata", "resourceVersion", to: old.value.at("metadata", "resourceVersion"))
        if isSame(old.value, object, comparesOwners: applied != nil || isHandedOn) {
            if !options.isInternal {
                let part = subresource.map { "/\($0)" } ?? ""
                statistics.unchanged.append("\(kind.kind)\(part) \(path.namespace)/\(path.name)")
            }
            return WriteResult(object: old, warnings: warnings)
        }
        if options.isDryRun {
            return WriteResult(object: StoredObject(object, version: old.version), warnings: warnings)
        }
        let isGone =
            object.at("metadata", "deletionTimestamp") != nil
            && (object.at("metadata", "finalizers")?.elements ?? []).isEmpty && kind.qualifiedKind != "Namespace"
        guard let stored = commit(kind, path, isGone ? nil : object) else {
            throw APIStatus.notFound(kind, path.name)
        }
        if kind.kind == "CustomResourceDefinition" { try serveDefinition(stored.value) }
        return WriteResult(object: stored, warnings: warnings)
    }

    private func isSame(_ old: JSONValue, _ new: JSONValue, comparesOwners: Bool) -> Bool {
        func bare(_ value: JSONValue) -> JSONValue {
            var value = value
            value.set("metadata", "managedFields", to: nil)
            return value
        }
        guard bare(old) == bare(new) else { return false }
        guard comparesOwners else { return true }
        func owners(_ value: JSONValue) -> [ManagedFields.Owner: FieldSet] {
            Dictionary(ManagedFields(of: value).entries.map { ($0.owner, $0.fields) }) { $1 }
        }
        return owners(old) == owners(new)
    }

    private func checkPreconditions(_ kind: ServedKind, _ path: ObjectPath, old: JSONValue, given: JSONValue) throws {
        if let version = given.at("metadata", "resourceVersion")?.text, !version.isEmpty,
            version != old.at("metadata", "resourceVersion")?.text
        {
            throw APIStatus.conflict(kind, path.name)
        }
        if let uid = given.at("metadata", "uid")?.text, !uid.isEmpty, let real = old.at("metadata", "uid")?.text,
            uid != real
        {
            throw APIStatus.conflict(
                kind, path.name,
                "Precondition failed: UID in precondition: \(uid), UID in object meta: \(real)")
        }
    }

    /// The server's own fields are not changed by writes, nor is the part that the path does not name.
    private func keepingIdentity(of old: JSONValue, in given: JSONValue, kind: ServedKind, subresource: String?)
        -> JSONValue
    {
        if subresource == "status" {
            var object = old
            object.set("status", to: given["status"])
            return object
        }
        var object = given
        let kept = [
            "name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp",
            "deletionGracePeriodSeconds", "generateName", "resourceVersion",
        ]
        for field in kept { object.set("metadata", field, to: old.at("metadata", field)) }
        if kind.subresources.contains("status") { object.set("status", to: old["status"]) }
        if kind.qualifiedKind == "Namespace" {
            object.set(
                "metadata", "labels", "kubernetes.io/metadata.name", to: old.at("metadata", "name"))
        }
        return object
    }
}

extension JSONValue {
    /// What metadata.generation counts the changes of.
    var withoutMetadataAndStatus: JSONValue {
        var value = self
        for field in ["metadata", "status"] { value.set(field, to: nil) }
        return value
    }
}

extension ServedKind {
    /// An object as a version shows it.
    func served(_ object: JSONValue, version: String) -> JSONValue {
        guard version != versions[0] else { return object }
        var object = object
        object.set("apiVersion", to: .string(apiVersion(version)))
        return object
    }
}
