internal import CCurl
public import Observability
public import Platform

/// Sends requests over libcurl, all on one thread, `curl`: HTTP/2 where the server offers it, many requests on one
/// connection, else HTTP/1.1 with kept connections. Redirects are answers like others. Safe to use from any thread;
/// ends its thread when it goes, and what is under way then is cancelled.
public final class HTTPClient: Sendable {
    /// Requests of different groups never share a connection.
    public struct Group: Hashable, Sendable {
        public let rawValue: UInt8
        public init(_ rawValue: UInt8) { self.rawValue = rawValue }
    }

    private let mailbox: CurlMailbox

    /// - Throws: the system's error where it has no thread or descriptor left.
    public init(_ options: HTTPClientOptions, logger: Logger = .disabled) throws(Errno) {
        guard curlIsReady else { throw .outOfMemory }
        let mailbox = try CurlMailbox()
        (self.mailbox, self.options) = (mailbox, options)
        let window = options.freshWindow
        try Thread(named: "curl", wiping: true) { CurlLoop(mailbox, freshWindow: window, logger).run() }.detach()
    }

    deinit { mailbox.post(.stop) }

    /// What requests are sent with that bring no options of their own.
    public let options: HTTPClientOptions

    /// Sends a request and calls `completion` once, on the client's thread, which it must not block; in place where the
    /// client is closed. `options`: instead of the client's; a connection made with other trust or another identity is
    /// not used for it.
    public func start(
        _ request: HTTPRequest, group: Group = Group(0), options: HTTPClientOptions? = nil,
        completion: @escaping @Sendable (Result<HTTPResponse, TransportError>) -> Void
    ) {
        let start = TransferStart(request: request, options: options ?? self.options, group: group, isFresh: false)
        if !mailbox.post(.start(start, .whole(completion))) { completion(.failure(.closed)) }
    }

    /// Sends a request and waits for the whole answer. Not for the client's own thread, where it fails at once.
    public func perform(
        _ request: HTTPRequest, group: Group = Group(0), options: HTTPClientOptions? = nil
    ) throws(TransportError) -> HTTPResponse {
        guard !mailbox.isOwnThread else {
            throw TransportError(.other, "a request was waited for on the thread that would have sent it")
        }
        let result = Monitored<Result<HTTPResponse, TransportError>?>(nil)
        start(request, group: group, options: options) { answer in result.update { $0 = answer } }
        guard let answer = result.wait({ $0 }) else { throw .closed }
        return try answer.get()
    }

    /// Opens an answer that comes line by line. `options`: instead of the client's. `isFresh`: not on a connection that
    /// was there before. `limit`: bytes that may wait for the consumer; with more the stream is cut. `onActivity` is
    /// called on the client's thread, which it must not block, when there is something to take after nothing was.
    public func stream(
        _ request: HTTPRequest, group: Group = Group(0), options: HTTPClientOptions? = nil, isFresh: Bool = false,
        limit: Int = 8 << 20,
        onActivity: @escaping @Sendable () -> Void
    ) -> any HTTPStream {
        let lines = LineBuffer(limit: limit, onActivity: onActivity)
        let start = TransferStart(
            request: request, options: options ?? self.options, group: group, isFresh: isFresh)
        if !mailbox.post(.start(start, .lines(lines))) { lines.end(.failed(.closed)) }
        return LineStream(lines, mailbox)
    }

    /// Cancels what is under way, closes all connections and waits for the thread's end (not on that thread itself).
    public func close() {
        mailbox.post(.stop)
        mailbox.waitForEnd()
    }
}

extension TransportError {
    static let closed = TransportError(.cancelled, "the client was closed")
    static let cancelled = TransportError(.cancelled, "the request was cancelled")
}

/// libcurl's own preparation, once.
private let curlIsReady = sluice_curl_global() == 0
