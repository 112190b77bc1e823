internal import KubernetesClient
internal import TestSupport
internal import YAML

extension FuzzTarget {
    /// A kubeconfig, read from its file as kubectl's are.
    static let kubeconfig = FuzzTarget(name: "kubeconfig", maxLength: 4096) { bytes in
        let content = Array(bytes)
        // It may name files, and what this machine has there is nobody's business.
        let text = String(decoding: content, as: UTF8.self)
        guard !["/dev", "/proc", "/sys", ".."].contains(where: { text.contains($0) }) else { return }
        let directory = try TemporaryDirectory()
        let path = try directory.write(content, to: "config")
        for context in [nil, "prod"] {
            let first = Reading(path, context)
            try requireEqual(Reading(path, context), first, "the same kubeconfig read twice")
            try first.check(content)
            guard case .usable = first else { continue }
            // What it means is what it says, however it is written.
            let nodes = YAMLStream(parsing: content).documents.prefix(1).map(\.root.rewritten)
            _ = try directory.write(YAMLEmitter.text(of: nodes), to: "config")
            try requireEqual(Reading(path, context), first, "the same kubeconfig written anew")
            _ = try directory.write(content, to: "config")
        }
    }
}

/// What came of a kubeconfig.
private enum Reading: Equatable {
    case usable(
        [String?], PEMSource?, IdentitySource?, CredentialSource, Impersonation?, isInsecure: Bool, shown: String)
    case refused(ConfigurationError)

    init(_ path: String, _ context: String?) {
        do throws(ConfigurationError) {
            let read = try ClientConfiguration.kubeconfig(path: path, context: context, environment: [:])
            self = .usable(
                [read.server, read.namespace, read.serverName, read.proxy], read.authority, read.identity,
                read.credentials, read.impersonation, isInsecure: read.isInsecure,
                shown: "\(read) \(String(reflecting: read))")
        } catch {
            self = .refused(error)
        }
    }

    func check(_ content: [UInt8]) throws {
        switch self {
        case .usable(
            let names, let authority, let identity, let credentials, let impersonation, let isInsecure, let shown):
            let server = names[0] ?? ""
            let isAddress = ["http://", "https://"].contains { server.lowercased().hasPrefix($0) }
            try require(isAddress && !server.hasSuffix("/"), "a server at \(server)")
            try require(names[1]?.isEmpty == false, "no namespace")
            try require(!isInsecure || authority == nil, "an authority that is not asked")
            for source in [authority, identity?.certificate, identity?.privateKey] {
                if case .data(let pem)? = source { try require(!pem.isEmpty, "PEM without a byte") }
                if case .file(let path)? = source { try require(path.hasPrefix("/"), "a relative path: \(path)") }
            }
            if case .exec(let plugin) = credentials { try require(!plugin.command.isEmpty, "no command") }
            if case .token(let token) = credentials { try require(!token.isEmpty, "an empty token") }
            try require(impersonation?.user.isEmpty != true, "impersonation of nobody")
            try requireNoSecret(of: content, in: shown)
        case .refused(let error):
            let lines = content.count { $0 == 10 || $0 == 13 } + 2
            try require((0...lines).contains(error.line), "line \(error.line) of \(lines)")
            try require(isOneLine("\(error)"), "more than one line: \(error)")
            try requireNoSecret(of: content, in: "\(error)")
        }
    }

    /// Words that stand once in the file, as what is secret, are in no message.
    private func requireNoSecret(of content: [UInt8], in message: String) throws {
        for document in YAMLStream(parsing: content).documents {
            for user in document.root["users"]?.elements ?? [] {
                for key in ["token", "password", "client-key-data"] {
                    guard let secret = user["user"]?[key]?.string, secret.utf8.count >= 8 else { continue }
                    let text = String(decoding: content, as: UTF8.self)
                    guard text.split(separator: secret, omittingEmptySubsequences: false).count == 2 else { continue }
                    try require(!message.contains(secret), "a secret in: \(message)")
                }
            }
        }
    }
}
