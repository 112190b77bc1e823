public import KubernetesAPI
internal import Platform

/// Objects by the test's own hand: checked and filled in as through HTTP, without a token.
extension TestAPIServer {
    /// Creates each document of a YAML or JSON text, in order.
    @discardableResult
    public func create(yaml text: String) throws -> [JSONValue] {
        try JSONValue.documents(text).map { try create($0) }
    }

    @discardableResult
    public func create(_ object: JSONValue) throws -> JSONValue {
        try state.withLock { state in
            let kind = try state.kind(of: object)
            return try state.create(kind, namespace: nil, object: object, by: .test).object.value
        }
    }

    /// Creates or replaces each document of a text.
    @discardableResult
    public func put(yaml text: String) throws -> [JSONValue] { try JSONValue.documents(text).map { try put($0) } }

    /// Creates an object or replaces the one of that name; its status stays.
    @discardableResult
    public func put(_ object: JSONValue) throws -> JSONValue {
        try state.withLock { try $0.put(object) }
    }

    /// Merges a change (RFC 7396, as YAML or JSON) into an object, or into its status through `subresource`.
    @discardableResult
    public func patch(
        _ kind: String, _ namespace: String = "", _ name: String, subresource: String? = nil, yaml text: String
    ) throws -> JSONValue {
        let patch = try JSONValue.documents(text).first ?? .object([:])
        return try state.withLock { state in
            let kind = try state.kind(named: kind)
            let path = ObjectPath(namespace: namespace, name: name)
            return try state.patch(
                kind, path, subresource: subresource, with: patch, by: .test
            ).object.value
        }
    }

    /// An object as it is now; nil where there is none. `kind`: such as `Gateway`; `Event` means events.k8s.io.
    public func object(_ kind: String, _ namespace: String = "", _ name: String) -> JSONValue? {
        state.withLock { state in
            guard let kind = try? state.kind(named: kind) else { return nil }
            return state.object(kind, ObjectPath(namespace: namespace, name: name))?.value
        }
    }

    /// All objects of a kind, by namespace and name.
    public func objects(_ kind: String, in namespace: String? = nil) -> [JSONValue] {
        state.withLock { state in
            guard let kind = try? state.kind(named: kind), let store = state.stores[kind.qualifiedPlural] else {
                return []
            }
            return store.objects.filter { namespace == nil || $0.key.namespace == namespace }
                .sorted { $0.key < $1.key }.map(\.value.value)
        }
    }

    public func delete(_ kind: String, _ namespace: String = "", _ name: String) throws {
        try state.withLock { state in
            let kind = try state.kind(named: kind)
            _ = try state.delete(kind, ObjectPath(namespace: namespace, name: name), options: nil)
        }
    }

    /// The version of the latest change of all.
    public var resourceVersion: Int64 { state.withLock { $0.version } }

    /// Stops serving a kind: its definition and its objects go, its paths answer 404.
    public func removeKind(_ kind: String) {
        state.withLock { $0.remove(kindNamed: kind) }
    }

    /// Serves a kind of Gateway API again, as a definition that is installed late. `versions`: the served ones, the
    /// preferred one first; nil: as v1.6.1 has them.
    public func addGatewayKind(_ kind: String, versions: [String]? = nil, bundleVersion: String? = nil) throws {
        try state.withLock { try $0.addGatewayKind(kind, versions: versions, bundleVersion: bundleVersion) }
    }

    /// Makes a pod known to the played endpoint controller, or changes it.
    public func addPod(_ pod: TestPod) {
        changePods { $0[ObjectPath(namespace: pod.namespace, name: pod.name)] = pod }
    }

    public func removePod(_ namespace: String = "default", _ name: String) {
        changePods { $0[ObjectPath(namespace: namespace, name: name)] = nil }
    }

    private func changePods(_ change: (inout [ObjectPath: TestPod]) -> Void) {
        state.withLock { $0.changePods(change) }
    }
}

extension ClusterState {
    /// Creates an object or replaces the one of that name; its status stays.
    mutating func put(_ object: JSONValue) throws -> JSONValue {
        let kind = try kind(of: object)
        var placed = object
        let path = try place(&placed, kind: kind, namespace: nil)
        for field in ["resourceVersion", "uid"] { placed.set("metadata", field, to: nil) }
        guard self.object(kind, path) != nil else {
            return try create(kind, namespace: nil, object: placed, by: .test).object.value
        }
        return try replace(kind, path, subresource: nil, with: placed, by: .test).object.value
    }

    mutating func remove(kindNamed name: String) {
        guard let kind = try? kind(named: name) else { return }
        let definitions = self.kind("customresourcedefinitions.apiextensions.k8s.io")
        _ = try? delete(definitions, ObjectPath(namespace: "", name: kind.qualifiedPlural), options: nil)
        withdraw(kind.qualifiedPlural)
    }

    mutating func addGatewayKind(_ kind: String, versions: [String]? = nil, bundleVersion: String? = nil) throws {
        guard var served = GatewayKinds.all.first(where: { $0.kind == kind }) else {
            throw APIStatus.badRequest("no kind \(kind) in Gateway API")
        }
        served.versions = versions ?? served.versions
        served.bundleVersion = bundleVersion ?? served.bundleVersion
        try install(served)
    }

    /// The kind of an object by its `apiVersion` and `kind`.
    func kind(of object: JSONValue) throws -> ServedKind {
        let parts = (object["apiVersion"]?.text ?? "").split(separator: "/").map(String.init)
        let group = parts.count > 1 ? parts[0] : ""
        let found = stores.values.first { $0.kind.kind == object["kind"]?.text && $0.kind.group == group }
        guard let found, found.kind.storedAs == nil else {
            throw APIStatus.badRequest("no kind \(object["kind"]?.text ?? "?") in \(object["apiVersion"]?.text ?? "?")")
        }
        return found.kind
    }

    func kind(named name: String) throws -> ServedKind {
        guard let found = stores.values.first(where: { $0.kind.kind == name && $0.kind.storedAs == nil }) else {
            throw APIStatus.badRequest("no kind \(name)")
        }
        return found.kind
    }

    /// Serves a kind and shows its definition.
    mutating func install(_ kind: ServedKind) throws {
        serve(kind)
        let definitions = self.kind("customresourcedefinitions.apiextensions.k8s.io")
        let path = ObjectPath(namespace: "", name: kind.qualifiedPlural)
        if object(definitions, path) != nil { _ = commit(definitions, path, nil) }
        _ = try create(definitions, namespace: nil, object: definition(of: kind), by: .server)
    }
}

extension APIStatus: CustomStringConvertible {
    public var description: String { "\(code) \(reason): \(message)" }
}
