@testable internal import AdminServer
@testable internal import Commands
internal import EngineModel
internal import FoundationEssentials
internal import Inspection
internal import Platform
internal import Primitives

/// An admin address whose handlers note what they were given, and select among two connections.
final class AdminUnderTest: Sendable {
    /// One for the process: a server is a thread.
    static let shared = Result { try AdminUnderTest() }

    private let server: AdminServer
    private let seen = Locked<[HTTPRequest]>([])

    private init() throws {
        let seen = seen
        let connections = try AdminUnderTest.connections()
        func route(
            _ path: String, _ method: HTTPRequest.Method, _ answer: @escaping @Sendable (HTTPRequest) -> HTTPResponse
        )
            -> HTTPRoute
        {
            HTTPRoute(path, "", method: method) { request in
                seen.withLock { $0.append(request) }
                return answer(request)
            }
        }
        server = try AdminServer(
            address: SocketAddress(.loopbackV4, 0),
            routes: [
                route("/connections", .get) { AdminUnderTest.list($0, connections) },
                route("/connections/close", .post) { AdminUnderTest.list($0, connections) },
                route("/a b", .get) { .text($0.path) },
            ]
        ) { "{}" }
    }

    private static func connections() throws -> [ConnectionInfo] {
        guard let client = SocketAddress("10.1.2.3:4711"), let peer = SocketAddress("[2001:db8::1]:5000") else {
            return []
        }
        return [
            ConnectionInfo(id: 1, state: .inspecting, client: peer, peer: peer, age: .zero, idle: .zero),
            ConnectionInfo(
                id: 2, state: .relaying,
                listener: ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: "a"),
                port: 443, endpoint: "10.9.0.7:6379", attempts: 1, client: client, peer: peer, proxyProtocolVersion: 2,
                proxyUniqueID: "lb-7", serverName: "a.example", tlsVersion: "TLSv1.3", alpn: "h2", age: .seconds(90),
                idle: .seconds(1), requestBytes: 5, responseBytes: 7),
        ]
    }

    /// As the admin address does with its engine's connections.
    private static func list(_ request: HTTPRequest, _ connections: [ConnectionInfo]) -> HTTPResponse {
        let order = ["limit", "sort", "order"]
        let named = request.parameters.map { (name: $0.name, value: $0.value ?? "") }
        do throws(ConnectionFilter.Problem) {
            let filter = try ConnectionFilter(named.filter { !order.contains($0.name) })
            var selection = ConnectionSelection(try ConnectionOrder(named.filter { order.contains($0.name) }))
            for connection in connections where filter.admits(connection) {
                selection.offer(ConnectionView(connection))
            }
            return HTTPResponse(contentType: "application/json", body: selection.list().json)
        } catch {
            return .problem(400, error.message)
        }
    }

    /// Sends a request on a connection of its own, and its end behind it; the answer, and what handlers were given.
    func answer(to request: [UInt8], inPiecesOf size: Int) throws -> (answer: AdminAnswer, seen: [HTTPRequest]) {
        seen.withLock { $0 = [] }
        let socket = try StreamSocket.connect(to: .ip(server.address))
        var rest = request[...]
        // The server may answer and close before it has read everything.
        while !rest.isEmpty, (try? socket.writeAll(Array(rest.prefix(max(1, size))))) != nil {
            rest = rest.dropFirst(max(1, size))
        }
        // The library (0.9.75) does not see an end that came together with part of a request: such a connection waits for its
        // idle time of 10 s to be over.
        _ = try pollReadable([socket.raw], timeout: .milliseconds(50))
        try? StreamSocket.shutdownWrite(socket)
        let deadline = MonotonicTime.now() + .seconds(30)
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let left = deadline - .now()
            guard left > .zero else { throw BrokenInvariant(description: "neither an answer nor an end") }
            // A signal ends the waiting, too: libFuzzer has a timer.
            guard !(try pollReadable([socket.raw], timeout: left)).isEmpty else { continue }
            let count = (try? chunk.withUnsafeMutableBytes { try socket.read(into: $0) }) ?? 0
            if count == 0 { break }
            content += chunk[..<count]
        }
        return (AdminAnswer(content), seen.withLock { $0 })
    }
}

/// An answer taken apart.
struct AdminAnswer {
    let text: String
    let status: Int
    let body: [UInt8]
    private let head: [Substring]

    init(_ bytes: [UInt8]) {
        text = String(decoding: bytes, as: UTF8.self)
        let end = Array("\r\n\r\n".utf8)
        let split = bytes.indices.first { bytes[$0...].starts(with: end) } ?? bytes.count
        body = Array(bytes.dropFirst(split + end.count))
        head = String(decoding: bytes[..<split], as: UTF8.self).split(separator: "\r\n")
        let words = head.first?.split(separator: " ") ?? []
        status = words.count >= 2 && words[0] == "HTTP/1.1" ? Int(words[1]) ?? -1 : -1
    }

    /// By the name in lower case; nil where it is not there.
    func field(_ name: String) -> String? {
        for line in head.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else { continue }
            return String(line[line.index(after: colon)...].drop { $0 == " " })
        }
        return nil
    }
}

/// Whether the bytes are JSON.
func isJSON(_ bytes: [UInt8]) -> Bool {
    struct Anything: Decodable { init(from decoder: any Decoder) {} }
    return (try? JSONDecoder().decode(Anything.self, from: Data(bytes))) != nil
}
