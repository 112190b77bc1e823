internal import FoundationEssentials
internal import KubernetesAPI
internal import Primitives
internal import YAML

/// The cluster of a kubeconfig's context.
struct ClusterReader {
    /// The extension whose content plugins are given (KEP-541).
    private static let execExtension = "client.authentication.k8s.io/exec"

    let file: KubeconfigFile
    /// Where it stands.
    let field: String
    let cluster: Kubeconfig.Cluster

    func configuration(namespace: String) throws(ConfigurationError) -> ClientConfiguration {
        guard let server = cluster.server, !server.isEmpty else {
            throw file.error("\(field).server", "is missing: the address of the API server")
        }
        var configuration = ClientConfiguration(server: try address(server), namespace: namespace)
        configuration.authority = try file.pem(
            data: cluster.authorityData, path: cluster.authorityFile, field, "certificate-authority")
        configuration.isInsecure = cluster.isInsecure ?? false
        if configuration.isInsecure, configuration.authority != nil {
            throw file.error(
                "\(field).insecure-skip-tls-verify", "a certificate authority is given, too: one of both must go")
        }
        configuration.serverName = nonEmpty(cluster.serverName)
        if let proxy = nonEmpty(cluster.proxy) {
            let schemes = ["http://", "https://", "socks5://", "socks5h://"]
            guard schemes.contains(where: { proxy.lowercased().hasPrefix($0) }) else {
                throw file.error("\(field).proxy-url", "begins with none of \(schemes.joined(separator: ", "))")
            }
            configuration.proxy = proxy
        }
        return configuration
    }

    /// As kubectl does: a host without a scheme is spoken to by TLS where anything about TLS is said.
    private func address(_ text: String) throws(ConfigurationError) -> String {
        var whole = text
        while whole.hasSuffix("/") { whole.removeLast() }
        if !whole.contains("://") {
            let saysTLS = cluster.authorityData != nil || cluster.authorityFile != nil || cluster.isInsecure == true
            whole = (saysTLS ? "https://" : "http://") + whole
        }
        let lower = whole.lowercased()
        guard lower.hasPrefix("https://") || lower.hasPrefix("http://") else {
            throw file.error("\(field).server", "begins with neither https:// nor http://")
        }
        let authority = whole.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" }
        guard !authority.isEmpty, !authority.contains("@"), !whole.contains("?"), !whole.contains("#") else {
            throw file.error("\(field).server", "is no address of a server: scheme, host, port and path")
        }
        return whole
    }

    /// What a plugin that asks for it is told (`spec.cluster` of its input), as JSON.
    func info(_ configuration: ClientConfiguration) throws(ConfigurationError) -> String {
        var fields: [String: JSONValue] = ["server": .string(configuration.server)]
        if let name = configuration.serverName { fields["tls-server-name"] = .string(name) }
        if configuration.isInsecure { fields["insecure-skip-tls-verify"] = .bool(true) }
        if let proxy = configuration.proxy { fields["proxy-url"] = .string(proxy) }
        switch configuration.authority {
        case .data(let pem): fields["certificate-authority-data"] = .string(Data(pem).base64EncodedString())
        case .file(let path):
            let pem = try file.read(path, "\(field).certificate-authority")
            fields["certificate-authority-data"] = .string(Data(pem).base64EncodedString())
        case nil: break
        }
        if let config = try extensionValue() { fields["config"] = config }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(JSONValue.object(fields)) else { return "{}" }
        return String(decoding: json, as: UTF8.self)
    }

    private func extensionValue() throws(ConfigurationError) -> JSONValue? {
        guard let index = cluster.extensions?.firstIndex(where: { $0.name == ClusterReader.execExtension }) else {
            return nil
        }
        let place = "\(field).extensions[\(index)].extension"
        let node = file.root.nearestNode(atField: place)
        do throws(YAMLProblem) {
            return try YAMLDecoder(file: file.path).decode(JSONValue.self, from: node, prefix: place).value
        } catch {
            throw ConfigurationError(error, file.path)
        }
    }
}

func nonEmpty(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }

extension KubeconfigFile {
    /// PEM in place or by file, the former first, as kubectl has it; a file must be there.
    func pem(data: String?, path: String?, _ field: String, _ name: String) throws(ConfigurationError) -> PEMSource? {
        if let data = nonEmpty(data) {
            let text = data.filter { !$0.isWhitespace }
            guard let bytes = Data(base64Encoded: text), !bytes.isEmpty else {
                throw error("\(field).\(name)-data", "is not base64")
            }
            return .data(Array(bytes))
        }
        guard let path = nonEmpty(path) else { return nil }
        let absolute = resolve(path)
        _ = try read(absolute, "\(field).\(name)")
        return .file(absolute)
    }

    /// A file that the configuration names.
    func read(_ path: String, _ field: String) throws(ConfigurationError) -> [UInt8] {
        do throws(ConfigurationError) {
            return try contentOf(path)
        } catch {
            throw self.error(field, "\(path): \(error.message)")
        }
    }
}
