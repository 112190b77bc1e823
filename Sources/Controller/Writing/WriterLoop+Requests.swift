internal import KubernetesAPI
internal import KubernetesClient

/// What the books say, as requests.
extension WriterLoop {
    var markerPath: ObjectPath {
        ObjectPath(
            group: "", version: "v1", plural: "configmaps", namespace: setup.settings.namespace,
            name: setup.settings.marker)
    }

    func request(_ write: StatusBook.Write) -> APIRequest {
        write.request(fieldManager: setup.settings.fieldManager)
    }

    func request(_ write: ServiceBook.Write) -> APIRequest {
        let path = ObjectPath(
            group: "", version: "v1", plural: "services", namespace: write.key.namespace, name: write.key.name)
        switch write.action {
        case .delete(let uid): return path.delete(uid: uid)
        case .apply(let object, let force, _):
            var request = path.request(.patch, verb: "patch", object)
            request.contentType = "application/apply-patch+yaml"
            request.query = [("fieldManager", setup.settings.fieldManager), ("force", force ? "true" : "false")]
            return request
        }
    }

    func request(_ write: EventBook.Write) -> APIRequest {
        var path = ObjectPath(group: "events.k8s.io", version: "v1", plural: "events", namespace: write.namespace)
        switch write.action {
        case .create(let object): return path.request(.post, verb: "create", object)
        case .count(let patch):
            path.name = write.name
            return path.mergePatch(patch)
        }
    }
}

extension StatusBook.Write {
    func request(fieldManager: String) -> APIRequest {
        let resource = target.kind.resource
        var path = ObjectPath(
            group: resource.group, version: version, plural: resource.plural, namespace: target.key.namespace,
            name: target.key.name)
        switch action {
        case .read: return path.request(.get, verb: "get")
        case .patch(let changes, let resourceVersion):
            path.subresource = "status"
            var request = path.mergePatch(
                .object([
                    "metadata": .object(["resourceVersion": .string(resourceVersion)]), "status": .object(changes),
                ]))
            request.query = [("fieldManager", fieldManager)]
            return request
        }
    }
}

extension ObservedStatus {
    /// The object in an answer.
    static func read(_ response: APIResponse, version: String) -> Result<ObservedStatus, APIError> {
        guard let object = JSONValue(bytes: response.body), let metadata = object["metadata"],
            let uid = metadata["uid"]?.text, let resourceVersion = metadata["resourceVersion"]?.text
        else { return .failure(.malformed("the answer to a request for an object is no object")) }
        return .success(
            ObservedStatus(
                uid: uid, resourceVersion: resourceVersion, generation: metadata["generation"]?.integer,
                version: version, status: object["status"]))
    }
}
