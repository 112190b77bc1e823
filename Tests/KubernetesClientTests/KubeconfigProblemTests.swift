import KubernetesClient
import TestSupport
import Testing

@Suite("Kubeconfigs that cannot be used")
struct KubeconfigProblemTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        /// After the path of the file.
        var error: String
        var testDescription: String { error }
    }

    private static let head = """
        current-context: c
        contexts: [{name: c, context: {cluster: k, user: u}}]

        """

    private static func cluster(_ fields: String) -> String {
        head + "clusters: [{name: k, cluster: {\(fields)}}]\nusers: [{name: u, user: {}}]\n"
    }

    private static func user(_ fields: String) -> String {
        head + "clusters: [{name: k, cluster: {server: \"https://a\"}}]\nusers: [{name: u, user: {\(fields)}}]\n"
    }

    private static let exec = "apiVersion: client.authentication.k8s.io/v1"

    static let cases: [Case] = [
        Case(text: "", error: ": current-context: is not set, and no context is given; there is none at all"),
        Case(text: "a: [", error: ":2: did not find expected node content while parsing a flow node"),
        Case(text: "clusters: 3", error: ":1: clusters: expected a list, found 3"),
        Case(
            text: "current-context: x\ncontexts: [{name: a}, {name: b}]",
            error: ":1: current-context: there is no context \"x\"; there are: a, b"),
        Case(
            text: "current-context: c\ncontexts:\n- name: c\n  context: {cluster: k}",
            error: ":4: contexts[0].context.cluster: there is no cluster \"k\"; there is none at all"),
        Case(
            text: "current-context: c\ncontexts: [{name: c}]",
            error: ":2: contexts[0].context: the context names no cluster"),
        Case(text: cluster(""), error: ":3: clusters[0].cluster.server: is missing: the address of the API server"),
        Case(
            text: cluster("server: \"ftp://a\""),
            error: ":3: clusters[0].cluster.server: begins with neither https:// nor http://"),
        Case(
            text: cluster("server: \"https://me:pass@a\""),
            error: ":3: clusters[0].cluster.server: is no address of a server: scheme, host, port and path"),
        Case(
            text: cluster("server: \"https://a\", certificate-authority: gone.crt"),
            error:
                ":3: clusters[0].cluster.certificate-authority: DIR/gone.crt: cannot be read: No such file or directory"
        ),
        Case(
            text: cluster("server: \"https://a\", certificate-authority-data: \"***\""),
            error: ":3: clusters[0].cluster.certificate-authority-data: is not base64"),
        Case(
            text: cluster("server: \"https://a\", insecure-skip-tls-verify: true, certificate-authority-data: Q0E="),
            error: ":3: clusters[0].cluster.insecure-skip-tls-verify: "
                + "a certificate authority is given, too: one of both must go"),
        Case(
            text: cluster("server: \"https://a\", proxy-url: \"ssh://b\""),
            error: ":3: clusters[0].cluster.proxy-url: begins with none of http://, https://, socks5://, socks5h://"),
        Case(
            text: head + "clusters: [{name: k, cluster: {server: \"https://a\"}}]",
            error: ":2: contexts[0].context.user: there is no user \"u\"; there is none at all"),
        Case(
            text: user("client-certificate-data: Q0E="),
            error: ":4: users[0].user: a client certificate is given, but no client-key"),
        Case(
            text: user("client-key-data: Q0E="),
            error: ":4: users[0].user: a client key is given, but no client-certificate"),
        Case(
            text: user("token: a, username: b"),
            error: ":4: users[0].user: more than one of token, username and exec is given; only one may be"),
        Case(text: user("token: 12345678"), error: ":4: users[0].user.token: is no string: put it in quotes"),
        Case(
            text: user("tokenFile: gone"),
            error: ":4: users[0].user.tokenFile: DIR/gone: cannot be read: No such file or directory"),
        Case(
            text: user("as-groups: [a]"), error: ":4: users[0].user: as-uid, as-groups and as-user-extra need \"as\""),
        Case(
            text: user("auth-provider: {name: gcp}"),
            error: ":4: users[0].user.auth-provider: auth providers are no longer part of Kubernetes (since 1.26); "
                + "use a credential plugin (exec)"),
        Case(
            text: user("exec: {command: a}"),
            error: ":4: users[0].user.exec.apiVersion: is neither client.authentication.k8s.io/v1 "
                + "nor client.authentication.k8s.io/v1beta1"),
        Case(text: user("exec: {\(exec)}"), error: ":4: users[0].user.exec.command: is missing"),
        Case(
            text: user("exec: {\(exec), command: a}"),
            error: ":4: users[0].user.exec.interactiveMode: is missing: Never or IfAvailable"),
        Case(
            text: user("exec: {\(exec), command: a, interactiveMode: Always}"),
            error: ":4: users[0].user.exec.interactiveMode: is Always: the plugin wants a terminal, and there is none"),
    ]

    @Test("the file, the line, the field and what is wrong with it", arguments: cases)
    func named(_ one: Case) throws {
        let path = try directory.write(one.text, to: "config")
        let error = try #require(throws: ConfigurationError.self) {
            try ClientConfiguration.kubeconfig(path: path, context: nil, environment: [:])
        }
        let expected = path + one.error.split(separator: "DIR").joined(separator: directory.path)
        #expect(error.description == expected)
    }

    @Test("a file that is not there, a list of them, and nowhere to look")
    func absent() throws {
        let given = try #require(throws: ConfigurationError.self) {
            try ClientConfiguration.kubeconfig(path: "/no/such/config", context: nil, environment: [:])
        }
        #expect(given.description == "/no/such/config: there is no such file")
        let listed = try #require(throws: ConfigurationError.self) {
            try ClientConfiguration.kubeconfig(path: nil, context: nil, environment: ["KUBECONFIG": "/no/a:/no/b"])
        }
        #expect(listed.description == "there is no kubeconfig: /no/a, /no/b")
        let nowhere = try #require(throws: ConfigurationError.self) {
            try ClientConfiguration.kubeconfig(path: nil, context: nil, environment: [:])
        }
        #expect(nowhere.description == "neither KUBECONFIG nor HOME is set, and no kubeconfig is given")
    }

    @Test("a context that was asked for and is not there")
    func noContext() throws {
        let path = try directory.write(Self.user("token: a"), to: "config")
        let error = try #require(throws: ConfigurationError.self) {
            try ClientConfiguration.kubeconfig(path: path, context: "x", environment: [:])
        }
        #expect(error.description == "\(path): there is no context \"x\"; there are: c")
    }
}
