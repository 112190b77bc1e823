import HTTPClient
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("A pod's configuration", .timeLimit(.minutes(1)))
struct ClientInClusterTests {
    let directory: TemporaryDirectory
    let service = ResourceKind(group: "", version: "v1", kind: "Service", plural: "services", namespaced: true)

    init() throws { directory = try TemporaryDirectory() }

    private func write(token: String, authority: String, namespace: String? = "edge") throws {
        try directory.replace("token", with: token)
        try directory.replace("ca.crt", with: authority)
        if let namespace { try directory.replace("namespace", with: namespace) }
    }

    @Test(
        "the address from the environment",
        arguments: [
            ("10.96.0.1", "443", "https://10.96.0.1:443"), ("fd00::1", "6443", "https://[fd00::1]:6443"),
            ("[fd00::1]", "6443", "https://[fd00::1]:6443"), ("api.internal", "443", "https://api.internal:443"),
        ])
    func address(host: String, port: String, expected: String) throws {
        try write(token: "t", authority: "CA")
        let configuration = try ClientConfiguration.inCluster(
            environment: ["KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port], directory: directory.path)
        #expect(configuration.server == expected)
        #expect(configuration.namespace == "edge")
        #expect(configuration.credentials == .tokenFile("\(directory.path)/token"))
        #expect(configuration.authority == .file("\(directory.path)/ca.crt"))
    }

    @Test("what is missing is named")
    func missing() throws {
        let environment = ["KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"]
        let path = directory.path
        func error(_ environment: [String: String]) throws -> String {
            try #require(throws: ConfigurationError.self) {
                try ClientConfiguration.inCluster(environment: environment, directory: path)
            }.description
        }
        #expect(try error([:]) == "KUBERNETES_SERVICE_HOST is not set: this is no pod of a cluster")
        #expect(try error(environment) == "\(path)/token: cannot be read: No such file or directory")
        try directory.write("t", to: "token")
        try directory.write("", to: "ca.crt")
        #expect(try error(environment) == "\(path)/ca.crt: the file is empty")
        let bad = environment.merging(["KUBERNETES_SERVICE_PORT": "x"]) { $1 }
        #expect(try error(bad) == "KUBERNETES_SERVICE_PORT is no port: \"x\"")
        #expect(!ClientConfiguration.isInCluster(environment: [:], directory: path))
        #expect(ClientConfiguration.isInCluster(environment: environment, directory: path))
    }

    @Test("a rotated token is used at the latest when the old one is refused, without a failed request")
    func rotatedToken() throws {
        let authority = try TestPKI.makeCA()
        let valid = Locked("one")
        let server = try HTTPTestServer(
            tls: TLSServerOptions(try authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        ) { request, answer in
            let isValid = request["Authorization"] == "Bearer " + valid.withLock { $0 }
            try answer.send(isValid ? 200 : 401, body: #"{"metadata":{"name":"a","resourceVersion":"1"}}"#)
        }
        try write(token: "one\n", authority: authority.pem)
        let client = try client(server.port)
        for token in ["one", "two", "three"] {
            valid.withLock { $0 = token }
            try directory.replace("token", with: token + "\n")
            #expect(try client.get(service, ObjectKey(namespace: "a", name: "a")).resourceVersion == "1")
        }
        client.close()
    }

    @Test("a token file that goes missing: the last token is used, and it is told once")
    func lostToken() throws {
        let authority = try TestPKI.makeCA()
        let server = try HTTPTestServer(
            tls: TLSServerOptions(try authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        ) { request, answer in
            try answer.send(
                request["Authorization"] == "Bearer one" ? 200 : 500, body: #"{"metadata":{"resourceVersion":"1"}}"#)
        }
        try write(token: "one", authority: authority.pem)
        let log = MemoryLog()
        let configuration = try ClientConfiguration.inCluster(
            environment: ["KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": String(server.port)],
            directory: directory.path)
        let client = try APIClient(
            configuration: configuration, userAgent: "sluice/test", logger: Logger(recordingTo: log))
        let key = ObjectKey(namespace: "a", name: "a")
        _ = try client.get(service, key)
        try directory.delete("token")
        // Looked at once a second.
        #expect(
            waitUntil(deadline: .seconds(10)) {
                (try? client.get(service, key, retry: .none)) != nil && !log.entries.isEmpty
            })
        for _ in 0..<3 { _ = try client.get(service, key, retry: .none) }
        #expect(log.entries.count == 1)
        #expect(log.entries.first?.text("file") == "\(directory.path)/token")
        #expect(!log.text.contains("Bearer"))
        client.close()
    }

    @Test("a token that stays refused is an error, after one look at the file")
    func refusedToken() throws {
        let authority = try TestPKI.makeCA()
        let server = try HTTPTestServer(
            tls: TLSServerOptions(try authority.issue(dnsNames: [], ips: ["127.0.0.1"]))
        ) { _, answer in try answer.send(401, body: #"{"kind":"Status","reason":"Unauthorized","message":"no"}"#) }
        try write(token: "one", authority: authority.pem)
        let client = try client(server.port)
        let error = try #require(throws: APIError.self) {
            try client.get(service, ObjectKey(namespace: "a", name: "a"))
        }
        #expect(error == .status(APIStatus(code: 401, reason: "Unauthorized", message: "no")))
        #expect(server.requests.count == 1)
        client.close()
    }

    @Test("the server's certificate is of a new authority: accepted once the file holds it, without a restart")
    func rotatedAuthority() throws {
        let old = try TestPKI.makeCA("Old")
        let new = try TestPKI.makeCA("New")
        let backend = try HTTPTestServer { _, answer in
            try answer.send(200, body: #"{"metadata":{"name":"a","resourceVersion":"1"}}"#)
        }
        let proxy = try Nghttpx(
            before: SocketAddress(.loopbackV4, backend.port), try old.issue(dnsNames: [], ips: ["127.0.0.1"]))
        try write(token: "one", authority: old.pem)
        let client = try client(proxy.address.port)
        let key = ObjectKey(namespace: "a", name: "a")
        #expect(try client.get(service, key).resourceVersion == "1")
        // The serving certificate changes within the authority, as it does every year.
        try proxy.restart(try old.issue(dnsNames: [], ips: ["127.0.0.1"]))
        #expect(try client.get(service, key).resourceVersion == "1")
        try proxy.restart(try new.issue(dnsNames: [], ips: ["127.0.0.1"]))
        let error = try #require(throws: APIError.self) { try client.get(service, key, retry: .none) }
        guard case .transport(let problem) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(problem.kind == .tls)
        try directory.replace("ca.crt", with: old.pem + new.pem)
        #expect(try client.get(service, key, retry: .none).resourceVersion == "1")
        client.close()
    }

    private func client(_ port: UInt16) throws -> APIClient {
        let configuration = try ClientConfiguration.inCluster(
            environment: ["KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": String(port)],
            directory: directory.path)
        return try APIClient(configuration: configuration, userAgent: "sluice/test", logger: .disabled)
    }
}
