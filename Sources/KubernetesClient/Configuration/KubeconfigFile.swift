internal import Platform
internal import YAML

/// A kubeconfig as it is written (apiVersion v1, kind Config). Unknown fields are nobody's business here.
struct Kubeconfig: Decodable {
    struct NamedCluster: Decodable {
        var name: String
        var cluster: Cluster?
    }
    struct NamedContext: Decodable {
        var name: String
        var context: Context?
    }
    struct NamedUser: Decodable {
        var name: String
        var user: User?
    }

    struct Cluster: Decodable {
        var server: String?
        var authorityFile: String?
        var authorityData: String?
        var isInsecure: Bool?
        var serverName: String?
        var proxy: String?
        var extensions: [NamedExtension]?

        enum CodingKeys: String, CodingKey {
            case server, extensions
            case authorityFile = "certificate-authority"
            case authorityData = "certificate-authority-data"
            case isInsecure = "insecure-skip-tls-verify"
            case serverName = "tls-server-name"
            case proxy = "proxy-url"
        }
    }

    /// Its content is read from the tree, as whatever it is.
    struct NamedExtension: Decodable { var name: String }

    struct Context: Decodable {
        var cluster: String?
        var user: String?
        var namespace: String?
    }

    struct User: Decodable {
        var certificateFile: String?
        var certificateData: String?
        var keyFile: String?
        var keyData: String?
        var token: String?
        var tokenFile: String?
        var username: String?
        var password: String?
        var exec: Exec?
        var authProvider: Anything?
        var impersonated: String?
        var impersonatedUID: String?
        var impersonatedGroups: [String]?
        var impersonatedExtra: [String: [String]]?

        enum CodingKeys: String, CodingKey {
            case token, tokenFile, username, password, exec
            case authProvider = "auth-provider"
            case certificateFile = "client-certificate"
            case certificateData = "client-certificate-data"
            case keyFile = "client-key"
            case keyData = "client-key-data"
            case impersonated = "as"
            case impersonatedUID = "as-uid"
            case impersonatedGroups = "as-groups"
            case impersonatedExtra = "as-user-extra"
        }
    }

    /// It is there; what it holds is not read.
    struct Anything: Decodable { init(from decoder: any Decoder) {} }

    struct Exec: Decodable {
        struct Variable: Decodable {
            var name: String
            var value: String
        }

        var apiVersion: String?
        var command: String?
        var args: [String]?
        var env: [Variable]?
        var installHint: String?
        var provideClusterInfo: Bool?
        var interactiveMode: String?
    }

    var currentContext: String?
    var clusters: [NamedCluster]?
    var contexts: [NamedContext]?
    var users: [NamedUser]?

    enum CodingKeys: String, CodingKey {
        case clusters, contexts, users
        case currentContext = "current-context"
    }
}

/// One file with its place, for messages and for paths that are relative to its folder.
struct KubeconfigFile {
    let path: String
    let root: YAMLNode
    let content: Kubeconfig

    /// nil where there is no such file.
    init?(ifThereAt path: String) throws(ConfigurationError) {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try readFile(path)
        } catch {
            if error == .noEntry { return nil }
            throw ConfigurationError(file: path, message: "cannot be read: \(error)")
        }
        self.path = path
        let stream = YAMLStream(parsing: bytes, file: path)
        if let problem = stream.problem ?? stream.documents.first?.problems.first {
            throw ConfigurationError(problem, path)
        }
        root = stream.documents.first?.root ?? YAMLNode(.mapping([]))
        if root.isNull {
            content = Kubeconfig()
            return
        }
        do throws(YAMLProblem) {
            content = try YAMLDecoder(file: path).decode(Kubeconfig.self, from: root).value
        } catch {
            throw ConfigurationError(error, path)
        }
    }

    /// With the line of the deepest node on the way to `field`.
    func error(_ field: String, _ message: String) -> ConfigurationError {
        ConfigurationError(file: path, line: root.nearestNode(atField: field).line, field: field, message: message)
    }

    /// A path in the file, which is relative to the file's folder.
    func resolve(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let slash = self.path.lastIndex(of: "/") else { return path }
        return "\(self.path[..<slash])/\(path)"
    }
}

extension ConfigurationError {
    init(_ problem: YAMLProblem, _ path: String) {
        // The decoder shows what it found, which here may be a secret.
        let isSecret = ["token", "password", "-data", "value"].contains { problem.field.hasSuffix($0) }
        let message = isSecret ? "is no string: put it in quotes" : problem.message
        self.init(file: problem.file ?? path, line: problem.line, field: problem.field, message: message)
    }
}
