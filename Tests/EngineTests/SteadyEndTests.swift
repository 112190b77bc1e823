@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// What may happen to a stream that has been bulk for long.
@Suite("Steady bulk and its ends", .timeLimit(.minutes(3)))
struct SteadyEndTests {
    private let harness: EngineHarness
    private let server: PlainServer
    private let port: UInt16
    private static let bulk = 64 << 20

    init() throws {
        harness = try EngineHarness(workers: 1)
        server = try PlainServer()
        port = try freePort()
    }

    private func apply(
        idle: Duration? = .seconds(600), drain: Duration? = nil, _ name: String? = "r"
    ) {
        var listener = tcpListener("db", port: port, nil)
        if let name {
            var route = route(name, to: "a")
            route.settings.idleTimeout = idle
            listener.traffic = .tcp(route)
        }
        listener.settings.routeDrainTimeout = drain
        harness.apply([listener], [backend("a", ports: [server.port])])
    }

    /// A connection whose backend has sent for long enough.
    private func steady() throws -> (client: PlainClient, peer: PlainClient) {
        let client = try PlainClient(port: port)
        let peer = try server.accept()
        let sent = try BackgroundWork { try peer.sendStream(Self.bulk, seed: 1) }
        #expect(try client.receiveStream(Self.bulk) == sent.value())
        return (client, peer)
    }

    /// Fills everything between the backend and a client that does not read.
    private func fill(_ from: PlainClient) throws -> Int {
        let piece = testBytes(256 << 10)
        var (total, quietSince) = (0, MonotonicTime.now())
        while MonotonicTime.now() - quietSince < .milliseconds(200) {
            let count = try from.sendSome(piece)
            total += count
            if count > 0 { quietSince = .now() }
        }
        return total
    }

    private func turns(over time: Duration) -> UInt64 {
        let (start, before) = (MonotonicTime.now(), harness.engine.turns)
        _ = waitUntil { MonotonicTime.now() - start > time }
        return harness.engine.turns - before
    }

    @Test("a short last piece and the end behind it arrive", arguments: [0, 1, 100, 70_000])
    func lastPiece(size: Int) throws {
        apply()
        let (client, peer) = try steady()
        let last = testBytes(size)
        if size > 0 { try peer.send(last) }
        try peer.halfClose()
        #expect(try client.receiveAll() == last)
        try client.exchange("", with: peer)
        try client.halfClose()
        #expect(try peer.waitForEnd() == .fin)
        #expect(waitUntil { harness.closed(.backendClosed) == 1 && harness.engine.activeConnections == 0 })
    }

    @Test("a reset, of either side, is passed on", arguments: [true, false], [true, false])
    func reset(byClient: Bool, isStalled: Bool) throws {
        apply()
        let (client, peer) = try steady()
        if isStalled { _ = try fill(peer) }
        (byClient ? client : peer).reset()
        #expect(try (byClient ? peer : client).waitForEnd() == .reset)
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(waitUntil { harness.total("sluice_buffered_bytes") == 0 })
    }

    @Test("requests go on though the way back stands still, and the other way round")
    func otherDirection() throws {
        apply()
        let (client, peer) = try steady()
        let waiting = try fill(peer)
        for _ in 0..<100 {
            try client.send("message")
            #expect(try peer.receive(exactly: 7) == Array("message".utf8))
        }
        // The backend does not read either; then it does.
        let upwards = try fill(client)
        let received = try peer.receive(exactly: upwards)
        #expect(received.count == upwards)
        #expect(try client.receive(exactly: waiting).count == waiting)
        try peer.send("done\n")
        #expect(try client.receiveLine() == "done")
    }

    @Test("nobody spins: over a client that does not read, over a stream that pauses, after its end")
    func quiet() throws {
        apply()
        let (client, peer) = try steady()
        #expect(turns(over: .milliseconds(500)) < 60)
        let waiting = try fill(peer)
        #expect(turns(over: .milliseconds(500)) < 60)
        #expect(try client.receive(exactly: waiting).count == waiting)
        #expect(turns(over: .milliseconds(500)) < 60)
        try peer.halfClose()
        #expect(try client.receiveAll() == [])
        #expect(turns(over: .milliseconds(500)) < 60)
    }

    @Test("urgent data neither stops the stream nor what comes behind it")
    func urgent() throws {
        apply()
        let (client, peer) = try steady()
        try peer.send("a")
        try peer.sendUrgent(0x21)
        let sent = try BackgroundWork { try peer.sendStream(Self.bulk, seed: 3) }
        #expect(try client.receive(exactly: 1) == [0x61])
        #expect(try client.receiveStream(Self.bulk) == sent.value())
        try client.send("x")
        #expect(try peer.receive(exactly: 1) == [0x78])
    }

    @Test("the idle timeout ends a connection whose client does not read")
    func idle() throws {
        apply(idle: .seconds(2))
        let (client, peer) = try steady()
        _ = try fill(peer)
        #expect(waitUntil(deadline: .seconds(10)) { harness.closed(.idleTimeout) == 1 })
        client.close()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }

    @Test("a removed route's stream is drained in the middle of it", arguments: [true, false])
    func drain(isStalled: Bool) throws {
        apply(drain: .milliseconds(200))
        let (client, peer) = try steady()
        let sending = try BackgroundWork { try? peer.sendStream(Self.bulk << 4, seed: 3) }
        if !isStalled { _ = try client.receiveStream(Self.bulk) }
        apply(drain: .milliseconds(200), nil)
        #expect(waitUntil(deadline: .seconds(10)) { harness.closed(.routeDeleted) == 1 })
        client.close()
        _ = try sending.value()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        apply()
        let (again, other) = try steady()
        try other.send("still\n")
        #expect(try again.receiveLine() == "still")
    }

    @Test("a slot that was steady serves the next connection as a fresh one")
    func reuse() throws {
        apply()
        for round in 0..<6 {
            let (client, peer) = try steady()
            if round % 2 == 0 { client.reset() } else { peer.close() }
            let next = try PlainClient(port: port)
            let nextPeer = try server.accept()
            for _ in 0..<20 {
                try next.send("q")
                #expect(try nextPeer.receive(exactly: 1) == [0x71])
                try nextPeer.send("a")
                #expect(try next.receive(exactly: 1) == [0x61])
            }
            try next.halfClose()
            #expect(try nextPeer.waitForEnd() == .fin)
        }
        #expect(waitUntil { harness.engine.activeConnections <= 6 })
    }

    @Test("both ways at once, one end after the other")
    func bothWays() throws {
        apply()
        let (client, peer) = try steady()
        let down = try BackgroundWork { try peer.sendStream(Self.bulk, seed: 5) }
        let up = try BackgroundWork { try client.sendStream(Self.bulk, seed: 6) }
        let atPeer = try BackgroundWork { try peer.receiveStream(Self.bulk) }
        #expect(try client.receiveStream(Self.bulk) == down.value())
        #expect(try atPeer.value() == up.value())
        try client.send("tail")
        try client.halfClose()
        #expect(try peer.receiveAll() == Array("tail".utf8))
        try peer.send("head")
        peer.close()
        #expect(try client.receiveAll() == Array("head".utf8))
        #expect(waitUntil { harness.closed(.clientClosed) == 1 })
    }
}

extension PlainClient {
    /// What this side sends arrives at the other.
    fileprivate func exchange(_ text: String, with other: PlainClient) throws {
        let bytes = Array((text + "ping").utf8)
        try send(bytes)
        #expect(try other.receive(exactly: bytes.count) == bytes)
    }
}
