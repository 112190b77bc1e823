import HTTPClient
import Platform
import Primitives
import TestSupport
import Testing

@Suite("HTTP client's connections", .timeLimit(.minutes(1)))
struct ConnectionTests {
    var options = HTTPClientOptions(userAgent: "sluice/test")

    private func failure(_ client: HTTPClient, _ request: HTTPRequest) throws -> TransportError {
        try #require(throws: TransportError.self) { try client.perform(request) }
    }

    @Test("nobody listens: unreachable, with the address")
    func refused() throws {
        let port = try Ports.free()
        let client = try HTTPClient(options)
        let error = try failure(client, HTTPRequest("GET", "http://127.0.0.1:\(port)/secret-path"))
        #expect(error.kind == .unreachable)
        #expect(error.description.hasPrefix("http://127.0.0.1:\(port): "))
        #expect(!error.description.contains("secret-path"))
    }

    @Test("a name that does not exist: unreachable")
    func unknownName() throws {
        let client = try HTTPClient(options)
        #expect(try failure(client, HTTPRequest("GET", "http://no-such-host.invalid/")).kind == .unreachable)
    }

    @Test("a server that does not answer: the request's time-out, and the next request is not held up")
    func timeout() throws {
        let server = try HTTPTestServer { request, answer in
            if request.target == "/slow" { Thread.holdUntilClosed(answer) } else { try answer.send(200) }
        }
        let client = try HTTPClient(options)
        let error = try failure(client, HTTPRequest("GET", server.url + "/slow", timeout: .milliseconds(50)))
        #expect(error.kind == .timeout)
        #expect(try client.perform(HTTPRequest("GET", server.url + "/")).head.status == 200)
        client.close()
    }

    @Test("a handshake that nobody answers: the connect time-out")
    func connectTimeout() throws {
        let silent = try PlainServer()
        var options = options
        options.connectTimeout = .milliseconds(50)
        let client = try HTTPClient(options)
        #expect(try failure(client, HTTPRequest("GET", "https://127.0.0.1:\(silent.port)/")).kind == .timeout)
    }

    @Test("a redirect is an answer: credentials are sent to nobody else")
    func redirect() throws {
        let other = try HTTPTestServer { _, answer in try answer.send(200) }
        let server = try HTTPTestServer { _, answer in try answer.send(302, ["Location: \(other.url)/"]) }
        let client = try HTTPClient(options)
        let request = HTTPRequest("GET", server.url + "/", headers: [HTTPHeader("Authorization", "Bearer x")])
        #expect(try client.perform(request).head.status == 302)
        #expect(other.connections == 0)
    }

    @Test("bodies and headers beyond their limits are refused")
    func limits() throws {
        let server = try HTTPTestServer { request, answer in
            if request.target == "/body" {
                try answer.send(200, body: String(repeating: "x", count: 2000))
            } else {
                try answer.send(200, ["X-Long: " + String(repeating: "x", count: 5000)])
            }
        }
        var options = options
        (options.responseLimit, options.headerLimit) = (1000, 4096)
        let client = try HTTPClient(options)
        #expect(
            try failure(client, HTTPRequest("GET", server.url + "/body")).description
                == "the answer is larger than 1000 bytes")
        #expect(
            try failure(client, HTTPRequest("GET", server.url + "/head")).description
                == "the header of the answer is larger than 4096 bytes")
    }

    @Test("a line end in a header field, a user in the URL, and another scheme are not sent")
    func refusedRequests() throws {
        let client = try HTTPClient(options)
        let split = HTTPRequest("GET", "http://127.0.0.1:1/", headers: [HTTPHeader("X-A", "b\r\nX-C: d")])
        #expect(try failure(client, split).description.contains("X-A"))
        let user = try failure(client, HTTPRequest("GET", "http://me:secret@127.0.0.1:1/"))
        #expect(!user.description.contains("secret"))
        #expect(try failure(client, HTTPRequest("GET", "file:///etc/passwd")).kind == .other)
    }

    @Test("through an HTTP proxy: CONNECT for TLS; what is for the server is not shown to the proxy")
    func proxy() throws {
        let authority = try TestPKI.makeCA()
        let server = try HTTPTestServer(
            tls: TLSServerOptions(try authority.issue(dnsNames: ["api.test"]))
        ) { request, answer in try answer.send(200, body: request["Authorization"] ?? "") }
        let proxy = try ConnectProxy()
        var options = options
        options.trust = .pem(Array(authority.pem.utf8))
        options.serverName = "api.test"
        options.proxy = "http://user:pass@127.0.0.1:\(proxy.port)"
        let client = try HTTPClient(options)
        let request = HTTPRequest("GET", server.url + "/", headers: [HTTPHeader("Authorization", "Bearer x")])
        #expect(try client.perform(request).body == Array("Bearer x".utf8))
        let seen = try #require(proxy.requests.first)
        #expect(seen.contains("CONNECT 127.0.0.1:\(server.port) HTTP/1.1"))
        #expect(!seen.contains("Bearer"))
        #expect(seen.contains("Proxy-Authorization: Basic "))
        client.close()
    }

    @Test("through a SOCKS5 proxy, which resolves nothing for us but is told the address")
    func socks() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200, body: "x") }
        let proxy = try PlainServer()
        let asked = try BackgroundWork { () -> [UInt8] in
            let client = try proxy.accept()
            let greeting = try client.receive(exactly: 2)
            _ = try client.receive(exactly: Int(greeting[1]))
            try client.send([5, 0])
            let request = try client.receive(exactly: 10)
            let upstream = try PlainClient(port: UInt16(request[8]) << 8 | UInt16(request[9]))
            try client.send([5, 0, 0, 1, 127, 0, 0, 1, 0, 0])
            try ConnectProxy.join(client, upstream)
            return request
        }
        var options = options
        options.proxy = "socks5://127.0.0.1:\(proxy.port)"
        let client = try HTTPClient(options)
        #expect(try client.perform(HTTPRequest("GET", server.url + "/")).body == Array("x".utf8))
        #expect(try asked.value().prefix(8) == [5, 1, 0, 1, 127, 0, 0, 1])
        client.close()
    }

    @Test("a proxy that nobody runs: unreachable, without its password")
    func noProxy() throws {
        let port = try Ports.free()
        var options = options
        options.proxy = "http://user:pass-words@127.0.0.1:\(port)"
        let client = try HTTPClient(options)
        let error = try failure(client, HTTPRequest("GET", "https://api.test/"))
        #expect(error.kind == .unreachable)
        #expect(!error.description.contains("pass-words"))
    }

    @Test("descriptors are close-on-exec")
    func closeOnExec() throws {
        let before = try inheritable()
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("one\n")
            Thread.holdUntilClosed(answer)
        }
        let client = try HTTPClient(options)
        let stream = client.stream(HTTPRequest("GET", server.url + "/", timeout: nil)) {}
        #expect(try first(of: stream) == "one")
        // Whoever started the tests has left some open; other tests' clients may be in the making.
        #expect(try waitUntil { try inheritable().subtracting(before).isEmpty })
        stream.cancel()
    }

    @Test("waiting on the client's own thread fails rather than for ever")
    func ownThread() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200) }
        let client = try HTTPClient(options)
        let failed = Monitored<TransportError.Kind?>(nil)
        let url = server.url + "/"
        client.start(HTTPRequest("GET", url)) { _ in
            do throws(TransportError) {
                _ = try client.perform(HTTPRequest("GET", url))
            } catch {
                failed.update { $0 = error.kind }
            }
        }
        #expect(failed.wait(until: .now() + .seconds(10)) { $0 } == .other)
        client.close()
    }
}

/// Descriptors that a started program would inherit.
private func inheritable() throws -> Set<String> {
    var found: Set<String> = []
    for name in try listDirectory("/proc/self/fd") {
        guard let number = Int(name), number > 2, let target = try? readLink("/proc/self/fd/\(name)"),
            let info = try? readFile("/proc/self/fdinfo/\(name)")
        else { continue }
        let flags = String(decoding: info, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("flags:") }?.split(whereSeparator: \.isWhitespace).last
        if let flags, let value = Int(flags, radix: 8), value & 0o2000000 == 0 { found.insert("\(name) \(target)") }
    }
    return found
}

/// An HTTP proxy that tunnels CONNECT requests to 127.0.0.1.
final class ConnectProxy: Sendable {
    private let seen = Locked<[String]>([])
    let port: UInt16

    var requests: [String] { seen.withLock { $0 } }

    init() throws {
        let server = try PlainServer()
        let seen = seen
        port = server.port
        try Thread(named: "test-proxy") {
            while let client = try? server.accept(timeout: .seconds(20)) { try? ConnectProxy.tunnel(client, seen) }
        }.detach()
    }

    private static func tunnel(_ client: PlainClient, _ seen: Locked<[String]>) throws {
        var head = ""
        while !head.hasSuffix("\r\n\r\n") {
            head += String(decoding: try client.receive(max: 1, timeout: .seconds(10)), as: UTF8.self)
        }
        seen.withLock { $0.append(head) }
        let target = head.split(separator: " ")[1].split(separator: ":")
        let upstream = try PlainClient(port: UInt16(target[1]) ?? 0)
        try client.send("HTTP/1.1 200 Tunnel\r\n\r\n")
        try join(client, upstream)
    }

    /// Passes on what comes, both ways, until one side ends.
    static func join(_ client: PlainClient, _ upstream: PlainClient) throws {
        for (from, to) in [(client, upstream), (upstream, client)] {
            try Thread(named: "test-tunnel") {
                while let bytes = try? from.receive(max: 16_384, timeout: .seconds(30)), !bytes.isEmpty {
                    try? to.send(bytes)
                }
                to.close()
            }.detach()
        }
    }
}
