import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// How long sessions may last, by a route's settings.
@Suite("Timeouts of sessions", .timeLimit(.minutes(3)))
struct TimeoutTests {
    private let harness: EngineHarness
    private let server: PlainServer
    private let port: UInt16
    private static let short = Duration.milliseconds(150)

    init() throws {
        harness = try EngineHarness(workers: 1)
        server = try PlainServer()
        port = try freePort()
    }

    private func connect(
        _ change: (inout RouteSettings) -> Void
    ) throws -> (client: PlainClient, peer: PlainClient) {
        var settings = RouteSettings()
        change(&settings)
        var route = route("r", to: "a")
        route.settings = settings
        harness.apply([tcpListener("db", port: port, route)], [backend("a", ports: [server.port])])
        let client = try PlainClient(port: port)
        return (client, try server.accept())
    }

    private func count(_ reason: CloseReason, _ side: CloseSide) -> Double {
        harness.metric(
            "sluice_tcp_connections_closed_total", "reason=\"\(reason.rawValue)\"", "side=\"\(side.rawValue)\"")
    }

    /// Bytes one way for a time; whether the session ends over it.
    private func endsOver(_ time: Duration, from: PlainClient, to: PlainClient) -> Bool {
        let start = MonotonicTime.now()
        while MonotonicTime.now() - start < time {
            do {
                try from.send("x")
                _ = try to.receive(exactly: 1)
            } catch { return true }
            let pause = MonotonicTime.now() + .milliseconds(5)
            _ = waitUntil { MonotonicTime.now() >= pause }
        }
        return false
    }

    @Test("a client that only listens is ended in time, whatever its backend sends")
    func clientIdle() throws {
        let (client, peer) = try connect { $0.clientIdleTimeout = Self.short }
        #expect(endsOver(.seconds(20), from: peer, to: client))
        #expect(waitUntil { count(.clientIdleTimeout, .client) == 1 })
    }

    @Test("a client that goes on sending is not idle, though nobody answers")
    func clientIsNotIdle() throws {
        let (client, peer) = try connect { $0.clientIdleTimeout = .seconds(2) }
        #expect(!endsOver(.seconds(3), from: client, to: peer))
        #expect(waitUntil { harness.engine.activeConnections == 1 })
    }

    @Test("a backend that only listens is ended in time, whatever its client sends")
    func serverIdle() throws {
        let (client, peer) = try connect { $0.serverIdleTimeout = Self.short }
        #expect(endsOver(.seconds(20), from: client, to: peer))
        #expect(waitUntil { count(.serverIdleTimeout, .backend) == 1 })
    }

    @Test("a client whose bytes nobody takes is not idle, and all of them arrive")
    func blockedClientIsNotIdle() throws {
        let (client, peer) = try connect { $0.clientIdleTimeout = Self.short }
        try peer.shrinkReceiveBuffer(to: 64 << 10)
        let size = 24 << 20
        let sending = try BackgroundWork {
            let digest = try client.sendStream(size, seed: 3)
            try client.halfClose()
            return digest
        }
        #expect(waitUntil { harness.metric("sluice_tcp_bytes_total", "request") > 0 })
        let pause = MonotonicTime.now() + Self.short * 4
        #expect(waitUntil { MonotonicTime.now() >= pause })
        #expect(try peer.receiveStream(size) == sending.value())
        #expect(try peer.receive().isEmpty)
    }

    @Test("after its own end a client is not idle but half closed")
    func endedClientIsNotIdle() throws {
        let (client, peer) = try connect {
            $0.clientIdleTimeout = Self.short
            $0.firstByteTimeout = Self.short
        }
        try client.halfClose()
        #expect(try peer.receiveAll().isEmpty)
        let pause = MonotonicTime.now() + Self.short * 3
        #expect(waitUntil { MonotonicTime.now() >= pause })
        try peer.send("answer")
        peer.close()
        #expect(try client.receiveAll() == Array("answer".utf8))
    }

    @Test("a client that never sends a first byte is ended in time, one that did is not")
    func firstByte() throws {
        let (silent, peer) = try connect { $0.firstByteTimeout = Self.short }
        try peer.send("who are you?")
        #expect(try silent.waitForEnd() == .fin)
        #expect(waitUntil { count(.firstByteTimeout, .client) == 1 })
        let (client, other) = try connect { $0.firstByteTimeout = Self.short }
        try client.send("x")
        let pause = MonotonicTime.now() + Self.short * 3
        #expect(waitUntil { MonotonicTime.now() >= pause })
        #expect(try other.receive(exactly: 1) == Array("x".utf8))
        try client.exchange("hello", with: other)
    }

    @Test("the time after one side's end is prolonged by the other's bytes, and is over after them")
    func halfClose() throws {
        let (client, peer) = try connect { $0.halfCloseTimeout = .seconds(2) }
        try client.halfClose()
        #expect(try peer.receiveAll().isEmpty)
        for _ in 0..<9 {
            try peer.send("x")
            #expect(try client.receive(exactly: 1) == Array("x".utf8))
            let pause = MonotonicTime.now() + .milliseconds(300)
            #expect(waitUntil { MonotonicTime.now() >= pause })
        }
        #expect(try client.waitForEnd() == .fin)
        #expect(waitUntil { count(.halfCloseTimeout, .proxy) == 1 })
    }

    @Test("a session ends after its longest duration however busy it is, not before the jitter allows")
    func duration() throws {
        let started = MonotonicTime.now()
        let (client, peer) = try connect {
            $0.maxConnectionDuration = .milliseconds(600)
            $0.maxConnectionDurationJitter = 50
        }
        let sending = try BackgroundWork {
            while (try? peer.send("x")) != nil {
                let pause = MonotonicTime.now() + .milliseconds(2)
                _ = waitUntil { MonotonicTime.now() >= pause }
            }
        }
        #expect(try client.waitForEnd() == .fin)
        #expect(MonotonicTime.now() - started >= .milliseconds(290))
        #expect(waitUntil { count(.maxDuration, .proxy) == 1 })
        try sending.value()
    }

    @Test("a TLS session that ends in time says close_notify", arguments: [true, false])
    func closeNotify(isDuration: Bool) throws {
        let ca = try TestPKI.makeCA()
        let certificate = try ca.issue(TestCertificateRequest(commonName: "a.test", dnsNames: ["a.test"]))
        let echo = try EchoBackend("a")
        let port = try freePort()
        var route = route("r", to: "a")
        if isDuration {
            route.settings.maxConnectionDuration = Self.short
        } else {
            route.settings.idleTimeout = Self.short
        }
        harness.apply(
            [tlsListener("db", port: port, mode: try terminate(certificate), routes: [("a.test", route)])],
            [backend("a", ports: [echo.port])])
        let client = try TLSTestClient(port: port, TLSClientOptions(serverName: "a.test"))
        #expect(try client.receiveLine() == "a")
        #expect(try client.waitForEnd() == .closeNotify)
        #expect(waitUntil { harness.closed(isDuration ? .maxDuration : .idleTimeout) == 1 })
    }
}

extension PlainClient {
    fileprivate func exchange(_ text: String, with peer: PlainClient) throws {
        try send(text)
        guard try peer.receive(exactly: text.utf8.count) == Array(text.utf8) else { throw TestFailure("changed") }
    }
}
