internal import HTTPClient
internal import Observability
internal import Platform

/// Posts batches (CloudEvents, HTTP protocol binding 1.0.2, batched content mode).
struct HTTPSink: EventSink {
    let name: String
    private let url: String
    private let tokenFile: String?
    private let client: HTTPClient

    static let contentType = "application/cloudevents-batch+json; charset=utf-8"
    /// For an answer.
    static let patience = Duration.seconds(30)
    /// The longest that a receiver may ask us to wait.
    static let longestPause = Duration.seconds(300)

    init(_ url: String, _ settings: EventSettings, logger: Logger) throws(EventStreamFailure) {
        let scheme = url.lowercased().hasPrefix("https://") ? "https" : "http"
        let authority = url.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
        guard !authority.isEmpty, !authority.contains("@") else {
            throw EventStreamFailure("the URL of the event sink holds no host, or a user or password")
        }
        // A query may hold a key.
        name = String(url.prefix { $0 != "?" && $0 != "#" })
        if settings.tokenFile != nil, scheme == "http", !HTTPSink.isLoopback(authority) {
            throw EventStreamFailure("the token for the event sink would go over plain HTTP: use https")
        }
        var options = HTTPClientOptions(userAgent: settings.userAgent)
        if let path = settings.authorities { options.trust = .file(path) }
        options.responseLimit = 1 << 20
        (self.url, tokenFile) = (url, settings.tokenFile)
        do throws(Errno) { client = try HTTPClient(options, logger: logger) } catch {
            throw EventStreamFailure("the client for the event sink: \(error)")
        }
    }

    private static func isLoopback(_ authority: Substring) -> Bool {
        let host = authority.lowercased()
        return host == "localhost" || host.hasPrefix("localhost:") || host.hasPrefix("127.") || host.hasPrefix("[::1]")
    }

    func cancel() { client.close() }

    func deliver(_ lines: [UInt8]) -> Delivery {
        var request = HTTPRequest(
            "POST", url, headers: [HTTPHeader("Content-Type", HTTPSink.contentType)], body: HTTPSink.batch(lines),
            timeout: HTTPSink.patience)
        if let tokenFile {
            guard let token = HTTPSink.token(tokenFile) else {
                return .failed("the token of \(tokenFile) cannot be read", after: nil)
            }
            request.headers.append(HTTPHeader("Authorization", "Bearer \(token)"))
        }
        do throws(TransportError) {
            return HTTPSink.judge(try client.perform(request).head)
        } catch { return .failed(error.description, after: nil) }
    }

    /// A JSON array of lines.
    static func batch(_ lines: [UInt8]) -> [UInt8] {
        var body = lines
        for index in body.indices where body[index] == UInt8(ascii: "\n") { body[index] = UInt8(ascii: ",") }
        body.insert(UInt8(ascii: "["), at: 0)
        body[body.count - 1] = UInt8(ascii: "]")
        return body
    }

    /// One line without blanks; nil where there is none.
    private static func token(_ path: String) -> String? {
        guard let bytes = try? readFile(path, limit: 64 << 10) else { return nil }
        let words = bytes.split { $0 <= 0x20 }
        guard words.count == 1, words[0].allSatisfy({ $0 < 0x7f }) else { return nil }
        return String(decoding: words[0], as: UTF8.self)
    }

    /// Only a 2xx is an acknowledgement. What speaks of the events rather than of the server or of us is a refusal.
    private static func judge(_ head: HTTPHead) -> Delivery {
        switch head.status {
        case 200..<300: .done
        case 400, 413, 422: .refused("status \(head.status)")
        default: .failed("status \(head.status)", after: pause(head["Retry-After"]))
        }
    }

    /// In seconds; dates are not read.
    private static func pause(_ value: String?) -> Duration? {
        guard let value, let seconds = Int(value), seconds >= 0 else { return nil }
        return min(.seconds(min(seconds, 86_400)), longestPause)
    }
}
