internal import Primitives

/// `PORT:APP_PORT`: TLS ends on one port of the pod, and the application gets the stream on another.
public struct TerminatedPort: Hashable, Sendable {
    public var port: Int
    public var applicationPort: Int

    /// Nil unless both are ports and differ.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let port = portNumber(parts[0]), let applicationPort = portNumber(parts[1]),
            port != applicationPort
        else { return nil }
        (self.port, self.applicationPort) = (port, applicationPort)
    }
}

/// `PORT:HOST:PORT`: what dials the pod's own loopback at the first port reaches the host's port over TLS.
public struct DialledPort: Hashable, Sendable {
    public var port: Int
    public var host: String
    public var remotePort: Int

    /// Nil unless both are ports and the host is a DNS name that a Backend may have: certificates are held against it.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let port = portNumber(parts[0]), let remotePort = portNumber(parts[2]),
            case .exact(let host)? = HostnamePattern(parts[1]), !Self.isRefused(host)
        else { return nil }
        (self.port, self.host, self.remotePort) = (port, host, remotePort)
    }

    private static func isRefused(_ host: String) -> Bool {
        host == "localhost" || [".localhost", ".svc", ".svc.cluster.local"].contains { host.hasSuffix($0) }
    }
}

/// The kind and name of an object that holds `ca.crt`.
public struct AuthorityReference: Hashable, Sendable {
    public var isSecret: Bool
    public var name: String

    /// `NAME` or `configmap/NAME`, and `secret/NAME`.
    public init?(_ text: String) {
        var name = text[...]
        isSecret = text.hasPrefix("secret/")
        for prefix in ["secret/", "configmap/"] where text.hasPrefix(prefix) { name = text.dropFirst(prefix.count) }
        guard HostnamePattern.isDNSName(String(name)) else { return nil }
        self.name = String(name)
    }
}

private func portNumber(_ text: Substring) -> Int? {
    guard text.allSatisfy(\.isNumber), let port = Int(text), (1...65535).contains(port) else { return nil }
    return port
}

private func portNumber(_ text: some StringProtocol) -> Int? { portNumber(Substring(text)) }
