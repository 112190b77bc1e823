/// Where the API server is and who we are to it. Made from a kubeconfig or from a pod's files; what it names as files is
/// read when it is needed, and again when it changes. Its description holds no secret.
public struct ClientConfiguration: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// With scheme, and with the path where there is one; without a final slash.
    public var server: String
    /// Of objects whose namespace is not said: the context's, or the pod's.
    public var namespace: String
    /// Whom the server's certificate is verified against; nil: the authorities of the system.
    public var authority: PEMSource?
    /// The name that the server's certificate must hold, where it is not the URL's host.
    public var serverName: String?
    /// The server's certificate is not verified, because the kubeconfig says so.
    public var isInsecure = false
    /// nil: the environment's.
    public var proxy: String?
    public var identity: IdentitySource?
    public var credentials = CredentialSource.none
    public var impersonation: Impersonation?

    public init(server: String, namespace: String = "default") {
        (self.server, self.namespace) = (server, namespace)
    }

    public var description: String { "\(server) (namespace \(namespace))" }
    public var debugDescription: String { description }
}

/// PEM given in place, or by a file that may change.
public enum PEMSource: Hashable, Sendable {
    case data([UInt8])
    /// Absolute path.
    case file(String)
}

/// A client certificate with its key.
public struct IdentitySource: Hashable, Sendable {
    public var certificate: PEMSource
    public var privateKey: PEMSource

    public init(certificate: PEMSource, privateKey: PEMSource) {
        (self.certificate, self.privateKey) = (certificate, privateKey)
    }
}

/// What is said about us in each request.
public enum CredentialSource: Hashable, Sendable {
    case none
    case token(String)
    /// Absolute path; read again as it changes.
    case tokenFile(String)
    case basic(user: String, password: String)
    case exec(ExecPlugin)
}

/// For whom the requests are made, where the user may speak for others (`as` of a kubeconfig).
public struct Impersonation: Hashable, Sendable {
    public var user: String
    public var uid: String?
    public var groups: [String]
    public var extra: [String: [String]]

    public init(user: String, uid: String? = nil, groups: [String] = [], extra: [String: [String]] = [:]) {
        (self.user, self.uid, self.groups, self.extra) = (user, uid, groups, extra)
    }
}

/// A program that prints credentials (client.authentication.k8s.io).
public struct ExecPlugin: Hashable, Sendable {
    /// `v1` or `v1beta1`.
    public var version: String
    /// A name to be looked up in PATH, or an absolute path.
    public var command: String
    public var arguments: [String] = []
    /// On top of our own environment.
    public var environment: [String: String] = [:]
    /// Shown when the command is missing.
    public var installHint: String?
    /// What the plugin is told about the cluster: a JSON object (`spec.cluster`); nil where it does not ask.
    public var clusterInfo: String?

    public init(version: String, command: String) { (self.version, self.command) = (version, command) }
}

/// Why there is no usable configuration, in words for whoever wrote it.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public var file: String?
    /// 1-based; 0 when it is not known.
    public var line: Int
    /// Such as `users[0].user.exec.command`; empty for the file as a whole.
    public var field: String
    public var message: String

    public init(file: String? = nil, line: Int = 0, field: String = "", message: String) {
        (self.file, self.line, self.field, self.message) = (file, line, field, message)
    }

    /// `/home/me/.kube/config:12: contexts[0].context.cluster: there is no cluster "a"`
    public var description: String {
        var parts: [String] = []
        if let file { parts.append(line > 0 ? "\(file):\(line)" : file) }
        if !field.isEmpty { parts.append(field) }
        parts.append(message)
        return parts.joined(separator: ": ")
    }
}
