import KubernetesClient
import TestSupport
import Testing

@Suite("Kubeconfig")
struct KubeconfigTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func read(_ text: String, context: String? = nil) throws -> ClientConfiguration {
        let path = try directory.write(text, to: "config")
        return try ClientConfiguration.kubeconfig(path: path, context: context, environment: [:])
    }

    /// A whole kubeconfig with these fields of its cluster and its user (flow style).
    private func text(cluster: String = "", user: String = "") -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: one
        contexts:
        - name: one
          context: {cluster: k, user: u}
        clusters:
        - name: k
          cluster: {server: "https://api.test:6443/"\(cluster.isEmpty ? "" : ", ")\(cluster)}
        users:
        - name: u
          user: {\(user)}
        """
    }

    @Test("the current context: server, namespace, authority, names, proxy")
    func wholeCluster() throws {
        let configuration = try read(
            text(
                cluster: """
                    certificate-authority-data: Q0E=, tls-server-name: other.test, proxy-url: "socks5://127.0.0.1:1080"
                    """))
        #expect(configuration.server == "https://api.test:6443")
        #expect(configuration.namespace == "default")
        #expect(configuration.authority == .data(Array("CA".utf8)))
        #expect(configuration.serverName == "other.test")
        #expect(configuration.proxy == "socks5://127.0.0.1:1080")
        #expect(!configuration.isInsecure)
        #expect(configuration.credentials == .none)
    }

    @Test("another context by name, with its namespace and without a user")
    func otherContext() throws {
        let two = try read(
            """
            clusters: [{name: k, cluster: {server: "http://127.0.0.1:8001/base/path/"}}]
            contexts: [{name: two, context: {cluster: k, namespace: db}}]
            """, context: "two")
        #expect(two.server == "http://127.0.0.1:8001/base/path")
        #expect(two.namespace == "db")
    }

    @Test("files are relative to the kubeconfig's folder")
    func files() throws {
        try directory.write("CERT", to: "pki/tls.crt")
        try directory.write("KEY", to: "pki/tls.key")
        try directory.write("CA", to: "pki/ca.crt")
        let configuration = try read(
            text(
                cluster: "certificate-authority: pki/ca.crt",
                user: "client-certificate: pki/tls.crt, client-key: pki/tls.key"))
        #expect(configuration.authority == .file("\(directory.path)/pki/ca.crt"))
        #expect(
            configuration.identity
                == IdentitySource(
                    certificate: .file("\(directory.path)/pki/tls.crt"),
                    privateKey: .file("\(directory.path)/pki/tls.key")))
    }

    @Test("what is given in place goes before the file")
    func dataFirst() throws {
        let configuration = try read(
            text(cluster: "certificate-authority: absent.crt, certificate-authority-data: Q0E="))
        #expect(configuration.authority == .data(Array("CA".utf8)))
    }

    @Test(
        "ways to say who we are",
        arguments: [
            ("token: abc", CredentialSource.token("abc")),
            ("username: me, password: p", .basic(user: "me", password: "p")),
            ("", .none),
        ])
    func users(user: String, expected: CredentialSource) throws {
        #expect(try read(text(user: user)).credentials == expected)
    }

    @Test("a token file goes before a token, and is read later")
    func tokenFile() throws {
        try directory.write("t1\n", to: "token")
        let configuration = try read(text(user: "token: abc, tokenFile: token"))
        #expect(configuration.credentials == .tokenFile("\(directory.path)/token"))
    }

    @Test("for whom we speak")
    func impersonation() throws {
        let configuration = try read(text(user: "token: t, as: jane, as-groups: [a, b], as-user-extra: {x: [\"1\"]}"))
        #expect(configuration.impersonation == Impersonation(user: "jane", groups: ["a", "b"], extra: ["x": ["1"]]))
    }

    @Test("a plugin with its arguments, its variables and what it is told of the cluster")
    func plugin() throws {
        let configuration = try read(
            text(
                cluster: """
                    certificate-authority-data: Q0E=, extensions: [{name: client.authentication.k8s.io/exec, \
                    extension: {audience: x, count: 3}}]
                    """,
                user: """
                    exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login, args: [--now], \
                    env: [{name: A, value: "1"}], interactiveMode: IfAvailable, provideClusterInfo: true, \
                    installHint: get it}
                    """))
        guard case .exec(let plugin) = configuration.credentials else {
            Issue.record("no plugin: \(configuration)")
            return
        }
        #expect(plugin.version == "v1")
        #expect(plugin.command == "\(directory.path)/./bin/login")
        #expect(plugin.arguments == ["--now"])
        #expect(plugin.environment == ["A": "1"])
        #expect(plugin.installHint == "get it")
        let info = try #require(plugin.clusterInfo)
        for part in [
            #""server":"https://api.test:6443""#, #""certificate-authority-data":"Q0E=""#, #""audience":"x""#,
            #""count":3"#,
        ] {
            #expect(info.contains(part), "\(info)")
        }
    }

    @Test("the list of KUBECONFIG: missing files are passed over, of an entry that several have the first counts")
    func merged() throws {
        let first = try directory.write(
            """
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://first.test"}}]
            """, to: "a/first")
        let second = try directory.write(
            """
            current-context: c
            contexts: [{name: c, context: {cluster: other}}]
            clusters: [{name: k, cluster: {server: "https://second.test"}}]
            users: [{name: u, user: {tokenFile: token}}]
            """, to: "b/second")
        try directory.write("t", to: "b/token")
        let list = "\(first)::\(directory.path)/absent:\(second)"
        let configuration = try ClientConfiguration.kubeconfig(
            path: nil, context: nil, environment: ["KUBECONFIG": list])
        #expect(configuration.server == "https://first.test")
        #expect(configuration.credentials == .tokenFile("\(directory.path)/b/token"))
    }

    @Test("without KUBECONFIG: the file in the home directory")
    func home() throws {
        try directory.write(text(), to: ".kube/config")
        let configuration = try ClientConfiguration.kubeconfig(
            path: nil, context: nil, environment: ["HOME": directory.path])
        #expect(configuration.server == "https://api.test:6443")
    }

    @Test("JSON is YAML")
    func json() throws {
        let configuration = try read(
            #"{"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k"}}],"#
                + #""clusters":[{"name":"k","cluster":{"server":"https://[::1]:6443"}}]}"#)
        #expect(configuration.server == "https://[::1]:6443")
    }

    @Test("a description shows no secret")
    func description() throws {
        let configuration = try read(text(user: "token: secret-words"))
        for text in ["\(configuration)", String(reflecting: configuration)] { #expect(!text.contains("secret-words")) }
    }
}
