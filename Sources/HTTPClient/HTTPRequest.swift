/// One request. Values are sent as they are; nothing is escaped.
public struct HTTPRequest: Sendable {
    /// Such as `GET`, upper case.
    public var method: String
    /// Absolute, with scheme and query.
    public var url: String
    public var headers: [HTTPHeader]
    public var body: [UInt8]?
    /// From the call to the end of the answer; nil: no end, for streams.
    public var timeout: Duration?

    public init(
        _ method: String, _ url: String, headers: [HTTPHeader] = [], body: [UInt8]? = nil,
        timeout: Duration? = .seconds(30)
    ) {
        (self.method, self.url, self.headers, self.body, self.timeout) = (method, url, headers, body, timeout)
    }
}

/// A header field. Names are compared without regard to case (RFC 9110 §5.1).
public struct HTTPHeader: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) { (self.name, self.value) = (name, value) }
}

/// A whole answer.
public struct HTTPResponse: Sendable {
    public var head: HTTPHead
    public var body: [UInt8]

    public init(head: HTTPHead, body: [UInt8] = []) { (self.head, self.body) = (head, body) }
}

/// Status and header fields of an answer.
public struct HTTPHead: Hashable, Sendable {
    public var status: Int
    public var headers: [HTTPHeader]

    public init(status: Int, headers: [HTTPHeader] = []) { (self.status, self.headers) = (status, headers) }

    /// The first field of a name, whatever its case.
    public subscript(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Why there is no answer, or no whole one.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Name resolution or connecting failed.
        case unreachable
        case timeout
        /// The server's certificate, ours, or the handshake.
        case tls
        /// The connection ended before the answer did.
        case interrupted
        /// ``HTTPStream/cancel()``, or the client was closed.
        case cancelled
        case other
    }

    public var kind: Kind
    /// One sentence with libcurl's own words.
    public var description: String

    public init(_ kind: Kind, _ description: String) { (self.kind, self.description) = (kind, description) }
}
