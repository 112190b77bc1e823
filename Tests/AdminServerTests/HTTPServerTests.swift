@testable import AdminServer
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("HTTP server", .timeLimit(.minutes(1)))
struct HTTPServerTests {
    static let anyPort = SocketAddress(.loopbackV4, 0)

    private func server(
        _ routes: [HTTPRoute] = [], limits: HTTPServer.Limits = .init(), address: SocketAddress = anyPort
    ) throws -> HTTPServer {
        let hello = HTTPRoute("/hello", "greets") { .text("hello \($0.path)\n") }
        return try HTTPServer(name: "test", address: address, routes: [hello] + routes, limits: limits)
    }

    @Test("GET answers with the content and the fields that every answer carries")
    func get() throws {
        let server = try server()
        defer { server.stop() }
        let response = try RawResponse.of("GET", "/hello?x=1", from: server.address)
        #expect(response.status == 200)
        #expect(response.body == "hello /hello\n")
        #expect(response.fields["content-type"] == "text/plain; charset=utf-8")
        #expect(response.fields["content-length"] == "13")
        #expect(response.fields["x-content-type-options"] == "nosniff")
        #expect(response.fields["cache-control"] == "no-store")
        #expect(response.fields["connection"] == "close")
        #expect(response.fields["access-control-allow-origin"] == nil)
    }

    @Test("HEAD answers with the same fields and no content")
    func head() throws {
        let server = try server()
        defer { server.stop() }
        let response = try RawResponse.of("HEAD", "/hello", from: server.address)
        #expect(response.status == 200)
        #expect(response.fields["content-length"] == "13")
        #expect(response.body.isEmpty)
    }

    @Test(
        "other methods are answered with 405 and what is allowed",
        arguments: ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
    func method(name: String) throws {
        let server = try server()
        defer { server.stop() }
        let response = try RawResponse.of(name, "/hello", from: server.address)
        #expect(response.status == 405)
        #expect(response.fields["allow"] == "GET, HEAD")
        #expect(response.body == #"{"error":"method not allowed","allowed":["GET","HEAD"]}"# + "\n")
    }

    @Test(
        "an unknown path is answered with 404 and the paths that exist", arguments: ["/", "/hello/", "/HELLO", "/%00"])
    func unknown(path: String) throws {
        let server = try server([HTTPRoute("/another", "") { _ in .text("") }])
        defer { server.stop() }
        let response = try RawResponse.of("GET", path, from: server.address)
        #expect(response.status == 404)
        #expect(response.fields["content-type"] == "application/json")
        #expect(response.body == #"{"error":"not found","paths":["/another","/hello"]}"# + "\n")
    }

    @Test(
        "a query's parts are what stands between &; nothing there is none",
        arguments: [
            ("a=1&&b=2", "a=1 b=2"), ("&a=1&", "a=1"), ("&&&", ""), ("", ""), ("&=1&=&", "=1 ="),
            ("a&%26=+&a=", "a &=  a="),
        ])
    func query(text: String, parts: String) throws {
        let echo = HTTPRoute("/echo", "") { request in
            .text(request.parameters.map { $0.name + ($0.value.map { "=\($0)" } ?? "") }.joined(separator: " "))
        }
        let server = try server([echo])
        defer { server.stop() }
        #expect(try RawResponse.of("GET", "/echo?\(text)", from: server.address).body == parts)
    }

    @Test("a large answer arrives whole")
    func large() throws {
        let text = String(repeating: "0123456789abcde\n", count: 1 << 18)
        let server = try server([HTTPRoute("/large", "") { _ in .text(text) }])
        defer { server.stop() }
        let response = try RawResponse.of("GET", "/large", from: server.address)
        #expect(response.body.utf8.count == 4 << 20)
        #expect(response.body == text)
    }

    @Test(
        "what is no request is refused, and the server goes on",
        arguments: [
            "GET /hello HTTP/1.1\r\n\r\n", "\u{1}\u{2}\u{3}\r\n\r\n", "GET  \r\n\r\n",
            "GET /hello HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
        ])
    func garbage(request: String) throws {
        let server = try server()
        defer { server.stop() }
        let client = try RawClient(server.address)
        try? client.send(request)
        let answer = try client.readToEnd()
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"))
        #expect(try RawResponse.of("GET", "/hello", from: server.address).status == 200)
    }

    @Test("answers on IPv4 and IPv6 at once when bound to [::]")
    func dualStack() throws {
        let server = try server(address: SocketAddress(.anyV6, 0))
        defer { server.stop() }
        for ip in [IPAddress.loopbackV4, .loopbackV6] {
            #expect(try RawResponse.of("GET", "/hello", from: SocketAddress(ip, server.address.port)).status == 200)
        }
    }

    @Test("a port in use is an error that names the address and the holder")
    func inUse() throws {
        let first = try server()
        defer { first.stop() }
        let error = try #require(throws: ListenError.self) { try server(address: first.address) }
        #expect(error.cause == .addressInUse)
        #expect(error.holder?.pid == Host.processIdentifier)
        let port = first.address.port
        let process = error.holder?.process ?? ""
        #expect(
            error.description == "cannot listen on 127.0.0.1:\(port): port \(port) is in use by \(process) "
                + "(pid \(Host.processIdentifier))")
    }

    @Test("an address that the host does not have is an error that says so")
    func notAvailable() throws {
        let address = try #require(SocketAddress("192.0.2.1:0"))
        let error = #expect(throws: ListenError.self) { try server(address: address) }
        #expect(error?.description == "cannot listen on 192.0.2.1:0: this host has no such address")
    }
}
