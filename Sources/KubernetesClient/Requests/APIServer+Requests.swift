internal import FoundationEssentials
public import KubernetesAPI
internal import Platform

/// What the server has of an object after a request.
public struct APIObject: Sendable {
    public var uid: String
    /// Opaque.
    public var resourceVersion: String
    public var generation: Int64?
    /// JSON.
    public var body: [UInt8]

    /// - Throws: `malformed` where the answer is no object.
    init(_ response: APIResponse, _ request: APIRequest) throws(APIError) {
        struct Envelope: Decodable {
            struct Metadata: Decodable {
                var uid: String?
                var resourceVersion: String?
                var generation: Int64?
            }
            var metadata: Metadata
        }
        let envelope = try decoded(Envelope.self, response.body, request)
        uid = envelope.metadata.uid ?? ""
        resourceVersion = envelope.metadata.resourceVersion ?? ""
        generation = envelope.metadata.generation
        body = response.body
    }

    /// The object as a model of ours, or as ``JSONValue``.
    public func decode<Model: Decodable>(_ type: Model.Type) throws(APIError) -> Model {
        try decodedJSON(type, body, "the object in the answer")
    }
}

/// One list, of all of its pages.
public struct APIList<Item: Sendable>: Sendable {
    public var items: [Item]
    /// Of the list: what a watch begins at. Opaque.
    public var resourceVersion: String

    public init(items: [Item], resourceVersion: String) {
        (self.items, self.resourceVersion) = (items, resourceVersion)
    }
}

/// How an object is changed.
public enum PatchKind: Hashable, Sendable {
    /// JSON merge patch (RFC 7386).
    case merge
    /// Server-side apply. `force`: fields that others manage are taken over.
    case apply(fieldManager: String, force: Bool)
}

// Requests that wait for their answer: for threads that may block, never for a thread of the client.
extension APIServer {
    /// Sends a request, again where that may help, and waits. `isRepeatable`: doing it twice is as good as once.
    public func perform(
        _ request: APIRequest, lane: Lane = .writes, retry: RetryPolicy = .standard, isRepeatable: Bool = true
    ) throws(APIError) -> APIResponse {
        let start = retry.now()
        var attempt = 1
        while true {
            do throws(APIError) {
                return try sendAndWait(request, lane)
            } catch {
                let (mayRetry, asked) = error.recovery(isRepeatable: isRepeatable)
                guard mayRetry, let delay = retry.delay(after: attempt, asked: asked, since: start) else { throw error }
                retry.sleep(delay)
                attempt += 1
            }
        }
    }

    private func sendAndWait(_ request: APIRequest, _ lane: Lane) throws(APIError) -> APIResponse {
        let result = Monitored<Result<APIResponse, APIError>?>(nil)
        send(request, lane: lane) { answer in result.update { $0 = answer } }
        guard let answer = result.wait({ $0 }) else { throw .malformed("no answer") }
        return try answer.get()
    }

    /// One object.
    public func get(
        _ kind: ResourceKind, _ key: ObjectKey, lane: Lane = .writes, retry: RetryPolicy = .standard
    ) throws(APIError) -> APIObject {
        let request = APIRequest(.get, kind.path(of: key), verb: "get", resource: kind.plural)
        return try APIObject(try perform(request, lane: lane, retry: retry), request)
    }

    /// A new object; `object` is encoded as JSON. Where the answer is lost nothing is repeated: it may exist then.
    /// `fieldManager`: who is noted as the owner of its fields; nil: the server takes the user agent's name.
    public func create(
        _ kind: ResourceKind, namespace: String = "", _ object: some Encodable, fieldManager: String? = nil,
        retry: RetryPolicy = .standard
    ) throws(APIError) -> APIObject {
        var request = APIRequest(.post, kind.path(namespace: namespace), verb: "create", resource: kind.plural)
        request.body = try encoded(object)
        if let fieldManager { request.query = [("fieldManager", fieldManager)] }
        return try APIObject(try perform(request, retry: retry, isRepeatable: false), request)
    }

    /// Replaces an object; its metadata.resourceVersion, where it has one, must be the server's.
    public func update(
        _ kind: ResourceKind, _ key: ObjectKey, _ object: some Encodable, subresource: String? = nil,
        fieldManager: String? = nil, retry: RetryPolicy = .standard
    ) throws(APIError) -> APIObject {
        var request = APIRequest(
            .put, kind.path(of: key, subresource: subresource), verb: "update",
            resource: counted(kind, subresource))
        request.body = try encoded(object)
        if let fieldManager { request.query = [("fieldManager", fieldManager)] }
        return try APIObject(try perform(request, retry: retry), request)
    }

    /// Changes an object, or with `subresource` its status. `patch` is encoded as JSON.
    public func patch(
        _ kind: ResourceKind, _ key: ObjectKey, _ patchKind: PatchKind, _ patch: some Encodable,
        subresource: String? = nil, retry: RetryPolicy = .standard
    ) throws(APIError) -> APIObject {
        var request = APIRequest(
            .patch, kind.path(of: key, subresource: subresource), verb: "patch", resource: counted(kind, subresource))
        switch patchKind {
        case .merge: request.contentType = "application/merge-patch+json"
        case .apply(let fieldManager, let force):
            request.contentType = "application/apply-patch+yaml"
            request.query = [("fieldManager", fieldManager), ("force", force ? "true" : "false")]
        }
        request.body = try encoded(patch)
        return try APIObject(try perform(request, retry: retry), request)
    }

    /// Deletes an object. False: there was none, or none of that uid. `uid`: only the object that has it; another one of
    /// the same name stays. `resourceVersion`: only in this version; a newer one is refused with a conflict.
    @discardableResult
    public func delete(
        _ kind: ResourceKind, _ key: ObjectKey, uid: String? = nil, resourceVersion: String? = nil,
        retry: RetryPolicy = .standard
    ) throws(APIError) -> Bool {
        var request = APIRequest(.delete, kind.path(of: key), verb: "delete", resource: kind.plural)
        var preconditions: [String: JSONValue] = [:]
        if let uid { preconditions["uid"] = .string(uid) }
        if let resourceVersion { preconditions["resourceVersion"] = .string(resourceVersion) }
        if !preconditions.isEmpty {
            request.body = try encoded(
                JSONValue.object([
                    "kind": .string("DeleteOptions"), "apiVersion": .string("v1"),
                    "preconditions": .object(preconditions),
                ]))
        }
        do throws(APIError) {
            _ = try perform(request, retry: retry)
            return true
        } catch {
            guard case .status(let status) = error else { throw error }
            if status.code == 404 { return false }
            if status.code == 409, uid != nil, resourceVersion == nil { return false }
            throw error
        }
    }

    private func counted(_ kind: ResourceKind, _ subresource: String?) -> String {
        subresource.map { "\(kind.plural)/\($0)" } ?? kind.plural
    }
}

/// JSON with its fields in order, so that equal objects are equal bytes.
func encoded(_ object: some Encodable) throws(APIError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
        return Array(try encoder.encode(object))
    } catch {
        throw .malformed("a request cannot be written as JSON: \(error)")
    }
}

func decoded<Model: Decodable>(_ type: Model.Type, _ body: [UInt8], _ request: APIRequest) throws(APIError) -> Model {
    try decodedJSON(type, body, "the answer to \(request.verb) \(request.resource)")
}

func decodedJSON<Model: Decodable>(_ type: Model.Type, _ body: [UInt8], _ what: String) throws(APIError) -> Model {
    do {
        return try JSONDecoder().decode(type, from: Data(body))
    } catch let error as DecodingError {
        throw .malformed("\(what): \(error.place)")
    } catch {
        throw .malformed("\(what) is no JSON")
    }
}

extension DecodingError {
    /// The field and what is wrong with it; never its value, which may be secret.
    fileprivate var place: String {
        switch self {
        case .typeMismatch(_, let context): "\(context.field) is of another type than expected"
        case .valueNotFound(_, let context): "\(context.field) has no value"
        case .keyNotFound(let key, let context): "\((context.codingPath + [key]).text) is missing"
        case .dataCorrupted(let context): "\(context.field) cannot be read"
        @unknown default: "cannot be read"
        }
    }
}

extension DecodingError.Context {
    fileprivate var field: String { codingPath.isEmpty ? "the whole" : codingPath.text }
}

extension [any CodingKey] {
    /// `metadata.labels.a`, `items[3].metadata.name`
    fileprivate var text: String {
        reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }
}
