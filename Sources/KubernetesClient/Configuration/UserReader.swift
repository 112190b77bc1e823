internal import Primitives

/// The user of a kubeconfig's context.
struct UserReader {
    let file: KubeconfigFile
    /// Where it stands.
    let field: String
    let user: Kubeconfig.User

    /// Adds who we are.
    func complete(_ configuration: inout ClientConfiguration, _ cluster: ClusterReader) throws(ConfigurationError) {
        configuration.identity = try identity()
        configuration.impersonation = try impersonation()
        if user.authProvider != nil {
            let text = "auth providers are no longer part of Kubernetes (since 1.26); use a credential plugin (exec)"
            throw file.error("\(field).auth-provider", text)
        }
        let hasToken = nonEmpty(user.token) != nil || nonEmpty(user.tokenFile) != nil
        let hasBasic = nonEmpty(user.username) != nil || nonEmpty(user.password) != nil
        if [hasToken, hasBasic, user.exec != nil].filter({ $0 }).count > 1 {
            throw file.error(field, "more than one of token, username and exec is given; only one may be")
        }
        if let path = nonEmpty(user.tokenFile) {
            let absolute = file.resolve(path)
            _ = try file.read(absolute, "\(field).tokenFile")
            configuration.credentials = .tokenFile(absolute)
        } else if let token = nonEmpty(user.token) {
            configuration.credentials = .token(token)
        } else if hasBasic {
            configuration.credentials = .basic(user: user.username ?? "", password: user.password ?? "")
        } else if let exec = user.exec {
            configuration.credentials = .exec(try plugin(exec, configuration, cluster))
        }
    }

    private func identity() throws(ConfigurationError) -> IdentitySource? {
        let certificate = try file.pem(
            data: user.certificateData, path: user.certificateFile, field, "client-certificate")
        let key = try file.pem(data: user.keyData, path: user.keyFile, field, "client-key")
        switch (certificate, key) {
        case (let certificate?, let key?): return IdentitySource(certificate: certificate, privateKey: key)
        case (nil, nil): return nil
        case (_?, nil): throw file.error(field, "a client certificate is given, but no client-key")
        case (nil, _?): throw file.error(field, "a client key is given, but no client-certificate")
        }
    }

    private func impersonation() throws(ConfigurationError) -> Impersonation? {
        let others = [user.impersonatedUID != nil, user.impersonatedGroups != nil, user.impersonatedExtra != nil]
        guard let name = nonEmpty(user.impersonated) else {
            if others.contains(true) { throw file.error(field, "as-uid, as-groups and as-user-extra need \"as\"") }
            return nil
        }
        return Impersonation(
            user: name, uid: user.impersonatedUID, groups: user.impersonatedGroups ?? [],
            extra: user.impersonatedExtra ?? [:])
    }

    private func plugin(
        _ exec: Kubeconfig.Exec, _ configuration: ClientConfiguration, _ cluster: ClusterReader
    ) throws(ConfigurationError) -> ExecPlugin {
        let field = "\(field).exec"
        let group = "client.authentication.k8s.io/"
        guard let version = exec.apiVersion, ["\(group)v1", "\(group)v1beta1"].contains(version) else {
            throw file.error("\(field).apiVersion", "is neither \(group)v1 nor \(group)v1beta1")
        }
        guard let command = nonEmpty(exec.command) else { throw file.error("\(field).command", "is missing") }
        try checkMode(exec, field, isV1: version == "\(group)v1")
        // A path with a slash is relative to the kubeconfig; a bare name is looked up in PATH.
        let isPath = command.contains("/")
        var plugin = ExecPlugin(
            version: String(version.dropFirst(group.count)), command: isPath ? file.resolve(command) : command)
        plugin.arguments = exec.args ?? []
        for variable in exec.env ?? [] { plugin.environment[variable.name] = variable.value }
        plugin.installHint = nonEmpty(exec.installHint)
        if exec.provideClusterInfo == true { plugin.clusterInfo = try cluster.info(configuration) }
        return plugin
    }

    private func checkMode(_ exec: Kubeconfig.Exec, _ field: String, isV1: Bool) throws(ConfigurationError) {
        switch exec.interactiveMode {
        case "Never", "IfAvailable": return
        case "Always":
            throw file.error("\(field).interactiveMode", "is Always: the plugin wants a terminal, and there is none")
        case nil, "":
            if isV1 { throw file.error("\(field).interactiveMode", "is missing: Never or IfAvailable") }
        case let mode?:
            throw file.error("\(field).interactiveMode", "is \"\(printable(mode))\": Never or IfAvailable")
        }
    }
}
