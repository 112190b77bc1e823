internal import FoundationEssentials
internal import KubernetesAPI

extension ClusterState {
    /// POST of an object, by whomever.
    mutating func create(_ kind: ServedKind, namespace: String?, object: JSONValue, by options: WriteOptions) throws
        -> WriteResult
    {
        var object = try typed(object.withoutNulls, kind: kind, options: options)
        let path = try place(&object, kind: kind, namespace: namespace)
        try admit(kind, path)
        if self.object(kind, path) != nil { throw APIStatus.alreadyExists(kind, path.name) }
        return try insert(kind, path, object, managed: nil, options: options)
    }

    /// Makes a checked object's first version. `managed`: who owns what where it was applied; nil where it was posted.
    mutating func insert(
        _ kind: ServedKind, _ path: ObjectPath, _ given: JSONValue, managed: ManagedFields?, options: WriteOptions
    ) throws -> WriteResult {
        var object = given
        if kind.subresources.contains("status") { object.set("status", to: nil) }
        if path.namespace.isEmpty { object.set("metadata", "namespace", to: nil) }
        for field in ["managedFields", "selfLink", "generation", "deletionTimestamp", "resourceVersion"] {
            object.set("metadata", field, to: nil)
        }
        if kind.qualifiedKind == "Namespace" {
            object.set("metadata", "labels", "kubernetes.io/metadata.name", to: .string(path.name))
        }
        let owned = object
        Defaults.fill(&object, kind: kind)
        let warnings = try check(&object, kind: kind, name: path.name, options: options) + remarks(object, kind: kind)
        object.set("metadata", "creationTimestamp", to: .string(Self.now()))
        object.set("metadata", "uid", to: .string(makeIdentifier()))
        if kind.hasGeneration { object.set("metadata", "generation", to: .integer(1)) }
        var managed = managed ?? ManagedFields(of: nil)
        if managed.entries.isEmpty {
            let owner = ManagedFields.Owner(
                manager: options.manager, operation: "Update",
                apiVersion: kind.apiVersion(options.version ?? kind.versions[0]), subresource: "")
            let counted = kind.qualifiedKind == "Namespace" || kind.group == "events.k8s.io" ? owned : object
            managed.update(owner, tree: TypedTree(kind), from: nil, to: counted, time: Self.now())
        }
        object.set("metadata", "managedFields", to: managed.json)
        if kind.qualifiedKind == "ServiceAccount" { object.set("metadata", "managedFields", to: nil) }
        if kind.qualifiedKind == "Service" { object = try allocate(object, previous: nil) }
        if let status = Defaults.initialStatus(kind), object["status"] == nil { object.set("status", to: status) }
        guard !options.isDryRun else {
            return WriteResult(object: StoredObject(object, version: 0), isNew: true, warnings: warnings)
        }
        guard let stored = commit(kind, path, object) else { throw APIStatus.notFound(kind, path.name) }
        if kind.qualifiedKind == "Namespace" { furnish(path.name) }
        if kind.kind == "CustomResourceDefinition" { try serveDefinition(stored.value) }
        return WriteResult(object: stored, isNew: true, warnings: warnings)
    }

    /// Checks `apiVersion` and `kind`, and gives the object those it is stored with.
    func typed(_ object: JSONValue, kind: ServedKind, options: WriteOptions) throws -> JSONValue {
        var object = object
        guard object.fields != nil else { throw APIStatus.badRequest("the object provided is unrecognized") }
        let version = kind.apiVersion(options.version ?? kind.versions[0])
        if let given = object["kind"]?.text, given != kind.kind {
            throw APIStatus.badRequest(
                "\(given) in version \"\(options.version ?? "v1")\" cannot be handled as a \(kind.kind): no kind "
                    + "\"\(given)\" is registered for that version")
        }
        if let given = object["apiVersion"]?.text, given != version, !options.isInternal {
            throw APIStatus.badRequest(
                "the API version in the data (\(given)) does not match the expected API version (\(version))")
        }
        object.set("apiVersion", to: .string(kind.apiVersion(kind.versions[0])))
        object.set("kind", to: .string(kind.kind))
        return object
    }

    /// Name and namespace by the object and the path it is sent to.
    func place(_ object: inout JSONValue, kind: ServedKind, namespace: String?) throws -> ObjectPath {
        if object.at("metadata", "name") == nil, let prefix = object.at("metadata", "generateName")?.text {
            object.set("metadata", "name", to: .string(prefix + String(makeIdentifier().prefix(5))))
        }
        guard let name = object.at("metadata", "name")?.text, !name.isEmpty else {
            throw APIStatus.invalid(
                kind, "",
                [
                    InvalidField(
                        field: "metadata.name", message: "Required value: name or generateName is required",
                        reason: "FieldValueRequired")
                ])
        }
        guard kind.namespaced else { return ObjectPath(namespace: "", name: name) }
        let given = object.at("metadata", "namespace")?.text
        if let given, let namespace, given != namespace {
            throw APIStatus.badRequest(
                "the namespace of the provided object does not match the namespace sent on the request")
        }
        let placed = namespace ?? given ?? "default"
        object.set("metadata", "namespace", to: .string(placed))
        return ObjectPath(namespace: placed, name: name)
    }

    /// The object's namespace must exist, and not be on its way out.
    func admit(_ kind: ServedKind, _ path: ObjectPath) throws {
        guard kind.namespaced else { return }
        let namespaces = self.kind("namespaces")
        guard let namespace = object(namespaces, ObjectPath(namespace: "", name: path.namespace)) else {
            throw APIStatus.notFound(namespaces, path.namespace)
        }
        if namespace.value.at("metadata", "deletionTimestamp") != nil {
            throw APIStatus.namespaceTerminating(kind, path.name, path.namespace)
        }
    }

    /// Unknown fields and everything the schema refuses. Unknown fields leave the object.
    func check(_ object: inout JSONValue, kind: ServedKind, name: String, options: WriteOptions) throws -> [String] {
        let validation = Validation(
            object, kind: kind, allowsLoopback: options.isInternal || self.options.allowsLoopbackEndpoints)
        if options.fieldValidation == "Strict", !validation.unknownFields.isEmpty {
            let list = validation.unknownFields.map { "unknown field \"\($0)\"" }.joined(separator: ", ")
            throw APIStatus.badRequest(
                "\(kind.kind) in version \"\(options.version ?? kind.versions[0])\" cannot be handled as a \(kind.kind): "
                    + "strict decoding error: \(list)")
        }
        guard validation.problems.isEmpty else { throw APIStatus.invalid(kind, name, validation.problems) }
        for field in validation.unknownFields { object = object.removing(field: field) }
        return options.fieldValidation == "Warn" ? validation.unknownFields.map { "unknown field \"\($0)\"" } : []
    }

    /// What a server warns of though it takes the object.
    private func remarks(_ object: JSONValue, kind: ServedKind) -> [String] {
        guard kind.qualifiedKind == "Secret", object["type"]?.text == "kubernetes.io/tls",
            let text = object.at("data", "tls.crt")?.text, !text.hasPrefix("LS0tLS1CRUdJTi")
        else { return [] }
        return ["tls: failed to find any PEM data in certificate input"]
    }

    /// What controllers put into every new namespace.
    private mutating func furnish(_ namespace: String) {
        var account = JSONValue.object([:])
        account.set("metadata", "name", to: .string("default"))
        _ = try? create(kind("serviceaccounts"), namespace: namespace, object: account, by: .server)
        var authority = JSONValue.object(["data": .object(["ca.crt": .string(options.authorityPEM)])])
        authority.set("metadata", "name", to: .string("kube-root-ca.crt"))
        authority.set(
            "metadata", "annotations", "kubernetes.io/description",
            to: .string("The certificates that verify the API server."))
        _ = try? create(kind("configmaps"), namespace: namespace, object: authority, by: .server)
    }

    func makeIdentifier() -> String { UUID().uuidString.lowercased() }
}
