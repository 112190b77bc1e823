internal import Observability

/// A request without a body: GET or HEAD.
public struct HTTPRequest: Sendable {
    /// Percent-decoded, without the query.
    public let path: String
    /// The Host field as it was sent.
    public let host: String?
    /// Whether the query asks for more (`?verbose`).
    public let isVerbose: Bool
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
    static func problem(_ status: UInt32, _ message: String, _ lists: KeyValuePairs<String, [String]> = [:])
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
    /// Matched exactly.
    public let path: String
    /// What is there, in a few words; the index page shows it.
    public let summary: String
    /// Called on the server's thread, one request at a time; returns within milliseconds and must not stop its server.
    public let handler: @Sendable (HTTPRequest) -> HTTPResponse

    public init(_ path: String, _ summary: String, handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse) {
        (self.path, self.summary, self.handler) = (path, summary, handler)
    }
}
