import Platform
import Primitives

/// A connection to a server under test, byte by byte.
struct RawClient: ~Copyable {
    enum Problem: Error { case timedOut, noResponse(String) }

    private let socket: FileDescriptor

    init(_ address: SocketAddress) throws { socket = try StreamSocket.connect(to: .ip(address)) }

    func send(_ text: String) throws { try socket.writeAll(Array(text.utf8)) }

    /// Everything until the server closes.
    func readToEnd(timeout: Duration = .seconds(20)) throws -> String {
        let deadline = MonotonicTime.now() + timeout
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let left = deadline - .now()
            guard left > .zero, !(try pollReadable([socket.raw], timeout: left)).isEmpty else { throw Problem.timedOut }
            var count = 0
            do {
                count = try chunk.withUnsafeMutableBytes { try socket.read(into: $0) }
            } catch let error as Errno where error == .connectionReset {
                count = 0
            }
            if count == 0 { return String(decoding: content, as: UTF8.self) }
            content += chunk[..<count]
        }
    }
}

/// An answer taken apart.
struct RawResponse {
    let status: Int
    /// By lower-case name.
    let fields: [String: String]
    let body: String

    init(_ text: String) throws {
        guard let end = text.firstRange(of: "\r\n\r\n") else { throw RawClient.Problem.noResponse(text) }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw RawClient.Problem.noResponse(text)
        }
        self.status = status
        fields = Dictionary(
            lines.dropFirst().compactMap { line in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                return (line[..<colon].lowercased(), String(value))
            }
        ) { "\($0), \($1)" }
        body = String(text[end.upperBound...])
    }

    /// One request on a connection of its own. `fields`: whole lines.
    static func of(
        _ method: String, _ path: String, from address: SocketAddress, host: String = "localhost",
        _ fields: [String] = [], body: String = ""
    ) throws -> RawResponse {
        let client = try RawClient(address)
        let lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)"] + fields
        try client.send(lines.map { $0 + "\r\n" }.joined() + "\r\n" + body)
        return try RawResponse(try client.readToEnd())
    }
}
