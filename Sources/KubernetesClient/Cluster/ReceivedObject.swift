internal import FoundationEssentials
internal import KubernetesAPI
internal import Primitives

/// An object as a list or an event brings it: decoded once, with what the models do not have; or why it cannot be read.
struct ReceivedObject<Resource: KubernetesResource>: Decodable {
    let metadata: ReceivedMetadata
    let resource: Result<Resource, ObjectFault>
    /// Only of ``kindsWithStatus``.
    let status: JSONValue?
    /// Only of ``kindsWithNamelessStatus``.
    let conditionManagers: Set<String>

    private enum Field: String, CodingKey { case kind, metadata, status }

    /// - Throws: where it is no object of the kind: whoever sent it is not to be trusted with the rest either.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Field.self)
        // Items of a list may leave their kind out; `PartialObjectMetadata` is any kind without its content.
        let kind = try container.decodeIfPresent(String.self, forKey: .kind) ?? Resource.resourceKind.kind
        guard kind == Resource.resourceKind.kind || kind == "PartialObjectMetadata" else {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container, debugDescription: "must be \(Resource.resourceKind.kind)")
        }
        // One object without a name must not spoil the whole list.
        metadata = (try? container.decode(ReceivedMetadata.self, forKey: .metadata)) ?? ReceivedMetadata()
        do {
            resource = .success(try Resource(from: decoder))
        } catch {
            resource = .failure(ObjectFault(error, below: decoder.codingPath.count))
        }
        let keepsStatus = kindsWithStatus.contains(Resource.resourceKind.kind)
        status = keepsStatus ? try? container.decodeIfPresent(JSONValue.self, forKey: .status) : nil
        let isNameless = kindsWithNamelessStatus.contains(Resource.resourceKind.kind)
        conditionManagers = isNameless ? (try? ManagedStatus(from: decoder))?.managers ?? [] : []
    }

    var key: ObjectKey {
        let namespaced = Resource.resourceKind.namespaced
        return ObjectKey(namespace: namespaced ? metadata.namespace ?? "" : "", name: metadata.name ?? "")
    }
}

/// What an object says of itself beside the model: a bookmark has no more than a version and annotations.
struct ReceivedMetadata: Decodable {
    var name: String?
    var namespace: String?
    var uid: String?
    var resourceVersion: String?
    var generation: Int64?
}

/// Why an object cannot be read: a field and a sentence.
struct ObjectFault: Error, Hashable, Sendable, CustomStringConvertible {
    var field: String
    var message: String

    var description: String { field.isEmpty ? message : "\(field): \(message)" }

    init(field: String, message: String) { (self.field, self.message) = (field, message) }

    /// `below`: how many names of a decoding error's path lead to the object itself.
    init(_ error: any Error, below depth: Int = 0) {
        guard let error = error as? DecodingError else {
            self.init(field: "", message: String(describing: error))
            return
        }
        switch error {
        case .keyNotFound(let key, let context):
            self.init(field: Self.path(context.codingPath + [key], below: depth), message: "is required")
        case .valueNotFound(_, let context):
            self.init(field: Self.path(context.codingPath, below: depth), message: "must not be null")
        case .typeMismatch(let type, let context):
            self.init(field: Self.path(context.codingPath, below: depth), message: "must be \(Self.words(for: type))")
        case .dataCorrupted(let context):
            self.init(field: Self.path(context.codingPath, below: depth), message: context.debugDescription)
        @unknown default: self.init(field: "", message: String(describing: error))
        }
    }

    private static func path(_ keys: [any CodingKey], below depth: Int) -> String {
        keys.dropFirst(depth).reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? printable(key.stringValue) : ".\(printable(key.stringValue))"
            }
        }
    }

    private static func words(for type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type: "a whole number"
        case is Double.Type: "a number"
        case is any Collection.Type: "a list or a map"
        default: "an object"
        }
    }
}

/// The kinds that we write a status to.
let kindsWithStatus: Set<String> = [
    "Backend", "BackendPolicy", "BackendTLSPolicy", "ClientPolicy", "Gateway", "GatewayClass", "GatewayParameters",
    "ListenerSet", "TCPRoute", "TLSRoute",
]

/// A page of a list.
struct ListPage<Resource: KubernetesResource>: Decodable {
    var metadata: Metadata
    var items: [ReceivedObject<Resource>]?

    struct Metadata: Decodable {
        var resourceVersion: String?
        var `continue`: String?
    }
}

/// One line of a watch.
enum WatchEvent<Resource: KubernetesResource>: Decodable {
    case put(ReceivedObject<Resource>)
    case deleted(ReceivedObject<Resource>)
    case bookmark(resourceVersion: String, endsInitialEvents: Bool)
    case error(WatchStatus)
    /// A type that is not known.
    case unknown(String)

    private enum Field: String, CodingKey { case type, object }
    private enum ObjectField: String, CodingKey { case metadata }
    private struct BookmarkMetadata: Decodable {
        var resourceVersion: String
        var annotations: [String: String]?
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Field.self)
        switch try container.decode(String.self, forKey: .type) {
        case "ADDED", "MODIFIED": self = .put(try container.decode(ReceivedObject<Resource>.self, forKey: .object))
        case "DELETED": self = .deleted(try container.decode(ReceivedObject<Resource>.self, forKey: .object))
        case "BOOKMARK":
            let object = try container.nestedContainer(keyedBy: ObjectField.self, forKey: .object)
            let metadata = try object.decode(BookmarkMetadata.self, forKey: .metadata)
            self = .bookmark(
                resourceVersion: metadata.resourceVersion,
                endsInitialEvents: metadata.annotations?["k8s.io/initial-events-end"] == "true")
        case "ERROR": self = .error(try container.decode(WatchStatus.self, forKey: .object))
        case let type: self = .unknown(type)
        }
    }
}

/// A metav1.Status as it comes over the wire, as far as watches need it.
struct WatchStatus: Decodable {
    var code: Int?
    var reason: String?
    var message: String?
    var details: Details?

    struct Details: Decodable { var retryAfterSeconds: Int? }

    var status: APIStatus {
        APIStatus(
            code: code ?? 500, reason: reason ?? "", message: message ?? "",
            retryAfter: details?.retryAfterSeconds.map { .seconds(min(max($0, 0), 3600)) })
    }
}
