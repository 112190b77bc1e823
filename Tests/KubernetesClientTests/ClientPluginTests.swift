import HTTPClient
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing

@Suite("Credential plugins", .timeLimit(.minutes(1)))
struct ClientPluginTests {
    let directory: TemporaryDirectory
    let service = ResourceKind(group: "", version: "v1", kind: "Service", plural: "services", namespaced: true)
    let key = ObjectKey(namespace: "a", name: "a")

    init() throws { directory = try TemporaryDirectory() }

    /// A server that takes one token.
    private func server(_ valid: Locked<String>) throws -> HTTPTestServer {
        try HTTPTestServer { request, answer in
            let isValid = request["Authorization"] == "Bearer " + valid.withLock { $0 }
            let refusal = #"{"kind":"Status","reason":"Unauthorized","message":"no"}"#
            try answer.send(
                isValid ? 200 : 401, body: isValid ? #"{"metadata":{"name":"a","resourceVersion":"1"}}"# : refusal)
        }
    }

    /// A plugin that notes each run, and prints what a file holds.
    private func plugin(_ printed: String, script: String = "") throws -> ExecPlugin {
        try directory.replace("printed", with: printed)
        let path = try directory.write(
            "echo \"$KUBERNETES_EXEC_INFO|$A\" >> \(directory.path)/runs\n\(script)\ncat \(directory.path)/printed\n",
            to: "plugin.sh")
        var plugin = ExecPlugin(version: "v1", command: "sh")
        plugin.arguments = [path]
        plugin.environment = ["A": "own"]
        return plugin
    }

    private func printed(_ status: String, version: String = "v1") -> String {
        #"{"apiVersion":"client.authentication.k8s.io/\#(version)","kind":"ExecCredential","status":{\#(status)}}"#
    }

    private func runs() -> [String] {
        let text = (try? readFile("\(directory.path)/runs")) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    private func client(
        _ server: HTTPTestServer, _ plugin: ExecPlugin, timeout: Duration = .seconds(20), pause: Duration = .zero
    ) throws
        -> APIClient
    {
        var configuration = ClientConfiguration(server: server.url)
        configuration.credentials = .exec(plugin)
        return try APIClient(
            configuration: configuration, options: HTTPClientOptions(userAgent: "sluice/test"), logger: .disabled,
            pluginTimeout: timeout, pluginPause: pause)
    }

    @Test("runs once for many requests, and is told what it may know")
    func once() throws {
        let server = try server(Locked("t1"))
        var plugin = try plugin(printed(#""token":"t1""#))
        plugin.clusterInfo = #"{"server":"https://a"}"#
        let client = try client(server, plugin)
        let work = try (0..<8).map { _ in
            try BackgroundWork { try client.get(service, key).resourceVersion }
        }
        for one in work { #expect(try one.value() == "1") }
        #expect(
            runs() == [
                #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","#
                    + #""spec":{"interactive":false,"cluster":{"server":"https://a"}}}|own"#
            ])
        client.close()
    }

    @Test("runs again when what it printed has expired")
    func expired() throws {
        let server = try server(Locked("t1"))
        let client = try client(
            server, plugin(printed(#""token":"t1","expirationTimestamp":"2020-01-01T00:00:00Z""#)))
        for _ in 0..<3 { _ = try client.get(service, key) }
        #expect(runs().count == 3)
        try directory.replace(
            "printed", with: printed(#""token":"t1","expirationTimestamp":"2099-01-01T00:00:00Z""#))
        for _ in 0..<3 { _ = try client.get(service, key) }
        #expect(runs().count == 4)
        client.close()
    }

    @Test("runs again, and the request with it, when the server refuses what it printed")
    func refused() throws {
        let valid = Locked("t1")
        let server = try server(valid)
        let client = try client(server, plugin(printed(#""token":"t1""#)))
        _ = try client.get(service, key)
        try directory.replace("printed", with: printed(#""token":"t2""#))
        valid.withLock { $0 = "t2" }
        #expect(try client.get(service, key, retry: .none).resourceVersion == "1")
        #expect(runs().count == 2)
        client.close()
    }

    @Test("what it printed a moment ago is not doubted, expired or refused: no storm of runs")
    func doubtful() throws {
        let server = try server(Locked("t1"))
        let client = try client(
            server, plugin(printed(#""token":"t1","expirationTimestamp":"2020-01-01T00:00:00Z""#)),
            pause: .seconds(60))
        for _ in 0..<5 { _ = try client.get(service, key) }
        #expect(runs().count == 1)
        client.close()
    }

    @Test("a client certificate from a plugin is shown to the server")
    func certificate() throws {
        let authority = try TestPKI.makeCA()
        let own = try authority.issue(dnsNames: ["user"])
        var tls = TLSServerOptions(try authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        tls.clientTrust = authority.pem
        let server = try HTTPTestServer(tls: tls) { _, answer in
            try answer.send(200, body: #"{"metadata":{"name":"a","resourceVersion":"1"}}"#)
        }
        func quoted(_ pem: String) -> String { "\"" + pem.split(separator: "\n").joined(separator: "\\n") + "\\n\"" }
        let status = "\"clientCertificateData\":\(quoted(own.chainPEM)),\"clientKeyData\":\(quoted(own.privateKeyPEM))"
        var configuration = ClientConfiguration(server: server.url)
        configuration.authority = .data(Array(authority.pem.utf8))
        configuration.credentials = .exec(try plugin(printed(status)))
        let client = try APIClient(configuration: configuration, userAgent: "sluice/test", logger: .disabled)
        #expect(try client.get(service, key, retry: .none).resourceVersion == "1")
        client.close()
    }

    @Test(
        "what goes wrong is said in a sentence, without what was printed",
        arguments: [
            ("exit 3", "", "ended with exit code 3: not logged in"),
            ("kill -9 $$", "", "was ended by signal 9: not logged in"),
            ("exit 0", "", "printed no ExecCredential that can be read"),
            ("", "{\"secret\": 1}", "printed something that is no ExecCredential"),
            ("", "NOSTATUS", "printed no status"),
            ("", "EMPTY", "printed neither a token nor a client certificate"),
            ("", "OTHER", "printed another apiVersion than client.authentication.k8s.io/v1"),
        ])
    func failures(script: String, output: String, expected: String) throws {
        let text =
            switch output {
            case "NOSTATUS": #"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}"#
            case "EMPTY": printed("")
            case "OTHER": printed(#""token":"t""#, version: "v1beta1")
            default: output
            }
        let server = try server(Locked("t1"))
        let client = try client(server, plugin(text, script: "echo not logged in >&2; \(script)"))
        let error = try #require(throws: APIError.self) { try client.get(service, key, retry: .none) }
        #expect(error == .credentials("the credential plugin \"sh\" \(expected)"))
        #expect(server.connections == 0)
        client.close()
    }

    @Test("a missing command: how to get it")
    func missing() throws {
        let server = try server(Locked("t1"))
        var plugin = ExecPlugin(version: "v1", command: "/no/such/plugin")
        plugin.installHint = "get it from the shelf"
        let client = try client(server, plugin)
        let error = try #require(throws: APIError.self) { try client.get(service, key, retry: .none) }
        #expect(
            error
                == .credentials(
                    "the credential plugin \"/no/such/plugin\" cannot be started: No such file or directory. "
                        + "get it from the shelf"))
        client.close()
    }

    @Test("a plugin that does not end is stopped, and holds up no request that needs none")
    func endless() throws {
        let server = try server(Locked("t1"))
        let client = try client(
            server, plugin("", script: "exec sleep 1000"), timeout: .milliseconds(200))
        let error = try #require(throws: APIError.self) { try client.get(service, key, retry: .none) }
        guard case .credentials(let text) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(text.contains("did not end within 0.2 seconds and was stopped"))
        client.close()
    }

    @Test("a failed run is not repeated at once, for whoever asks")
    func pause() throws {
        let server = try server(Locked("t1"))
        let client = try client(server, plugin("", script: "exit 1"), pause: .seconds(60))
        for _ in 0..<5 {
            let error = try #require(throws: APIError.self) { try client.get(service, key, retry: .none) }
            #expect(error == .credentials("the credential plugin \"sh\" ended with exit code 1"))
        }
        #expect(runs().count == 1)
        client.close()
    }
}
