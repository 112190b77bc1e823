internal import Platform
internal import Primitives

extension ClientConfiguration {
    /// Where Kubernetes puts a pod's credentials.
    public static let serviceAccountDirectory = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// Whether the process runs in a pod that may speak to its API server.
    public static func isInCluster(
        environment: [String: String], directory: String = serviceAccountDirectory
    ) -> Bool {
        environment["KUBERNETES_SERVICE_HOST"]?.isEmpty == false
            && (try? FileStatus(of: "\(directory)/token")) != nil
    }

    /// The configuration of a pod: address from KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT, the rest from
    /// `directory`. Token and CA are read when they are needed, and again as they rotate.
    public static func inCluster(
        environment: [String: String], directory: String = serviceAccountDirectory
    ) throws(ConfigurationError) -> ClientConfiguration {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else {
            throw ConfigurationError(
                message: "KUBERNETES_SERVICE_HOST is not set: this is no pod of a cluster")
        }
        let port = environment["KUBERNETES_SERVICE_PORT"] ?? "443"
        guard let number = UInt16(port), number > 0 else {
            throw ConfigurationError(message: "KUBERNETES_SERVICE_PORT is no port: \"\(printable(port))\"")
        }
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        let authority = bare.contains(":") ? "[\(bare)]" : bare
        var configuration = ClientConfiguration(server: "https://\(authority):\(number)")
        configuration.authority = .file("\(directory)/ca.crt")
        configuration.credentials = .tokenFile("\(directory)/token")
        for name in ["token", "ca.crt"] { _ = try contentOf("\(directory)/\(name)") }
        if let text = try? readFile("\(directory)/namespace") {
            let name = String(decoding: text, as: UTF8.self).trimmed
            if !name.isEmpty { configuration.namespace = name }
        }
        return configuration
    }
}

/// The content of a file that must be readable and not empty.
func contentOf(_ path: String) throws(ConfigurationError) -> [UInt8] {
    let content: [UInt8]
    do throws(Errno) {
        content = try readFile(path)
    } catch {
        throw ConfigurationError(file: path, message: "cannot be read: \(error)")
    }
    guard !content.isEmpty else { throw ConfigurationError(file: path, message: "the file is empty") }
    return content
}

extension String {
    /// Without spaces, tabs and line ends at both ends.
    var trimmed: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" || character.isNewline }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
