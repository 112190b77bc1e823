internal import KubernetesAPI
internal import Platform
internal import Primitives
internal import TestAPIServer
internal import TestSupport

/// Sluice installed, as manifests/sluice.yaml has it, at an API server of the test's own: with kubectl, and with exactly
/// the rights of the manifests for the replicas.
final class TestInstallation: Sendable {
    let server: TestAPIServer
    /// As an administrator.
    let kubectl: Kubectl
    /// For replicas: with the service account's token.
    let kubeconfig: String
    /// From which Services get their ports: none that another test uses.
    let ports: ClosedRange<UInt16>
    /// The token file of the replicas.
    let tokenFile: String
    private let folder: TemporaryDirectory

    /// `through`: where replicas reach the server, with the authority that its certificate is verified against; nil: in
    /// clear, directly.
    init(_ change: (inout TestAPIServer.Options) -> Void = { _ in }) throws {
        var options = TestAPIServer.Options()
        // kubectl sends no token in clear: who sends none is the administrator. Replicas always send theirs.
        (options.tokens, options.anonymous) = (["administrator": .admin], .admin)
        change(&options)
        server = try TestAPIServer.start(options)
        folder = try TemporaryDirectory()
        ports = try Ports.freeRange(of: 40)
        tokenFile = try folder.write("sluice-1", to: "token")
        kubeconfig = try folder.write(
            TestInstallation.kubeconfig(server.url, user: "tokenFile: \(tokenFile)"), to: "replica.yaml")
        kubectl = try Kubectl(
            kubeconfig: folder.write(
                TestInstallation.kubeconfig(server.url, user: "token: administrator"), to: "administrator.yaml"))
        try kubectl("apply", "--server-side", "-f", "\(Installation.root)/crds")
        try kubectl("apply", "-f", "\(Installation.root)/manifests/sluice.yaml")
        try grantRights()
    }

    static let account = "system:serviceaccount:sluice-system:sluice"

    /// A kubeconfig for another way to the server, with the replicas' token.
    func kubeconfig(through url: String, authorityFile: String) throws -> String {
        let text = TestInstallation.kubeconfig(
            url, cluster: "certificate-authority: \(authorityFile)", user: "tokenFile: \(tokenFile)")
        return try folder.write(text, to: "through.yaml")
    }

    /// Starts a replica; the first one that runs leads.
    func replica(
        _ name: String = "sluice-a", kubeconfig: String? = nil, flags: [String] = [],
        environment: [String: String] = [:], surrounding: [String] = [], companions: [any Sendable] = []
    ) throws -> Replica {
        try Replica(
            name, kubeconfig: kubeconfig ?? self.kubeconfig,
            flags: ["--namespace", "sluice-system", "--port-range", "\(ports.lowerBound)-\(ports.upperBound)"] + flags,
            environment: environment, surrounding: surrounding, companions: companions)
    }

    /// Replaces the replicas' token in its file, as the kubelet does; the old one is refused from now on.
    func rotateToken(to token: String) throws {
        let rules = server.tokens.values.first { $0.user == TestInstallation.account }?.rules ?? []
        server.tokens[token] = AccessToken(user: TestInstallation.account, rules: rules)
        try folder.replace("token", with: token)
        for old in server.tokens.keys where old != token && server.tokens[old]?.user == TestInstallation.account {
            server.tokens[old] = nil
        }
    }

    /// The replicas have the rights of manifests/namespaced in these namespaces, and nothing of cluster scope.
    func restrict(to namespaces: [String]) throws {
        var rules = try rules(of: "Role", in: "sluice-system")
        for namespace in namespaces {
            try kubectl("apply", "-n", namespace, "-f", "\(Installation.root)/manifests/namespaced/namespace.yaml")
            rules += try self.rules(of: "Role", in: namespace, named: "sluice-watch")
        }
        server.tokens["sluice-1"] = AccessToken(user: TestInstallation.account, rules: rules)
    }

    /// The replicas lose every right on a resource.
    func withdrawRights(on resource: String) {
        var token = server.tokens["sluice-1"] ?? AccessToken(user: TestInstallation.account, rules: [])
        for index in token.rules.indices { token.rules[index].resources.remove(resource) }
        server.tokens["sluice-1"] = token
    }

    /// The replicas have what manifests/sluice.yaml grants.
    func grantRights() throws {
        server.tokens["sluice-1"] = AccessToken(
            user: TestInstallation.account,
            rules: try rules(of: "ClusterRole", in: "") + rules(of: "Role", in: "sluice-system"))
    }

    /// The rules of a role, as they were applied.
    private func rules(of kind: String, in namespace: String, named name: String = "sluice") throws -> [AccessRule] {
        let rules = server.object(kind, namespace, name)?["rules"]?.elements ?? []
        guard !rules.isEmpty else { throw TestFailure("there is no \(kind) with rules in '\(namespace)'") }
        return rules.map { AccessRule($0, namespaces: namespace.isEmpty ? nil : [namespace]) }
    }

    private static func kubeconfig(_ server: String, cluster: String = "", user: String) -> String {
        """
        apiVersion: v1
        kind: Config
        current-context: test
        clusters: [{name: test, cluster: {server: "\(server)"\(cluster.isEmpty ? "" : ", ")\(cluster)}}]
        users: [{name: test, user: {\(user)}}]
        contexts: [{name: test, context: {cluster: test, user: test}}]
        """
    }
}

extension AccessRule {
    /// A rule of a Role as JSON.
    fileprivate init(_ rule: JSONValue, namespaces: Set<String>?) {
        func texts(_ field: String) -> Set<String> { Set((rule[field]?.elements ?? []).compactMap(\.text)) }
        self.init(
            verbs: texts("verbs"), groups: texts("apiGroups"), resources: texts("resources"), namespaces: namespaces,
            names: rule["resourceNames"] == nil ? nil : texts("resourceNames"))
    }
}
