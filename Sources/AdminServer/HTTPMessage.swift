internal import Observability

/// A request. A body is not read: what is asked for is in the path and the query.
public struct HTTPRequest: Sendable {
    public enum Method: String, Sendable {
        /// HEAD too: the library leaves the body out.
        case get = "GET"
        /// Changes something. Carries ``actionField``.
        case post = "POST"
    }
    /// One part of the query: `name=value`, or `name` alone.
    public struct Parameter: Hashable, Sendable {
        public var name: String
        public var value: String?

        public init(_ name: String, _ value: String?) { (self.name, self.value) = (name, value) }
    }
    /// The header field that a POST carries, with any value. A page from elsewhere can send it only after a preflight, which
    /// is refused.
    public static let actionField = "X-Sluice-Action"

    public var method: Method
    /// Percent-decoded, without the query.
    public var path: String
    /// The query's parts in their order, decoded; a name may come more than once.
    public var parameters: [Parameter]
    /// The Host field as it was sent.
    var host: String?
    /// The Origin field: which page makes the browser ask; nil: no browser, or nobody else's page.
    var origin: String?
    /// What a browser says of the page that asks (`same-origin`, `same-site`, `cross-site`, `none`).
    var fetchSite: String?
    /// Of ``actionField``.
    var action: String?

    public init(_ method: Method = .get, path: String, parameters: [Parameter] = []) {
        (self.method, self.path, self.parameters) = (method, path, parameters)
    }

    /// Whether the query has a part of this name.
    public func has(_ name: String) -> Bool { parameters.contains { $0.name == name } }

    /// What the query gives a name, each time that it comes; empty text where it has no value.
    public func values(_ name: String) -> [String] {
        parameters.compactMap { $0.name == name ? $0.value ?? "" : nil }
    }

    /// The first of ``values(_:)``.
    public func value(_ name: String) -> String? { values(name).first }
}

public struct HTTPResponse: Sendable {
    public var status: UInt32
    public var contentType: String
    public var body: [UInt8]
    /// Beyond those that every answer carries.
    public var fields: [(name: String, value: String)] = []

    public init(status: UInt32 = 200, contentType: String, body: [UInt8]) {
        (self.status, self.contentType, self.body) = (status, contentType, body)
    }

    public static func text(_ text: String, status: UInt32 = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// `text` is JSON already.
    public static func json(_ text: String, status: UInt32 = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: Array(text.utf8))
    }

    /// `{"error": message, ...}` with lists of strings after it.
    public static func problem(_ status: UInt32, _ message: String, _ lists: KeyValuePairs<String, [String]> = [:])
        -> HTTPResponse
    {
        var body = Array(#"{"error":"#.utf8)
        JSONText.append(message, to: &body)
        for (name, items) in lists {
            body.append(contentsOf: ",".utf8)
            JSONText.append(name, to: &body)
            body.append(contentsOf: ":".utf8)
            JSONText.append(list: items, to: &body)
        }
        return HTTPResponse(status: status, contentType: "application/json", body: body + Array("}\n".utf8))
    }
}

/// One path of a server.
public struct HTTPRoute: Sendable {
    /// What it is asked by: GET (and HEAD), or POST.
    public let method: HTTPRequest.Method
    /// Matched exactly.
    public let path: String
    /// What is there, in a few words; the index page shows it.
    public let summary: String
    /// Called on the server's thread, one request at a time: others wait as long as it takes, so milliseconds. Must not stop
    /// its server.
    public let handler: @Sendable (HTTPRequest) -> HTTPResponse

    public init(
        _ path: String, _ summary: String, method: HTTPRequest.Method = .get,
        handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse
    ) {
        (self.method, self.path, self.summary, self.handler) = (method, path, summary, handler)
    }

    /// What the `Allow` field of a path says.
    var allowed: [String] { method == .get ? ["GET", "HEAD"] : ["POST"] }
}
