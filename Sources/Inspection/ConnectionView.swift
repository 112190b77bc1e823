public import EngineModel

/// One open connection, as `/connections` shows it: ``ConnectionInfo`` in words, with its rates.
public struct ConnectionView: Codable, Hashable, Sendable {
    /// A number in decimal. Text, because it is greater than what JavaScript counts exactly.
    public var id: String
    /// Of ``ConnectionInfo/State``.
    public var state: String
    /// `infra/edge/redis`: gateway namespace, gateway, listener.
    public var listener: String?
    public var port: Int?
    /// `TCPRoute infra/redis`.
    public var route: String?
    /// `Service infra/redis:6379`.
    public var backend: String?
    public var endpoint: String?
    /// Endpoints that were dialled.
    public var attempts: Int
    /// Who connects, with the port; as a PROXY header says, else the peer.
    public var client: String
    public var peer: String
    public var proxyProtocolVersion: Int?
    public var proxyUniqueID: String?
    public var serverName: String?
    public var tlsVersion: String?
    public var tlsCipher: String?
    public var alpn: String?
    public var ageMilliseconds: Int64
    /// Since the last byte in either direction.
    public var idleMilliseconds: Int64
    /// From the client.
    public var requestBytes: UInt64
    /// To the client.
    public var responseBytes: UInt64
    /// Bytes per second from the client, since somebody last looked at the connections, at most a minute ago; nil: nobody did.
    public var requestRate: UInt64?
    /// The same, to the client.
    public var responseRate: UInt64?

    public init(_ info: ConnectionInfo) {
        id = "\(info.id)"
        state = info.state.rawValue
        listener = info.listener.map { "\($0)" }
        port = info.port.map { Int($0) }
        route = info.route.map { "\($0)" }
        backend = info.backend.map { "\($0)" }
        (endpoint, attempts) = (info.endpoint, info.attempts)
        (client, peer) = ("\(info.client)", "\(info.peer)")
        (proxyProtocolVersion, proxyUniqueID) = (info.proxyProtocolVersion, info.proxyUniqueID)
        (serverName, tlsVersion, tlsCipher, alpn) = (info.serverName, info.tlsVersion, info.tlsCipher, info.alpn)
        ageMilliseconds = Int64(info.age / .milliseconds(1))
        idleMilliseconds = Int64(info.idle / .milliseconds(1))
        (requestBytes, responseBytes) = (info.requestBytes, info.responseBytes)
    }
}

/// The answer of `GET /connections`.
public struct ConnectionList: Codable, Hashable, Sendable {
    /// How many fit the filters; those beyond the limit are not listed.
    public var total: Int
    public var connections: [ConnectionView]

    public init(total: Int, connections: [ConnectionView]) { (self.total, self.connections) = (total, connections) }
}

/// The answer of `POST /connections/close`.
public struct ClosedConnections: Codable, Hashable, Sendable {
    /// As they were when they were closed.
    public var closed: [ConnectionView]

    public init(closed: [ConnectionView]) { self.closed = closed }
}
