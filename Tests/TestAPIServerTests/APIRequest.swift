import KubernetesAPI
import Platform
import Primitives
import TestAPIServer
import TestSupport

/// What a server answered, read to its end.
struct APIAnswer {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: [UInt8]

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> JSONValue { try JSONText.parse(body) }

    /// The events of a watch.
    func events() throws -> [JSONValue] {
        try body.split(separator: 0x0a).map { try JSONText.parse(Array($0)) }
    }
}

/// One request on a connection of its own, written by hand: nothing of the server's code reads the answer.
func send(
    _ method: String, _ target: String, to server: TestAPIServer, headers: [String: String] = [:],
    body: String? = nil, timeout: Duration = .seconds(20)
) throws -> APIAnswer {
    let connection = try PlainClient(to: server.address)
    defer { connection.close() }
    try connection.send(requestText(method, target, headers: headers, body: body))
    return try parse(try connection.receiveAll(timeout: timeout))
}

func requestText(_ method: String, _ target: String, headers: [String: String] = [:], body: String? = nil) -> String {
    var text = "\(method) \(target) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
    var all = ["User-Agent": "sluice/test"]
    if body != nil { all["Content-Type"] = "application/json" }
    for (name, value) in all.merging(headers, uniquingKeysWith: { $1 }) { text += "\(name): \(value)\r\n" }
    if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
    return text + "\r\n" + (body ?? "")
}

func parse(_ bytes: [UInt8]) throws -> APIAnswer {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let head = text.split(separator: "\r\n\r\n", maxSplits: 1).first else {
        throw TestFailure("no answer: \(text.prefix(200))")
    }
    let lines = head.split(separator: "\r\n")
    let words = lines[0].split(separator: " ")
    guard words.count > 1, let status = Int(words[1]) else { throw TestFailure("no status in \(lines[0])") }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
        let sides = line.split(separator: ":", maxSplits: 1)
        headers[sides[0].lowercased()] = sides.count > 1 ? String(sides[1].drop { $0 == " " }) : ""
    }
    var body = Array(bytes.dropFirst(head.utf8.count + 4))
    if headers["transfer-encoding"] == "chunked" { body = try unchunked(body) }
    return APIAnswer(status: status, headers: headers, body: body)
}

/// Joins chunks; ends early where the last chunk is missing.
func unchunked(_ bytes: [UInt8]) throws -> [UInt8] {
    var rest = bytes[...]
    var body: [UInt8] = []
    while let end = rest.firstIndex(of: 0x0a) {
        let line = String(decoding: rest[..<end].filter { $0 != 0x0d }, as: UTF8.self)
        guard let size = Int(line, radix: 16) else { throw TestFailure("bad chunk size \(line)") }
        if size == 0 { break }
        let start = end + 1
        body += rest[start..<min(start + size, rest.endIndex)]
        rest = rest[min(start + size + 2, rest.endIndex)...]
    }
    return body
}
