internal import Primitives
internal import TestSupport

/// An answer of the probe or admin server.
struct HTTPAnswer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: String

    init(_ text: String) throws {
        guard let end = text.firstRange(of: "\r\n\r\n") else { throw TestFailure("no HTTP answer: \(text)") }
        let head = text[..<end.lowerBound].split(separator: "\r\n")
        let words = head.first?.split(separator: " ") ?? []
        guard words.count >= 2, let status = Int(words[1]) else { throw TestFailure("no HTTP answer: \(text)") }
        self.status = status
        headers = Dictionary(
            head.dropFirst().compactMap { line in
                line.firstIndex(of: ":").map {
                    (line[..<$0].lowercased(), String(line[line.index(after: $0)...].drop { $0 == " " }))
                }
            }, uniquingKeysWith: { $1 })
        body = String(text[end.upperBound...])
    }
}

/// GET over a connection of its own.
func get(_ path: String, from address: SocketAddress, timeout: Duration = .seconds(5)) throws -> HTTPAnswer {
    let client = try PlainClient(to: address, timeout: timeout)
    try client.send("GET \(path) HTTP/1.0\r\nHost: \(address)\r\n\r\n")
    return try HTTPAnswer(String(decoding: try client.receiveAll(timeout: timeout), as: UTF8.self))
}
