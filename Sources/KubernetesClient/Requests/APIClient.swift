public import HTTPClient
public import Observability
internal import Platform
internal import Primitives

/// Speaks to one API server. Completions are called from its thread `api-answers`, so that no caller can hold up the
/// bytes of others. Safe to use from any thread; ends its threads when it goes, or by ``close()``.
public final class APIClient: APIServer {
    public let configuration: ClientConfiguration
    /// Requests by verb, resource and code.
    public let counts = RequestCounts()
    private let http: HTTPClient
    private let credentials: CredentialStore
    private let answers: AnswerQueue
    private let logger: Logger

    /// Nothing is sent yet, and no file is read. `userAgent`: one string for all requests, such as
    /// `sluice/1.0 (linux/amd64)`. Throws `Errno` where the system has no thread or descriptor left.
    public convenience init(
        configuration: ClientConfiguration, userAgent: String, logger: Logger
    ) throws {
        try self.init(
            configuration: configuration, options: HTTPClientOptions(userAgent: userAgent), logger: logger,
            pluginTimeout: .seconds(60))
    }

    /// The same with every option of the connections; what the configuration says replaces theirs. `pluginTimeout`: how
    /// long a credential plugin may run; `pluginPause`: how long at least lies between two of its runs.
    public init(
        configuration: ClientConfiguration, options: HTTPClientOptions, logger: Logger, pluginTimeout: Duration,
        pluginPause: Duration = .seconds(1)
    ) throws {
        self.configuration = configuration
        self.logger = logger
        var options = options
        options.serverName = configuration.serverName
        options.isInsecure = configuration.isInsecure
        options.proxy = configuration.proxy
        http = try HTTPClient(options, logger: logger)
        credentials = CredentialStore(
            configuration, logger, pluginTimeout: pluginTimeout, pluginPause: pluginPause)
        answers = try AnswerQueue()
    }

    deinit { answers.stop() }

    /// Cancels what is under way and closes all connections. Later requests fail as cancelled.
    public func close() { http.close() }

    public func send(
        _ request: APIRequest, lane: Lane, completion: @escaping @Sendable (Result<APIResponse, APIError>) -> Void
    ) {
        let answers = answers
        credentials.current { [self] result in
            switch result {
            case .failure(let error):
                counts.add(verb: request.verb, resource: request.resource, status: nil)
                answers.post { completion(.failure(error)) }
            case .success(let credentials):
                attempt(request, lane, credentials, isSecond: false, completion)
            }
        }
    }

    public func stream(
        _ request: APIRequest, isFresh: Bool, onActivity: @escaping @Sendable () -> Void
    ) -> any HTTPStream {
        let stream = APIStream(request, counts, credentials, onActivity)
        credentials.current { [self] result in
            switch result {
            case .failure(let error): stream.fail(error)
            case .success(let credentials):
                let wire = wireRequest(request, credentials, timeout: nil)
                let options = connectionOptions(credentials)
                stream.begin(generation: credentials.generation) {
                    http.stream(wire, group: .watches, options: options, isFresh: isFresh, onActivity: onActivity)
                }
            }
        }
        return stream
    }

    /// Sends it once, and a second time where the first answer has led to other credentials or another authority.
    private func attempt(
        _ request: APIRequest, _ lane: Lane, _ used: Credentials, isSecond: Bool,
        _ completion: @escaping @Sendable (Result<APIResponse, APIError>) -> Void
    ) {
        let wire = wireRequest(request, used, timeout: request.timeout)
        let group: HTTPClient.Group = lane == .watches ? .watches : .writes
        http.start(wire, group: group, options: connectionOptions(used)) { [self] answer in
            answers.post { [self] in
                let result = interpret(answer)
                counts.add(
                    verb: request.verb, resource: request.resource, status: (try? answer.get())?.head.status)
                guard !isSecond, let isUnauthorized = result.asksForCredentials else { return completion(result) }
                credentials.refreshed(after: used.generation, isUnauthorized: isUnauthorized) { [self] renewed in
                    guard case .success(let renewed) = renewed, renewed.generation != used.generation else {
                        return completion(result)
                    }
                    attempt(request, lane, renewed, isSecond: true, completion)
                }
            }
        }
    }

    private func connectionOptions(_ credentials: Credentials) -> HTTPClientOptions {
        var options = http.options
        (options.trust, options.identity) = (credentials.trust, credentials.identity)
        return options
    }

    private func wireRequest(_ request: APIRequest, _ credentials: Credentials, timeout: Duration?) -> HTTPRequest {
        var url = configuration.server + request.path
        var separator = "?"
        for (name, value) in request.query {
            url += "\(separator)\(percentEncoded(name))=\(percentEncoded(value))"
            separator = "&"
        }
        var headers = credentials.headers
        headers.append(HTTPHeader("Accept", request.accept ?? "application/json"))
        if request.body != nil { headers.append(HTTPHeader("Content-Type", request.contentType ?? "application/json")) }
        return HTTPRequest(request.method.rawValue, url, headers: headers, body: request.body, timeout: timeout)
    }

    private func interpret(_ answer: Result<HTTPResponse, TransportError>) -> Result<APIResponse, APIError> {
        switch answer {
        case .failure(let error): return .failure(.transport(error))
        case .success(let response):
            guard !(200..<300).contains(response.head.status) else {
                return .success(APIResponse(head: response.head, body: response.body))
            }
            return .failure(.status(APIStatus(head: response.head, body: response.body)))
        }
    }
}

extension HTTPClient.Group {
    static let watches = HTTPClient.Group(0)
    static let writes = HTTPClient.Group(1)
}

extension Result where Success == APIResponse, Failure == APIError {
    /// Whether other credentials (true) or another authority (false) might help; nil: neither.
    fileprivate var asksForCredentials: Bool? {
        switch self {
        case .failure(.status(let status)) where status.code == 401: true
        case .failure(.transport(let error)) where error.kind == .tls: false
        default: nil
        }
    }
}
