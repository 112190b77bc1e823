internal import Platform
public import Primitives

/// An HTTP/1.1 server of a test, plain or with TLS: hands each request to a closure on the connection's own thread.
public final class HTTPTestServer: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// Path and query as they came; `host:port` for CONNECT.
        public var target: String
        public var headers: [(name: String, value: String)]
        public var body: [UInt8]
        /// Which connection it came by, from 1.
        public var connection: Int

        /// The first field of a name, whatever its case.
        public subscript(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    /// Where an answer is written.
    public struct Answer: Sendable {
        public let stream: any TestStream

        /// A whole answer.
        public func send(_ status: Int, _ headers: [String] = [], body: String = "") throws {
            try stream.send(
                "HTTP/1.1 \(status) Test\r\n\(lines(headers))Content-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }

        /// The head of an answer that comes in chunks.
        public func begin(_ status: Int = 200, _ headers: [String] = []) throws {
            try stream.send("HTTP/1.1 \(status) Test\r\n\(lines(headers))Transfer-Encoding: chunked\r\n\r\n")
        }

        public func chunk(_ text: String) throws {
            try stream.send(Array("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n".utf8), timeout: .seconds(30))
        }

        public func end() throws { try stream.send("0\r\n\r\n") }

        private func lines(_ headers: [String]) -> String { headers.map { $0 + "\r\n" }.joined() }
    }

    public typealias Handler = @Sendable (Request, Answer) throws -> Void

    private struct State {
        var streams: [any TestStream] = []
        var requests: [Request] = []
        var failedHandshakes = 0
        var isClosed = false
    }

    public let address: SocketAddress
    public let isTLS: Bool
    private let state = Monitored(State())

    /// Port 0 is the kernel's choice.
    public init(
        tls: TLSServerOptions? = nil, on address: SocketAddress = SocketAddress(.loopbackV4, 0),
        _ handler: @escaping Handler
    ) throws {
        let state = state
        isTLS = tls != nil
        let accept: @Sendable () throws -> any TestStream
        if let tls {
            let server = try TLSTestServer(tls, on: address)
            self.address = server.address
            accept = { try server.accept(timeout: .milliseconds(200), handshake: .seconds(10)) }
        } else {
            let server = try PlainServer(on: address)
            self.address = server.address
            accept = { try server.accept(timeout: .milliseconds(200)) }
        }
        try Thread(named: "test-http") {
            while !state.update({ $0.isClosed }) {
                do {
                    try HTTPTestServer.serve(try accept(), state, handler)
                } catch StreamError.timedOut {
                } catch {
                    state.update { $0.failedHandshakes += 1 }
                }
            }
        }.detach()
    }

    deinit { close() }

    public var port: UInt16 { address.port }
    /// `https://127.0.0.1:1234`
    public var url: String { "\(isTLS ? "https" : "http")://\(address)" }
    public var connections: Int { state.update { $0.streams.count } }
    public var failedHandshakes: Int { state.update { $0.failedHandshakes } }
    /// Those whose whole request has come.
    public var requests: [Request] { state.update { $0.requests } }

    /// Stops accepting and ends all connections.
    public func close() {
        let streams = state.update { state in
            state.isClosed = true
            return state.streams
        }
        for stream in streams { stream.close() }
    }

    private static func serve(_ stream: any TestStream, _ state: Monitored<State>, _ handler: @escaping Handler) throws
    {
        let number = state.update { state in
            state.streams.append(stream)
            return state.streams.count
        }
        try Thread(named: "test-http-conn") {
            var pending: [UInt8] = []
            while let request = try? read(stream, number, &pending) {
                state.update { $0.requests.append(request) }
                do { try handler(request, Answer(stream: stream)) } catch { break }
            }
            stream.close()
        }.detach()
    }

    private static func read(_ stream: any TestStream, _ number: Int, _ pending: inout [UInt8]) throws -> Request? {
        while true {
            if let (request, length) = parse(pending, number) {
                pending.removeFirst(length)
                return request
            }
            let chunk = try stream.receive(max: 64 << 10, timeout: .seconds(120))
            if chunk.isEmpty { return nil }
            pending += chunk
        }
    }

    /// A whole request at the start of `bytes`, and its length.
    private static func parse(_ bytes: [UInt8], _ number: Int) -> (Request, Int)? {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else { return nil }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ").map(String.init)
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().map { line -> (name: String, value: String) in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (String(parts[0]), parts.count > 1 ? String(parts[1].drop { $0 == " " }) : "")
        }
        var request = Request(method: words[0], target: words[1], headers: headers, body: [], connection: number)
        let length = Int(request["Content-Length"] ?? "0") ?? 0
        let whole = end + mark.count + length
        guard bytes.count >= whole else { return nil }
        request.body = Array(bytes[(end + mark.count)..<whole])
        return (request, whole)
    }
}
