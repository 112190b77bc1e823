internal import FoundationEssentials
public import HTTPClient
internal import Primitives

extension APIStatus {
    /// What an answer of 400 and more, or an ERROR event, says. `body`: a Status object, or whatever a proxy on the way
    /// has written. `retryAfter`: the header Retry-After, in seconds.
    public init(code: Int, body: [UInt8], retryAfter header: String? = nil) {
        // Larger bodies than a Status ever has are nobody's message.
        let status = body.count > 256 << 10 ? nil : try? JSONDecoder().decode(WireStatus.self, from: Data(body))
        guard let status, status.kind == "Status" else {
            let text = String(decoding: body.prefix(300), as: UTF8.self).trimmed
            let words = text.isEmpty ? "" : ": " + printable(text, limit: 200)
            self.init(code: code, reason: "", message: "the API server answered \(code)\(words)")
            retryAfter = header.flatMap(duration(ofRetryAfter:))
            return
        }
        self.init(
            code: code != 0 ? code : status.code ?? 0, reason: status.reason ?? "",
            message: printable(status.message ?? "", limit: 2000),
            causes: (status.details?.causes ?? []).map {
                Cause(reason: $0.reason ?? "", message: $0.message ?? "", field: $0.field ?? "")
            })
        if let seconds = status.details?.retryAfterSeconds, seconds > 0 {
            retryAfter = .seconds(min(seconds, 3600))
        } else {
            retryAfter = header.flatMap(duration(ofRetryAfter:))
        }
    }

    /// Of an answer.
    public init(head: HTTPHead, body: [UInt8]) {
        self.init(code: head.status, body: body, retryAfter: head["Retry-After"])
    }
}

private struct WireStatus: Decodable {
    struct Cause: Decodable {
        var reason: String?
        var message: String?
        var field: String?
    }
    struct Details: Decodable {
        var causes: [Cause]?
        var retryAfterSeconds: Int?
    }

    var kind: String?
    var code: Int?
    var reason: String?
    var message: String?
    var details: Details?
}

/// Seconds; dates are not used by API servers, and proxies' dates need their clock.
private func duration(ofRetryAfter text: String) -> Duration? {
    guard let seconds = Int(text.trimmed), seconds >= 0 else { return nil }
    return .seconds(min(seconds, 3600))
}
