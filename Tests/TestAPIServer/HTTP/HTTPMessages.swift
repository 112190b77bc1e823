/// A request as it came.
struct ServedRequest: Sendable {
    var method: String
    /// Percent-decoded, without the query.
    var path: [String]
    /// As it came: path and query.
    var target: String
    var query: [String: String]
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]

    /// Whether a query parameter says yes (`1`, `true`).
    func flag(_ name: String) -> Bool { query[name].map { $0 == "1" || $0 == "true" } ?? false }

    init?(method: String, target: String, headers: [String: String], body: [UInt8]) {
        (self.method, self.target, self.headers, self.body) = (method, target, headers, body)
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first else { return nil }
        path = first.split(separator: "/").map { decodePercent($0) }
        query = [:]
        for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count > 1 ? sides[1] : ""
            query[decodePercent(sides[0])] = decodePercent(value.replacing("+", with: " "))
        }
    }
}

func decodePercent(_ text: some StringProtocol) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"), rest.count >= 2,
            let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        {
            bytes.append(value)
            rest = rest.dropFirst(2)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// An answer with a body of known length.
struct ServedResponse: Sendable {
    var status: Int
    var headers: [(name: String, value: String)] = []
    var contentType = "application/json"
    var body: [UInt8] = []

    static func text(_ status: Int, _ text: String) -> ServedResponse {
        ServedResponse(status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// Head and body in one piece; the connection is kept unless `closes`.
    func bytes(closes: Bool) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(reason(status))\r\nCache-Control: no-cache, private\r\n"
        text += "Content-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n"
        for header in headers { text += "\(header.name): \(header.value)\r\n" }
        if closes { text += "Connection: close\r\n" }
        return Array(text.utf8) + Array("\r\n".utf8) + body
    }
}

func reason(_ status: Int) -> String {
    let reasons = [
        200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
        405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 415: "Unsupported Media Type",
        422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
        504: "Gateway Timeout",
    ]
    return reasons[status] ?? "Status"
}
