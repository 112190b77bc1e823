internal import Platform
public import Primitives

/// A TLS server of a test: each `accept` gives one connection after its handshake.
public final class TLSTestServer: Sendable {
    private let server: PlainServer
    private let context: TLSTestContext
    public var address: SocketAddress { server.address }
    public var port: UInt16 { server.port }

    /// Port 0 is the kernel's choice.
    public init(_ options: TLSServerOptions, on address: SocketAddress = SocketAddress(.loopbackV4, 0)) throws {
        server = try PlainServer(on: address)
        context = try TLSTestContext(server: options)
    }

    /// Waits for a connection and shakes hands with it, each within `timeout`, or the handshake within its own. What the
    /// handshake runs into is thrown.
    public func accept(timeout: Duration = .seconds(10), handshake: Duration? = nil) throws -> TLSTestConnection {
        let accepted = try server.accept(timeout: timeout)
        return try TLSTestConnection(accepted: accepted, context, timeout: handshake ?? timeout)
    }

    /// Waits for a connection without a handshake.
    public func acceptPlain(timeout: Duration = .seconds(10)) throws -> PlainClient {
        try server.accept(timeout: timeout)
    }

    /// Shakes hands over a connection that may have carried other bytes before; `plain` is used up.
    public func shakeHands(over plain: PlainClient, timeout: Duration = .seconds(10)) throws -> TLSTestConnection {
        try TLSTestConnection(accepted: plain, context, timeout: timeout)
    }
}
