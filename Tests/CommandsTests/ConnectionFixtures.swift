import EngineModel
import Primitives
import TestSupport

/// Connections for a stand-in data plane.
enum Connections {
    /// One that a client at `client` has to redis, with everything known of it.
    static func relaying(
        _ id: UInt64, client: String = "10.1.2.3:4711", age: Duration = .seconds(90), idle: Duration = .seconds(3),
        bytes: (UInt64, UInt64) = (1000, 2000)
    ) throws -> ConnectionInfo {
        guard let client = SocketAddress(client), let peer = SocketAddress("192.0.2.1:5000") else {
            throw TestFailure("no address: \(client)")
        }
        return ConnectionInfo(
            id: id, state: .relaying,
            listener: ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: "redis"), port: 6379,
            route: RouteID(kind: "TLSRoute", namespace: "infra", name: "redis"),
            backend: BackendID(kind: "Service", namespace: "infra", name: "redis", port: 6379),
            endpoint: "10.9.0.7:6379", attempts: 1, client: client, peer: peer, proxyProtocolVersion: 2,
            proxyUniqueID: "lb-7", serverName: "Redis.example.com", tlsVersion: "TLSv1.3",
            tlsCipher: "TLS_AES_256_GCM_SHA384", alpn: "redis", age: age, idle: idle, requestBytes: bytes.0,
            responseBytes: bytes.1)
    }

    /// One of which nothing is known yet.
    static func handshaking(_ id: UInt64) throws -> ConnectionInfo {
        guard let client = SocketAddress("[2001:db8::1]:4711") else { throw TestFailure("no address") }
        return ConnectionInfo(
            id: id, state: .handshaking, client: client, peer: client, age: .milliseconds(20), idle: .zero)
    }
}
