import Glibc
import HTTPClient
import Platform
import Primitives
import TestSupport
import Testing

@Suite("HTTP client over HTTP/2", .timeLimit(.minutes(1)))
struct HTTP2Tests {
    let authority: TestCA
    let certificate: TestCertificate
    var options = HTTPClientOptions(userAgent: "sluice/test")

    init() throws {
        authority = try TestPKI.makeCA()
        certificate = try authority.issue(dnsNames: ["api.test"], ips: ["127.0.0.1"])
        options.trust = .pem(Array(authority.pem.utf8))
    }

    @Test("many streams and requests share one connection, those of another group have their own")
    func multiplexed() throws {
        let server = try HTTPTestServer { request, answer in
            guard request.target.hasPrefix("/watch") else { return try answer.send(200, body: request.target) }
            try answer.begin()
            try answer.chunk("first\n")
            Thread.holdUntilClosed(answer)
        }
        let proxy = try Nghttpx(before: SocketAddress(.loopbackV4, server.port), certificate)
        let sockets = EstablishedConnections(to: proxy.address.port)
        let client = try HTTPClient(options)
        let streams = (0..<20).map { index in
            client.stream(HTTPRequest("GET", "\(proxy.url)/watch\(index)", timeout: nil)) {}
        }
        for stream in streams { #expect(try first(of: stream) == "first") }
        #expect(try client.perform(HTTPRequest("GET", proxy.url + "/a")).body == Array("/a".utf8))
        #expect(try sockets.count() == 1)
        #expect(try client.perform(HTTPRequest("GET", proxy.url + "/b"), group: .init(1)).head.status == 200)
        #expect(try sockets.count() == 2)
        for stream in streams { stream.cancel() }
        #expect(waitUntil { streams.allSatisfy { $0.take().end != nil } })
        #expect(try sockets.count() == 2)
        client.close()
        #expect(try waitUntil { try sockets.count() == 0 })
        server.close()
    }

    @Test("what stalled together shares one fresh connection; the others' streams go on")
    func fresh() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("first\n")
            Thread.holdUntilClosed(answer)
        }
        let proxy = try Nghttpx(before: SocketAddress(.loopbackV4, server.port), certificate)
        let sockets = EstablishedConnections(to: proxy.address.port)
        let client = try HTTPClient(options)
        let old = client.stream(HTTPRequest("GET", proxy.url + "/old", timeout: nil)) {}
        #expect(try first(of: old) == "first")
        let fresh = (0..<5).map { _ in
            client.stream(HTTPRequest("GET", proxy.url + "/fresh", timeout: nil), isFresh: true) {}
        }
        for stream in fresh { #expect(try first(of: stream) == "first") }
        #expect(try sockets.count() == 2)
        #expect(old.take().end == nil)
        old.cancel()
        #expect(try waitUntil { try sockets.count() == 1 })
        client.close()
        server.close()
    }

    @Test("more streams than a connection carries go over several, none of them fails")
    func manyStreams() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("first\n")
            Thread.holdUntilClosed(answer)
        }
        let proxy = try Nghttpx(before: SocketAddress(.loopbackV4, server.port), certificate, streams: 10)
        let sockets = EstablishedConnections(to: proxy.address.port)
        let client = try HTTPClient(options)
        let streams = (0..<35).map { _ in client.stream(HTTPRequest("GET", proxy.url + "/", timeout: nil)) {} }
        for stream in streams { #expect(try first(of: stream) == "first") }
        #expect(try sockets.count() > 1)
        client.close()
        server.close()
    }

    @Test("an idle connection does not outlast the wish for a fresh one")
    func idleBeforeFresh() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("first\n")
            try answer.end()
        }
        let proxy = try Nghttpx(before: SocketAddress(.loopbackV4, server.port), certificate)
        let sockets = EstablishedConnections(to: proxy.address.port)
        var options = options
        options.freshWindow = .zero
        let client = try HTTPClient(options)
        for _ in 0..<4 {
            let stream = client.stream(HTTPRequest("GET", proxy.url + "/", timeout: nil), isFresh: true) {}
            #expect(try collect(stream).end == .finished)
            #expect(try waitUntil { try sockets.count() == 1 })
        }
        client.close()
        server.close()
    }

    @Test("a request that times out is the last one on its connection")
    func timedOutConnection() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200, body: "x") }
        let proxy = try Nghttpx(before: SocketAddress(.loopbackV4, server.port), certificate)
        let client = try HTTPClient(options)
        _ = try client.perform(HTTPRequest("GET", proxy.url + "/"))
        try proxy.freeze()
        let error = try #require(throws: TransportError.self) {
            try client.perform(HTTPRequest("GET", proxy.url + "/", timeout: .milliseconds(100)))
        }
        #expect(error.kind == .timeout)
        // The frozen process's queue takes the new connection; it answers on it once it runs again.
        let sockets = EstablishedConnections(to: proxy.address.port)
        let answer = try BackgroundWork {
            try client.perform(HTTPRequest("GET", proxy.url + "/", timeout: .seconds(20)))
        }
        #expect(try waitUntil { try sockets.count() == 1 })
        proxy.resume()
        #expect(try answer.value().head.status == 200)
        client.close()
        server.close()
    }

    @Test("the server's end of a connection is no error for requests that follow")
    func restart() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200, body: "x") }
        let proxy = try Nghttpx(before: SocketAddress(.loopbackV4, server.port), certificate)
        let client = try HTTPClient(options)
        _ = try client.perform(HTTPRequest("GET", proxy.url + "/"))
        try proxy.restart()
        #expect(try client.perform(HTTPRequest("GET", proxy.url + "/")).head.status == 200)
        client.close()
        server.close()
    }

    @Test("a stream whose connection is reset says that it was interrupted")
    func interrupted() throws {
        let server = try HTTPTestServer { _, answer in
            try answer.begin()
            try answer.chunk("first\n")
            Thread.holdUntilClosed(answer)
        }
        let proxy = try Nghttpx(before: SocketAddress(.loopbackV4, server.port), certificate)
        let client = try HTTPClient(options)
        let stream = client.stream(HTTPRequest("GET", proxy.url + "/", timeout: nil)) {}
        #expect(try first(of: stream) == "first")
        proxy.stop()
        guard case .failed(let error)? = try collect(stream).end else {
            Issue.record("the stream did not fail")
            return
        }
        #expect(error.kind == .interrupted, "\(error)")
        client.close()
        server.close()
    }
}

/// The first line of a stream.
func first(of stream: any HTTPStream) throws -> String? {
    var line: String?
    var end: HTTPStreamEnd?
    _ = waitUntil(deadline: .seconds(20)) {
        let part = stream.take()
        line = part.lines.first.map { String(decoding: $0, as: UTF8.self) }
        end = part.end
        return line != nil || end != nil
    }
    if let end { throw TestFailure("the stream ended: \(end)") }
    return line
}

extension Thread {
    /// Keeps an answer open until its connection ends.
    static func holdUntilClosed(_ answer: HTTPTestServer.Answer) {
        while let bytes = try? answer.stream.receive(max: 1024, timeout: .seconds(50)), !bytes.isEmpty {}
    }
}

/// Counts this process's established TCP connections to a port of 127.0.0.1.
struct EstablishedConnections {
    let port: UInt16

    init(to port: UInt16) { self.port = port }

    /// Asks each socket of the process: the kernel's list of all is not read at one moment, and can lack one while others come
    /// and go.
    func count() throws -> Int {
        try listDirectory("/proc/self/fd").compactMap { Int32($0) }.filter { isEstablished($0) }.count
    }

    private func isEstablished(_ descriptor: Int32) -> Bool {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        guard result == 0, KernelAddress.read(storage) == SocketAddress(.loopbackV4, port) else { return false }
        // The state is the first byte (tcp_info); 1 is established.
        var info = [UInt8](repeating: 0, count: 8)
        var size = socklen_t(info.count)
        return getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &size) == 0 && info[0] == 1
    }
}
