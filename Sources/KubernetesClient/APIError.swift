public import HTTPClient

/// Why a request failed.
public enum APIError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server answered with a Status object, or with a status code of 400 and more.
    case status(APIStatus)
    /// There was no answer.
    case transport(TransportError)
    /// The credentials could not be had: an exec plugin failed, a token file cannot be read. One sentence.
    case credentials(String)
    /// The answer is not what was asked for. One sentence that names the resource and the field.
    case malformed(String)

    public var description: String {
        switch self {
        case .status(let status): status.description
        case .transport(let error): error.description
        case .credentials(let text), .malformed(let text): text
        }
    }
}

/// What the server said (metav1.Status).
public struct APIStatus: Hashable, Sendable, CustomStringConvertible {
    /// HTTP status code.
    public var code: Int
    /// Such as `NotFound`, `Conflict`, `Expired`, `AlreadyExists`, `Forbidden`, `Invalid`; empty where the answer is no Status.
    public var reason: String
    public var message: String
    public var causes: [Cause]
    /// From details.retryAfterSeconds, or the header Retry-After.
    public var retryAfter: Duration?

    /// One fault of an object.
    public struct Cause: Hashable, Sendable {
        public var reason: String
        public var message: String
        public var field: String

        public init(reason: String, message: String, field: String) {
            (self.reason, self.message, self.field) = (reason, message, field)
        }
    }

    public init(code: Int, reason: String, message: String, causes: [Cause] = [], retryAfter: Duration? = nil) {
        (self.code, self.reason, self.message, self.causes) = (code, reason, message, causes)
        self.retryAfter = retryAfter
    }

    public var description: String {
        message.isEmpty ? "the API server answered \(code)\(reason.isEmpty ? "" : " \(reason)")" : message
    }
}
