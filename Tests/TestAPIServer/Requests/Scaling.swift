internal import KubernetesAPI

extension ClusterState {
    /// The scale subresource (autoscaling/v1): `kubectl scale`.
    mutating func scale(_ request: ServedRequest, _ kind: ServedKind, _ path: ObjectPath) throws -> ServedResponse {
        guard let old = object(kind, path) else { throw APIStatus.notFound(kind, path.name) }
        guard request.method != "GET" else { return show(old) }
        let given = try JSONText.parse(request.body)
        guard let replicas = given.at("spec", "replicas")?.integer, replicas >= 0 else {
            throw APIStatus.badRequest("spec.replicas must be a number")
        }
        if let version = given.at("metadata", "resourceVersion")?.text, !version.isEmpty, Int64(version) != old.version
        {
            throw APIStatus.conflict(kind, path.name)
        }
        var options = try WriteOptions(request, version: kind.versions[0])
        options.isInternal = true
        let patch = JSONValue.object(["spec": .object(["replicas": .integer(replicas)])])
        let result = try self.patch(kind, path, subresource: nil, with: patch, by: options)
        return show(result.object)
    }

    private func show(_ object: StoredObject) -> ServedResponse {
        let labels = object.value.at("spec", "selector", "matchLabels")?.fields ?? [:]
        let selector = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text ?? "")" }
        var metadata: [String: JSONValue] = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[field] = object.value.at("metadata", field)
        }
        return ServedResponse(
            status: 200,
            body: JSONText.bytes(
                .object([
                    "kind": .string("Scale"), "apiVersion": .string("autoscaling/v1"), "metadata": .object(metadata),
                    "spec": .object(["replicas": object.value.at("spec", "replicas") ?? .integer(0)]),
                    "status": .object([
                        "replicas": object.value.at("status", "replicas") ?? .integer(0),
                        "selector": .string(selector.joined(separator: ",")),
                    ]),
                ])))
    }
}
