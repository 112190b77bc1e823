public import HTTPClient

/// The requests that an API server answers. ``APIClient`` sends them; tests have their own. Safe to use from any thread.
public protocol APIServer: Sendable {
    /// Sends a request and calls `completion` once, from a thread of the client that must not be kept: hand the result
    /// over to your own. Nothing is retried. Requests of ``Lane/watches`` and ``Lane/writes`` never share a connection.
    func send(
        _ request: APIRequest, lane: Lane, completion: @escaping @Sendable (Result<APIResponse, APIError>) -> Void)

    /// Opens a watch, or a streaming list. `onActivity` is called from a thread of the client when there is something
    /// to take: it only wakes the consumer. `isFresh`: on a connection of its own, because the last one stalled.
    func stream(_ request: APIRequest, isFresh: Bool, onActivity: @escaping @Sendable () -> Void) -> any HTTPStream
}

/// Which connections a request may use: Lease and writes never wait behind a list.
public enum Lane: Hashable, Sendable {
    case watches
    case writes
}

/// A request to the API server, before authentication and server address are added.
public struct APIRequest: Hashable, Sendable {
    public enum Method: String, Hashable, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    public var method: Method
    /// Absolute path, percent-encoded where needed, such as `/api/v1/namespaces/default/services`.
    public var path: String
    /// Names and values, not yet percent-encoded.
    public var query: [(name: String, value: String)] = []
    /// `application/json` unless it is a patch of another type.
    public var contentType: String?
    /// `application/json` unless another form is wanted (aggregated discovery, partial metadata).
    public var accept: String?
    public var body: [UInt8]?
    /// For metrics (`sluice_kubernetes_requests_total`): `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    public var verb: String
    /// For metrics: the plural, such as `gateways`; a subresource is added as `gateways/status`.
    public var resource: String
    /// From the call to the end of the answer. Streams have none.
    public var timeout = Duration.seconds(30)

    public init(_ method: Method, _ path: String, verb: String, resource: String) {
        (self.method, self.path, self.verb, self.resource) = (method, path, verb, resource)
    }

    public static func == (left: APIRequest, right: APIRequest) -> Bool {
        left.method == right.method && left.path == right.path && left.contentType == right.contentType
            && left.accept == right.accept && left.body == right.body
            && left.query.elementsEqual(right.query, by: ==)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(method)
        hasher.combine(path)
    }
}

/// An answer with a status of 200–299.
public struct APIResponse: Sendable {
    public var head: HTTPHead
    public var body: [UInt8]

    public init(head: HTTPHead, body: [UInt8]) { (self.head, self.body) = (head, body) }
}
