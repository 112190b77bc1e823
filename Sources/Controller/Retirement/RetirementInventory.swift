internal import KubernetesAPI
internal import KubernetesClient
internal import Platform

/// Reads what may hold something of ours, and says whose statuses are to be taken back whole.
struct RetirementInventory {
    let server: any APIServer
    let settings: Retirement.Settings
    let retry: RetryPolicy
    let leave: (_ object: String, _ reason: String) -> Void

    /// An object with as much of its spec as says whose it is.
    private struct Item: Decodable {
        struct Metadata: Decodable {
            var name: String
            var namespace: String?
            var uid: String
            var resourceVersion: String
            var generation: Int64?
        }

        var metadata: Metadata
        var spec: JSONValue?
        var status: JSONValue?

        var key: ObjectKey { ObjectKey(namespace: metadata.namespace ?? "", name: metadata.name) }
    }

    /// Every status, and the objects whose status is ours as a whole.
    func read() -> (observed: ObservedStatuses, ours: Set<StatusTarget>) {
        var observed = ObservedStatuses()
        var items: [StatusKind: [Item]] = [:]
        for kind in StatusKind.allCases {
            guard let (found, version) = list(kind) else { continue }
            items[kind] = found
            observed.byKind[kind.rawValue] = Dictionary(
                found.map { item in
                    (
                        item.key,
                        ObservedStatus(
                            uid: item.metadata.uid, resourceVersion: item.metadata.resourceVersion,
                            generation: item.metadata.generation, version: version, status: item.status)
                    )
                }, uniquingKeysWith: { first, _ in first })
        }
        return (observed, ours(items))
    }

    private func ours(_ items: [StatusKind: [Item]]) -> Set<StatusTarget> {
        var ours: Set<StatusTarget> = []
        let all = items[.gatewayClass] ?? []
        let classes = all.filter { $0.spec?["controllerName"]?.text == settings.controllerName }
        // Where classes may not be read, ours is known by its name alone.
        let names = items[.gatewayClass] == nil ? [settings.gatewayClass] : Set(classes.map(\.key.name))
        let gateways = (items[.gateway] ?? []).filter { item in
            item.spec?["gatewayClassName"]?.text.map(names.contains) ?? false
        }
        let sets = (items[.listenerSet] ?? []).filter { item in
            let parent = item.spec?["parentRef"]
            let key = ObjectKey(
                namespace: parent?["namespace"]?.text ?? item.key.namespace, name: parent?["name"]?.text ?? "")
            return gateways.contains { $0.key == key }
        }
        var parameters = Set(classes.compactMap { reference($0.spec?["parametersRef"], in: "") })
        parameters.formUnion(
            gateways.compactMap { reference($0.spec?["infrastructure"]?["parametersRef"], in: $0.key.namespace) })
        ours.formUnion(classes.map { StatusTarget(kind: .gatewayClass, key: $0.key) })
        ours.formUnion(gateways.map { StatusTarget(kind: .gateway, key: $0.key) })
        ours.formUnion(sets.map { StatusTarget(kind: .listenerSet, key: $0.key) })
        ours.formUnion(
            (items[.gatewayParameters] ?? []).map { StatusTarget(kind: .gatewayParameters, key: $0.key) }
                .filter { parameters.contains($0.key) })
        // Another installation may answer the same Backends: then they are its business from now on.
        let isAlone = !all.contains { item in
            let name = item.spec?["controllerName"]?.text ?? ""
            return name != settings.controllerName && name.hasPrefix("sluice.dev/")
        }
        if isAlone { ours.formUnion((items[.backend] ?? []).map { StatusTarget(kind: .backend, key: $0.key) }) }
        return ours
    }

    private func reference(_ reference: JSONValue?, in namespace: String) -> ObjectKey? {
        guard reference?["kind"]?.text == GatewayParameters.resourceKind.kind, let name = reference?["name"]?.text
        else {
            return nil
        }
        return ObjectKey(namespace: reference?["namespace"]?.text ?? namespace, name: name)
    }

    /// All objects of a kind in the newest version that is served; nil where none is, or they cannot be read.
    private func list(_ kind: StatusKind) -> (items: [Item], version: String)? {
        let isGatewayAPI = kind.resource.group == Gateway.resourceKind.group
        let versions = isGatewayAPI ? ["v1", "v1beta1", "v1alpha3", "v1alpha2"] : [kind.resource.version]
        for version in versions {
            var resource = kind.resource
            resource.version = version
            do throws(APIError) {
                return (try list(resource), version)
            } catch {
                guard error.code == 404 else {
                    // With rights in some namespaces alone, classes are neither read nor written.
                    let isExpected = kind == .gatewayClass && error.code == 403 && settings.watchNamespaces != nil
                    if !isExpected { leave(kind.rawValue, "cannot be listed: \(error)") }
                    return nil
                }
            }
        }
        return nil
    }

    private func list(_ resource: ResourceKind) throws(APIError) -> [Item] {
        guard resource.namespaced, let namespaces = settings.watchNamespaces else {
            return try server.list(resource, as: Item.self, retry: retry).items
        }
        var items: [Item] = []
        for namespace in namespaces {
            items += try server.list(resource, ListSelection(namespace: namespace), as: Item.self, retry: retry).items
        }
        return items
    }
}
