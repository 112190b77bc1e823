internal import FoundationEssentials
internal import KubernetesAPI
internal import KubernetesClient

/// Where an object, or a kind's objects, are in the API.
struct ObjectPath: Hashable, Sendable {
    /// Empty for the core group.
    var group: String
    var version: String
    var plural: String
    /// Empty for kinds of cluster scope, or for a list over all namespaces.
    var namespace = ""
    var name: String?
    var subresource: String?

    var text: String {
        var path = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        if !namespace.isEmpty { path += "/namespaces/\(namespace)" }
        path += "/\(plural)"
        if let name { path += "/\(name)" }
        if let subresource { path += "/\(subresource)" }
        return path
    }

    /// For metrics, such as `gateways/status`.
    var resource: String { subresource.map { "\(plural)/\($0)" } ?? plural }

    func request(_ method: APIRequest.Method, verb: String, _ body: JSONValue? = nil) -> APIRequest {
        var request = APIRequest(method, text, verb: verb, resource: resource)
        request.body = body.map(\.bytes)
        return request
    }

    func mergePatch(_ patch: JSONValue) -> APIRequest {
        var request = request(.patch, verb: "patch", patch)
        request.contentType = "application/merge-patch+json"
        return request
    }

    /// Deletes the object, only if it is still the one of this uid.
    func delete(uid: String?) -> APIRequest {
        var options: [String: JSONValue] = [
            "apiVersion": .string("v1"), "kind": .string("DeleteOptions"), "propagationPolicy": .string("Background"),
        ]
        if let uid { options["preconditions"] = .object(["uid": .string(uid)]) }
        return request(.delete, verb: "delete", .object(options))
    }
}

extension JSONValue {
    /// Reads JSON; nil where it is none.
    init?(bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
        self = value
    }

    /// Keys sorted. Only numbers that JSON does not know cannot be written; the API never sends any.
    var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}
