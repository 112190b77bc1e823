public import EngineModel
public import Primitives

/// What can be said of one open connection: a copy, taken while it goes on.
public struct ConnectionInfo: Hashable, Sendable {
    /// Where it stands.
    public enum State: String, Hashable, Sendable {
        case inspecting, handshaking, connecting, relaying, closing
    }

    /// Unique in the process.
    public var id: UInt64
    public var state: State
    public var listener: ListenerID?
    public var route: RouteID?
    public var backend: BackendID?
    /// The endpoint that is connected or being connected to.
    public var endpoint: String?
    /// Who connects: as a PROXY header says, else the peer.
    public var client: SocketAddress
    /// The other end of the connection that was accepted.
    public var peer: SocketAddress
    /// That of the PROXY protocol's header which named the client, 1 or 2; nil without one.
    public var proxyProtocolVersion: Int?
    /// The connection's name in that header (PP2_TYPE_UNIQUE_ID), at most 128 bytes; those that are not UTF-8 are replaced.
    public var proxyUniqueID: String?
    /// As the client sent it; nil without SNI and on plain TCP.
    public var serverName: String?
    /// Negotiated with the client; nil where TLS is not terminated.
    public var tlsVersion: String?
    public var alpn: String?
    /// Since accept.
    public var age: Duration
    /// Since the last byte in either direction.
    public var idle: Duration
    /// From the client.
    public var requestBytes: UInt64
    /// To the client.
    public var responseBytes: UInt64
}

extension Engine {
    /// The open connections that `isWanted`, at most `limit` of them, in no order. Workers walk their slots a few at a
    /// time between turns; nobody's traffic waits. `isWanted` runs on the workers' threads. Blocks for milliseconds.
    public func connections(
        limit: Int = .max, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool = { _ in true }
    ) -> [ConnectionInfo] { walk(SlotWalk(limit: limit, closes: nil, isWanted: isWanted)) }

    /// Ends the open connections that `isWanted` and returns them as they were. Both sides see a FIN.
    public func closeConnections(
        reason: CloseReason = .adminClosed, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool
    ) -> [ConnectionInfo] { walk(SlotWalk(limit: .max, closes: reason, isWanted: isWanted)) }
}
