internal import KubernetesAPI

extension ClusterState {
    /// As much of OpenAPI as kubectl asks for before it applies: which kinds take `fieldValidation` and `dryRun`.
    func openAPI(_ request: ServedRequest) -> ServedResponse? {
        guard request.path.count > 1, request.path[1] == "v3" else { return nil }
        if request.path.count == 2 { return ServedResponse(status: 200, body: JSONText.bytes(openAPIIndex)) }
        let rest = Array(request.path[2...])
        let group: String
        let version: String
        switch (rest.first, rest.count) {
        case ("api", 2): (group, version) = ("", rest[1])
        case ("apis", 3): (group, version) = (rest[1], rest[2])
        default: return nil
        }
        let kinds = kinds(group: group, version: version)
        guard !kinds.isEmpty else { return nil }
        return ServedResponse(status: 200, body: JSONText.bytes(document(group: group, version: version, kinds)))
    }

    private var openAPIIndex: JSONValue {
        var paths: [String: JSONValue] = [:]
        for group in groups {
            for version in group.versions {
                let path = group.name.isEmpty ? "api/\(version)" : "apis/\(group.name)/\(version)"
                paths[path] = .object(["serverRelativeURL": .string("/openapi/v3/\(path)?hash=\(self.version)")])
            }
        }
        return .object(["paths": .object(paths)])
    }

    private func document(group: String, version: String, _ kinds: [ServedKind]) -> JSONValue {
        var paths: [String: JSONValue] = [:]
        var schemas: [String: JSONValue] = [:]
        let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        for kind in kinds {
            let identity = JSONValue.object([
                "group": .string(group), "version": .string(version), "kind": .string(kind.kind),
            ])
            let path = "\(root)/\(kind.namespaced ? "namespaces/{namespace}/" : "")\(kind.plural)"
            let parameters = ["dryRun", "fieldManager", "fieldValidation"].map { name in
                JSONValue.object([
                    "name": .string(name), "in": .string("query"), "schema": .object(["type": .string("string")]),
                ])
            }
            func operation(_ action: String) -> JSONValue {
                .object([
                    "x-kubernetes-action": .string(action), "x-kubernetes-group-version-kind": identity,
                    "parameters": .array(parameters), "responses": .object([:]),
                ])
            }
            paths[path] = .object(["post": operation("post")])
            paths["\(path)/{name}"] = .object(["patch": operation("patch"), "put": operation("put")])
            schemas["\(group.isEmpty ? "core" : group).\(version).\(kind.kind)"] = .object([
                "type": .string("object"), "x-kubernetes-group-version-kind": .array([identity]),
                "x-kubernetes-preserve-unknown-fields": .bool(true),
            ])
        }
        return .object([
            "openapi": .string("3.0.0"),
            "info": .object(["title": .string("Kubernetes"), "version": .string("v1.36.2")]),
            "paths": .object(paths), "components": .object(["schemas": .object(schemas)]),
        ])
    }
}
