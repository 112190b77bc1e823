internal import KubernetesAPI

extension ClusterState {
    /// The pages that tell a client what is served; nil for a path that is none of them.
    func discovery(_ request: ServedRequest) -> ServedResponse? {
        let accept = request.headers["accept"] ?? ""
        let isAggregated = accept.contains("apidiscovery.k8s.io") && accept.contains("v=v2;")
        switch (request.path.first, request.path.count) {
        case ("version", 1): return page(Self.versionPage)
        case ("openapi", _): return openAPI(request)
        case ("api", 1), ("apis", 1):
            let isCore = request.path.first == "api"
            guard isAggregated else { return page(isCore ? coreVersions : groupList) }
            var response = page(aggregated { $0.isEmpty == isCore })
            response.contentType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
            return response
        case ("api", 2): return resourceList(group: "", version: request.path[1])
        case ("apis", 2):
            guard let group = groups.first(where: { $0.name == request.path[1] }) else { return nil }
            var json = self.group(group)
            json.set("kind", to: .string("APIGroup"))
            json.set("apiVersion", to: .string("v1"))
            return page(json)
        case ("apis", 3): return resourceList(group: request.path[1], version: request.path[2])
        default: return nil
        }
    }

    /// A group with its versions, the preferred one first.
    struct ServedGroup {
        var name: String
        var versions: [String]
    }

    var groups: [ServedGroup] {
        var versions: [String: Set<String>] = [:]
        for store in stores.values { versions[store.kind.group, default: []].formUnion(store.kind.versions) }
        return versions.map { name, versions in
            ServedGroup(name: name, versions: versions.sorted { Self.precedes($0, $1) })
        }.sorted { $0.name < $1.name }
    }

    /// v1 before v1beta1 before v1alpha3 before v1alpha2.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        func rank(_ version: String) -> (Int, String) {
            (version.contains("alpha") ? 2 : version.contains("beta") ? 1 : 0, version)
        }
        let (first, second) = (rank(left), rank(right))
        return first.0 == second.0 ? first.1 > second.1 : first.0 < second.0
    }

    func kinds(group: String, version: String) -> [ServedKind] {
        stores.values.map(\.kind).filter { $0.group == group && $0.versions.contains(version) }
            .sorted { $0.plural < $1.plural }
    }

    private func page(_ json: JSONValue) -> ServedResponse { ServedResponse(status: 200, body: JSONText.bytes(json)) }

    private static let versionPage = JSONValue.object([
        "major": .string("1"), "minor": .string("36"), "emulationMajor": .string("1"), "emulationMinor": .string("36"),
        "minCompatibilityMajor": .string("1"), "minCompatibilityMinor": .string("35"),
        "gitVersion": .string("v1.36.2"), "gitCommit": .string("test"), "gitTreeState": .string(""),
        "buildDate": .string("1970-01-01T00:00:00Z"), "goVersion": .string("go1.27.3"), "compiler": .string("gc"),
        "platform": .string("linux/amd64"),
    ])

    private var coreVersions: JSONValue {
        .object([
            "kind": .string("APIVersions"), "versions": .strings(["v1"]), "serverAddressByClientCIDRs": .array([]),
        ])
    }

    private func group(_ group: ServedGroup) -> JSONValue {
        let versions = group.versions.map { version in
            JSONValue.object([
                "groupVersion": .string("\(group.name)/\(version)"), "version": .string(version),
            ])
        }
        return .object([
            "name": .string(group.name), "versions": .array(versions), "preferredVersion": versions[0],
        ])
    }

    private var groupList: JSONValue {
        .object([
            "kind": .string("APIGroupList"), "apiVersion": .string("v1"),
            "groups": .array(groups.filter { !$0.name.isEmpty }.map { group($0) }),
        ])
    }

    private static let verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
    private static let subresourceVerbs = ["get", "patch", "update"]

    private func resourceList(group: String, version: String) -> ServedResponse? {
        let kinds = kinds(group: group, version: version)
        guard !kinds.isEmpty else { return nil }
        var resources: [JSONValue] = []
        for kind in kinds {
            var json: [String: JSONValue] = [
                "name": .string(kind.plural), "singularName": .string(kind.singular),
                "namespaced": .bool(kind.namespaced), "kind": .string(kind.kind), "verbs": .strings(Self.verbs),
                "storageVersionHash": .string(base64(Array(kind.qualifiedPlural.utf8.prefix(8)))),
            ]
            if !kind.shortNames.isEmpty { json["shortNames"] = .strings(kind.shortNames) }
            if !kind.categories.isEmpty { json["categories"] = .strings(kind.categories) }
            resources.append(.object(json))
            for subresource in kind.subresources.sorted() {
                var json: [String: JSONValue] = [
                    "name": .string("\(kind.plural)/\(subresource)"), "singularName": .string(""),
                    "namespaced": .bool(kind.namespaced), "kind": .string(kind.kind),
                    "verbs": .strings(Self.subresourceVerbs),
                ]
                if subresource == "scale" {
                    json["kind"] = .string("Scale")
                    json["group"] = .string("autoscaling")
                    json["version"] = .string("v1")
                }
                resources.append(.object(json))
            }
        }
        return page(
            .object([
                "kind": .string("APIResourceList"), "apiVersion": .string("v1"),
                "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"),
                "resources": .array(resources),
            ]))
    }

    private func aggregated(_ isWanted: (String) -> Bool) -> JSONValue {
        let items = groups.filter { isWanted($0.name) }.map { group in
            let versions = group.versions.map { version in
                JSONValue.object([
                    "version": .string(version), "freshness": .string("Current"),
                    "resources": .array(kinds(group: group.name, version: version).map { aggregated($0, version) }),
                ])
            }
            return JSONValue.object([
                "metadata": .object(group.name.isEmpty ? [:] : ["name": .string(group.name)]),
                "versions": .array(versions),
            ])
        }
        return .object([
            "kind": .string("APIGroupDiscoveryList"), "apiVersion": .string("apidiscovery.k8s.io/v2"),
            "metadata": .object([:]), "items": .array(items),
        ])
    }

    private func aggregated(_ kind: ServedKind, _ version: String) -> JSONValue {
        func responseKind(_ kindName: String) -> JSONValue {
            if kindName == "Scale" {
                return .object([
                    "group": .string("autoscaling"), "version": .string("v1"), "kind": .string("Scale"),
                ])
            }
            // A real server leaves group and version of built-in kinds empty: those of the list then hold.
            return .object([
                "group": .string(kind.isCustom ? kind.group : ""), "version": .string(kind.isCustom ? version : ""),
                "kind": .string(kindName),
            ])
        }
        var json: [String: JSONValue] = [
            "resource": .string(kind.plural), "responseKind": responseKind(kind.kind),
            "scope": .string(kind.namespaced ? "Namespaced" : "Cluster"), "singularResource": .string(kind.singular),
            "verbs": .strings(Self.verbs),
        ]
        if !kind.shortNames.isEmpty { json["shortNames"] = .strings(kind.shortNames) }
        if !kind.categories.isEmpty { json["categories"] = .strings(kind.categories) }
        if !kind.subresources.isEmpty {
            json["subresources"] = .array(
                kind.subresources.sorted().map { subresource in
                    .object([
                        "subresource": .string(subresource),
                        "responseKind": responseKind(subresource == "scale" ? "Scale" : kind.kind),
                        "verbs": .strings(Self.subresourceVerbs),
                    ])
                })
        }
        return .object(json)
    }
}
