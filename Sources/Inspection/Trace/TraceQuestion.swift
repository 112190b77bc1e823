public import Primitives

/// A connection that is not made.
public struct TraceQuestion: Hashable, Sendable {
    /// What the client dials, 1–65535.
    public var port: UInt16
    /// As the client would send it in its ClientHello; nil: none.
    public var serverName: String?
    /// The client's address; nil: not said.
    public var client: IPAddress?
    /// What the client would offer, best first.
    public var alpn: [String]
    /// What it would connect to; nil: any address of ours.
    public var address: IPAddress?

    public init(
        port: UInt16, serverName: String? = nil, client: IPAddress? = nil, alpn: [String] = [],
        address: IPAddress? = nil
    ) {
        (self.port, self.serverName, self.client) = (port, serverName, client)
        (self.alpn, self.address) = (alpn, address)
    }

    /// The name as the engine compares it: lower case without a final dot; nil where a hello would count as one without.
    var name: String? {
        guard var name = serverName?.lowercased() else { return nil }
        if name.hasSuffix(".") { name.removeLast() }
        return HostnamePattern.isDNSName(name) && IPAddress(name) == nil ? name : nil
    }
}
