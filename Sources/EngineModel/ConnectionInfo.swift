public import Primitives

/// What can be said of one open connection: a copy, taken while it goes on.
public struct ConnectionInfo: Hashable, Sendable {
    /// Where it stands.
    public enum State: String, Hashable, Sendable, CaseIterable {
        /// A PROXY header, a request for TLS or a ClientHello is awaited.
        case inspecting
        /// TLS with the client.
        case handshaking
        /// It waits for room at its backend.
        case queued
        /// From the choice of an endpoint to the end of the handshake with it.
        case connecting
        case relaying
        /// Refused, and told so later or not heard of yet.
        case closing
    }

    /// Unique in the process.
    public var id: UInt64
    public var state: State
    public var listener: ListenerID?
    /// What the client dialled, 1–65535; nil before the listener is known.
    public var port: UInt16?
    public var route: RouteID?
    public var backend: BackendID?
    /// The endpoint that is connected or being connected to.
    public var endpoint: String?
    /// Endpoints that were dialled.
    public var attempts: Int
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
    public var tlsCipher: String?
    public var alpn: String?
    /// Since accept.
    public var age: Duration
    /// Since the last byte in either direction.
    public var idle: Duration
    /// From the client.
    public var requestBytes: UInt64
    /// To the client.
    public var responseBytes: UInt64

    public init(
        id: UInt64, state: State, listener: ListenerID? = nil, port: UInt16? = nil, route: RouteID? = nil,
        backend: BackendID? = nil, endpoint: String? = nil, attempts: Int = 0, client: SocketAddress,
        peer: SocketAddress, proxyProtocolVersion: Int? = nil, proxyUniqueID: String? = nil, serverName: String? = nil,
        tlsVersion: String? = nil, tlsCipher: String? = nil, alpn: String? = nil, age: Duration, idle: Duration,
        requestBytes: UInt64 = 0, responseBytes: UInt64 = 0
    ) {
        (self.id, self.state, self.listener, self.port) = (id, state, listener, port)
        (self.route, self.backend, self.endpoint, self.attempts) = (route, backend, endpoint, attempts)
        (self.client, self.peer) = (client, peer)
        (self.proxyProtocolVersion, self.proxyUniqueID) = (proxyProtocolVersion, proxyUniqueID)
        (self.serverName, self.tlsVersion, self.tlsCipher, self.alpn) = (serverName, tlsVersion, tlsCipher, alpn)
        (self.age, self.idle) = (age, idle)
        (self.requestBytes, self.responseBytes) = (requestBytes, responseBytes)
    }
}
