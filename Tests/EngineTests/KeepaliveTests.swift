@testable import Engine
import EngineModel
import Glibc
import Platform
import Primitives
import TestSupport
import Testing

/// Peers that vanish, and peers that only do not read.
@Suite("Keepalive", .timeLimit(.minutes(3)))
struct KeepaliveTests {
    private func option(_ socket: Int32, _ name: Int32) -> Int32 {
        var (value, size): (Int32, socklen_t) = (-1, 4)
        return getsockopt(socket, Int32(IPPROTO_TCP), name, &value, &size) == 0 ? value : -1
    }

    /// Two seconds until a silent peer is gone.
    private static let short: TCPKeepalive = {
        var keepalive = TCPKeepalive()
        (keepalive.idleSeconds, keepalive.intervalSeconds, keepalive.probes) = (1, 1, 1)
        return keepalive
    }()

    /// The first look at a session is in its fifteenth second.
    private func session(
        client: TCPKeepalive?, backend keepalive: TCPKeepalive?
    ) throws -> (harness: EngineHarness, client: PlainClient, server: PlainClient) {
        let harness = try EngineHarness(workers: 1)
        let (server, port) = (try PlainServer(), try freePort())
        var listener = tcpListener("db", port: port, route("r", to: "a"))
        listener.settings.keepalive = client
        var target = backend("a", ports: [server.port])
        target.settings.keepalive = keepalive
        harness.apply([listener], [target])
        let client = try PlainClient(port: port)
        let accepted = try server.accept()
        try client.send("hello")
        #expect(try accepted.receive(exactly: 5) == Array("hello".utf8))
        return (harness, client, accepted)
    }

    @Test("what the kernel is told; the user timeout of a socket that another version opened is taken back")
    func options() {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { Glibc.close(socket) }
        var keepalive = TCPKeepalive()
        #expect(keepalive.patience == 120)
        (keepalive.idleSeconds, keepalive.intervalSeconds, keepalive.probes) = (32_767, 32_767, 127)
        #expect(keepalive.patience == 32_767 * 128)
        setKeepalive(socket, keepalive)
        #expect(option(socket, TCP_USER_TIMEOUT) == 0)
        #expect(option(socket, TCP_KEEPIDLE) == 32_767)
        #expect(option(socket, TCP_KEEPINTVL) == 32_767)
        #expect(option(socket, TCP_KEEPCNT) == 127)
    }

    @Test("a client that does not read for far longer than keepalive is patient gets all of it in the end")
    func slowReader() throws {
        let (harness, client, server) = try session(client: Self.short, backend: Self.short)
        var sent = 0
        // Until nobody on the way takes more.
        let patience = MonotonicTime.now() + .seconds(30)
        while MonotonicTime.now() < patience {
            let count = try server.sendSome(Array(repeating: UInt8(truncatingIfNeeded: sent >> 16), count: 64 << 10))
            sent += count
            guard count == 0 else { continue }
            let pause = MonotonicTime.now() + .milliseconds(300)
            _ = waitUntil { MonotonicTime.now() >= pause }
            if try server.sendSome([0]) == 0 { break }
            sent += 1
        }
        let end = MonotonicTime.now() + .seconds(24)
        #expect(waitUntil(deadline: .seconds(60)) { MonotonicTime.now() >= end })
        #expect(harness.closed(.clientReset) == 0)
        server.close()
        #expect(try client.receiveAll().count == sent)
        client.close()
        #expect(waitUntil { harness.closed(.backendClosed) == 1 })
    }

    @Test("a client that vanishes with an answer on its way is gone when keepalive's patience is over")
    func clientVanishes() throws {
        let (harness, client, server) = try session(client: Self.short, backend: nil)
        try client.vanish()
        try server.send("never acknowledged")
        #expect(waitUntil(deadline: .seconds(60)) { harness.closed(.clientReset) == 1 })
        #expect(try server.waitForEnd() == .reset)
    }

    @Test("so is a backend, with a request on its way")
    func backendVanishes() throws {
        let (harness, client, server) = try session(client: nil, backend: Self.short)
        try server.vanish()
        try client.send("never acknowledged")
        #expect(waitUntil(deadline: .seconds(60)) { harness.closed(.backendReset) == 1 })
        #expect(try client.waitForEnd() == .reset)
    }

    @Test("nobody is looked at where keepalive is off")
    func off() throws {
        let (harness, client, server) = try session(client: nil, backend: nil)
        try client.vanish()
        try server.send("never acknowledged")
        let end = MonotonicTime.now() + .seconds(22)
        #expect(waitUntil(deadline: .seconds(60)) { MonotonicTime.now() >= end })
        #expect(harness.engine.activeConnections == 1)
    }
}
