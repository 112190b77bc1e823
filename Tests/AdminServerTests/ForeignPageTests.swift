import AdminServer
import Platform
import Primitives
import Testing

/// What a web page that an operator has open elsewhere can make the browser send to the admin address.
@Suite("A foreign page and the admin address", .timeLimit(.minutes(1)))
struct ForeignPageTests {
    private static let action = "X-Sluice-Action: close"
    private static let noBody = "Content-Length: 0"

    /// A server whose `POST /change` counts how often it was carried out.
    private func server(hostNames: Set<String> = []) throws -> (AdminServer, Locked<Int>) {
        let changes = Locked(0)
        let change = HTTPRoute("/change", "changes", method: .post) { request in
            changes.withLock { $0 += 1 }
            return .text("changed \(request.values("what").joined(separator: "+"))")
        }
        let secret = HTTPRoute("/read", "reads") { _ in .text("secret") }
        let server = try AdminServer(
            address: SocketAddress(.loopbackV4, 0), hostNames: hostNames, routes: [change, secret]
        ) { "secret" }
        return (server, changes)
    }

    private func expectRefused(
        _ response: RawResponse, _ status: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(response.status == status, sourceLocation: sourceLocation)
        #expect(!response.body.contains("secret"), sourceLocation: sourceLocation)
        #expect(
            response.fields.keys.allSatisfy { !$0.hasPrefix("access-control") }, sourceLocation: sourceLocation)
    }

    @Test("an operator's program changes something with the header field, with its parameters, and without a body")
    func program() throws {
        let (server, changes) = try server()
        defer { server.stop() }
        let response = try RawResponse.of(
            "POST", "/change?what=a%20b&x&what=c", from: server.address, [Self.action, Self.noBody])
        #expect(response.status == 200)
        #expect(response.body == "changed a b+c")
        #expect(changes.withLock { $0 } == 1)
    }

    @Test("the status page itself may: its origin is the address that it asks")
    func ownPage() throws {
        let (server, changes) = try server()
        defer { server.stop() }
        let host = "localhost:\(server.address.port)"
        let response = try RawResponse.of(
            "POST", "/change", from: server.address, host: host,
            ["Origin: http://\(host)", "Sec-Fetch-Site: same-origin", Self.action, Self.noBody])
        #expect(response.status == 200)
        #expect(changes.withLock { $0 } == 1)
    }

    @Test("a form that posts is refused, whatever it is encoded as")
    func form() throws {
        let (server, changes) = try server()
        defer { server.stop() }
        for type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"] {
            let fields = ["Content-Type: \(type)", "Content-Length: 5"]
            // An old browser says nothing of the page: the header field is missing then.
            expectRefused(try RawResponse.of("POST", "/change", from: server.address, fields, body: "all=1"), 403)
            expectRefused(
                try RawResponse.of(
                    "POST", "/change?all=true", from: server.address, fields + ["Origin: https://evil.example"],
                    body: "all=1"), 403)
            expectRefused(
                try RawResponse.of(
                    "POST", "/change", from: server.address, fields + ["Origin: null", Self.action], body: "all=1"),
                403)
        }
        #expect(changes.withLock { $0 } == 0)
    }

    @Test("a missing or empty header field is told so")
    func explanation() throws {
        let (server, changes) = try server()
        defer { server.stop() }
        for fields in [[Self.noBody], ["X-Sluice-Action:", Self.noBody]] {
            let response = try RawResponse.of("POST", "/change", from: server.address, fields)
            #expect(response.status == 403)
            #expect(
                response.body
                    == #"{"error":"a request that changes something needs the header field X-Sluice-Action, with any "#
                    + "value\"}\n")
        }
        #expect(changes.withLock { $0 } == 0)
    }

    @Test("a script's request is refused: with the header field its preflight is, without it the request")
    func script() throws {
        let (server, changes) = try server()
        defer { server.stop() }
        let origin = "Origin: https://evil.example"
        let preflight = [origin, "Access-Control-Request-Method: POST"]
        let asking = preflight + ["Access-Control-Request-Headers: x-sluice-action"]
        expectRefused(try RawResponse.of("OPTIONS", "/change", from: server.address, asking), 403)
        expectRefused(try RawResponse.of("OPTIONS", "/change", from: server.address), 405)
        let simple = [origin, "Sec-Fetch-Mode: no-cors", "Content-Type: text/plain", "Content-Length: 2"]
        expectRefused(try RawResponse.of("POST", "/change", from: server.address, simple, body: "{}"), 403)
        // What must not happen in a browser: the field although the preflight failed.
        expectRefused(
            try RawResponse.of("POST", "/change", from: server.address, [origin, Self.action, Self.noBody]), 403)
        expectRefused(try RawResponse.of("GET", "/read", from: server.address, [origin]), 403)
        #expect(changes.withLock { $0 } == 0)
    }

    @Test("what a browser calls cross-site is refused even where it sends no Origin, such as an image or a link")
    func fetchMetadata() throws {
        let (server, changes) = try server()
        defer { server.stop() }
        let address = server.address
        expectRefused(try RawResponse.of("GET", "/read", from: address, ["Sec-Fetch-Site: cross-site"]), 403)
        let sameSite = ["Sec-Fetch-Site: same-site", Self.action, Self.noBody]
        expectRefused(try RawResponse.of("POST", "/change", from: address, sameSite), 403)
        for site in ["same-origin", "none"] {
            #expect(try RawResponse.of("GET", "/read", from: address, ["Sec-Fetch-Site: \(site)"]).body == "secret")
        }
        #expect(changes.withLock { $0 } == 0)
    }

    @Test(
        "another page of this host is another origin",
        arguments: ["http://localhost:3000", "http://127.0.0.1", "ftp://localhost", "localhost", ""])
    func otherPort(origin: String) throws {
        let (server, _) = try server()
        defer { server.stop() }
        let host = "localhost:\(server.address.port)"
        let fields = ["Origin: \(origin)"]
        expectRefused(try RawResponse.of("GET", "/read", from: server.address, host: host, fields), 403)
    }

    @Test(
        "a name that was rebound to this address is not answered, though page and request are of one origin",
        arguments: ["GET /read", "POST /change"])
    func rebinding(request: String) throws {
        let (server, changes) = try server(hostNames: ["sluice.internal"])
        defer { server.stop() }
        let words = request.split(separator: " ").map(String.init)
        let host = "evil.example:\(server.address.port)"
        let fields = ["Origin: http://\(host)", "Sec-Fetch-Site: same-origin", Self.action, Self.noBody]
        expectRefused(try RawResponse.of(words[0], words[1], from: server.address, host: host, fields), 421)
        #expect(changes.withLock { $0 } == 0)
        let own = try RawResponse.of(
            words[0], words[1], from: server.address, host: "Sluice.internal",
            ["Origin: http://sluice.internal", Self.action, Self.noBody])
        #expect(own.status == 200)
    }

    @Test("GET at a path for POST, and POST at one for GET, are told what is allowed")
    func methods() throws {
        let (server, changes) = try server()
        defer { server.stop() }
        let get = try RawResponse.of("GET", "/change", from: server.address, [Self.action])
        #expect(get.status == 405)
        #expect(get.fields["allow"] == "POST")
        let post = try RawResponse.of("POST", "/read", from: server.address, [Self.action, Self.noBody])
        #expect(post.status == 405)
        #expect(post.fields["allow"] == "GET, HEAD")
        #expect(changes.withLock { $0 } == 0)
    }
}
