import HTTPClient
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing

@Suite("API client", .timeLimit(.minutes(1)))
struct ClientRequestTests {
    let service = ResourceKind(group: "", version: "v1", kind: "Service", plural: "services", namespaced: true)
    let key = ObjectKey(namespace: "ns", name: "a")

    private func client(_ server: HTTPTestServer, _ change: (inout ClientConfiguration) -> Void = { _ in }) throws
        -> APIClient
    {
        var configuration = ClientConfiguration(server: server.url)
        change(&configuration)
        return try APIClient(
            configuration: configuration, userAgent: "sluice/1.2 (linux/amd64)", logger: .disabled)
    }

    @Test("what is sent: who we are, what we want, one user agent; and it is counted")
    func sent() throws {
        let server = try HTTPTestServer { request, answer in
            try answer.send(
                request.target.hasPrefix("/base/api/") ? 200 : 404,
                body: #"{"metadata":{"name":"a","uid":"u1","resourceVersion":"7"}}"#)
        }
        let client = try client(server) { configuration in
            configuration.server += "/base"
            configuration.credentials = .basic(user: "me", password: "pä")
            configuration.impersonation = Impersonation(
                user: "jane", uid: "1", groups: ["a", "b"], extra: ["Scope/x": ["y"]])
        }
        #expect(try client.get(service, key).resourceVersion == "7")
        let request = try #require(server.requests.first)
        #expect(request.target == "/base/api/v1/namespaces/ns/services/a")
        #expect(request["Authorization"] == "Basic bWU6cMOk")
        #expect(request["Accept"] == "application/json")
        #expect(request["User-Agent"] == "sluice/1.2 (linux/amd64)")
        #expect(request["Impersonate-User"] == "jane")
        #expect(request["Impersonate-Uid"] == "1")
        #expect(request.headers.filter { $0.name == "Impersonate-Group" }.map(\.value) == ["a", "b"])
        #expect(request["Impersonate-Extra-Scope%2Fx"] == "y")
        _ = try? client.get(ResourceKind(group: "g", version: "v1", kind: "K", plural: "ks", namespaced: false), key)
        _ = try client.list(service, as: JSONValue.self, pageSize: 10)
        server.close()
        #expect(waitUntil { (try? PlainClient(port: server.port, timeout: .milliseconds(200))) == nil })
        _ = try? client.get(service, key, retry: .none)
        var text = PrometheusText()
        client.counts.append(to: &text)
        for line in [
            #"{verb="get",resource="ks",code="404"} 1"#, #"{verb="get",resource="services",code="200"} 1"#,
            #"{verb="get",resource="services",code="error"} 1"#, #"{verb="list",resource="services",code="200"} 1"#,
        ] {
            #expect(text.text.contains("sluice_kubernetes_requests_total" + line + "\n"), "\(text.text)")
        }
        client.close()
    }

    @Test("names and values are percent-encoded")
    func encoded() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200, body: #"{"metadata":{},"items":null}"#) }
        let client = try client(server)
        let selection = ListSelection(namespace: "ns", fieldSelector: "metadata.name=a b&c")
        #expect(try client.list(service, selection, as: JSONValue.self).items.isEmpty)
        #expect(
            server.requests.first?.target
                == "/api/v1/namespaces/ns/services?fieldSelector=metadata.name%3Da%20b%26c&limit=500")
        client.close()
    }

    @Test("watches and writes never share a connection")
    func lanes() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200, body: #"{"metadata":{}}"#) }
        let client = try client(server)
        for lane in [Lane.watches, .writes, .watches, .writes] { _ = try client.get(service, key, lane: lane) }
        #expect(server.requests.map(\.connection) == [1, 2, 1, 2])
        client.close()
    }

    @Test("a watch gives lines; it is counted once, by its status")
    func watch() throws {
        let server = try HTTPTestServer { request, answer in
            guard request.target.contains("watch=1") else { return try answer.send(403, body: "no") }
            try answer.begin()
            try answer.chunk("{\"type\":\"ADDED\"}\n{\"type\":")
            try answer.chunk("\"DELETED\"}\n")
            try answer.end()
        }
        let client = try client(server)
        var request = APIRequest(.get, "/api/v1/services", verb: "watch", resource: "services")
        request.query = [("watch", "1")]
        let all = try collect(client.stream(request, isFresh: false) {})
        #expect(
            all.lines.map { String(decoding: $0, as: UTF8.self) } == [#"{"type":"ADDED"}"#, #"{"type":"DELETED"}"#])
        #expect(all.head?.status == 200)
        #expect(all.end == .finished)
        request.query = []
        let refused = try collect(client.stream(request, isFresh: true) {})
        #expect(refused.head?.status == 403)
        #expect(refused.lines == [Array("no".utf8)])
        var text = PrometheusText()
        client.counts.append(to: &text)
        #expect(text.text.contains(#"{verb="watch",resource="services",code="200"} 1"#))
        #expect(text.text.contains(#"{verb="watch",resource="services",code="403"} 1"#))
        client.close()
    }

    @Test("a watch that is refused for its token makes the next one carry the file's new one")
    func watchToken() throws {
        let directory = try TemporaryDirectory()
        let token = try directory.write("one", to: "token")
        let server = try HTTPTestServer { request, answer in
            try answer.send(request["Authorization"] == "Bearer two" ? 200 : 401, body: "x\n")
        }
        let client = try client(server) { $0.credentials = .tokenFile(token) }
        let request = APIRequest(.get, "/api/v1/services", verb: "watch", resource: "services")
        #expect(try collect(client.stream(request, isFresh: false) {}).head?.status == 401)
        try directory.replace("token", with: "two")
        #expect(try collect(client.stream(request, isFresh: false) {}).head?.status == 401)
        #expect(try collect(client.stream(request, isFresh: false) {}).head?.status == 200)
        client.close()
    }

    @Test("credentials that cannot be read fail requests and streams with a sentence")
    func noCredentials() throws {
        let server = try HTTPTestServer { _, answer in try answer.send(200) }
        let client = try client(server) { $0.credentials = .tokenFile("/no/such/token") }
        let words = "/no/such/token: cannot be read: No such file or directory"
        let error = try #require(throws: APIError.self) { try client.get(service, key, retry: .none) }
        #expect(error == .credentials(words))
        let request = APIRequest(.get, "/api/v1/services", verb: "watch", resource: "services")
        let end = try collect(client.stream(request, isFresh: false) {}).end
        #expect(end == .failed(TransportError(.other, words)))
        #expect(server.connections == 0)
        client.close()
    }

    @Test("a request's time-out is a transport error")
    func timeout() throws {
        let server = try HTTPTestServer { _, answer in
            while let bytes = try? answer.stream.receive(max: 1024, timeout: .seconds(50)), !bytes.isEmpty {}
        }
        let client = try client(server)
        var request = APIRequest(.get, "/api/v1/services/a", verb: "get", resource: "services")
        request.timeout = .milliseconds(50)
        let error = try #require(throws: APIError.self) { try client.perform(request, retry: .none) }
        guard case .transport(let problem) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(problem.kind == .timeout)
        client.close()
        server.close()
    }

    /// Everything until the end.
    private func collect(_ stream: any HTTPStream) throws -> HTTPStreamPart {
        var all = HTTPStreamPart()
        let hasEnded = waitUntil(deadline: .seconds(20)) {
            let part = stream.take()
            if let head = part.head { all.head = head }
            all.lines += part.lines
            all.end = part.end
            return part.end != nil
        }
        guard hasEnded else { throw TestFailure("the stream did not end") }
        return all
    }
}
