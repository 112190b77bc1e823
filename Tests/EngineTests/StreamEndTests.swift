@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Ends and urgent data", .timeLimit(.minutes(5)))
struct StreamEndTests {
    private let harness: EngineHarness
    private let server: PlainServer
    private let port: UInt16

    init() throws {
        harness = try EngineHarness(workers: 1)
        server = try PlainServer()
        port = try freePort()
    }

    private func connect(_ settings: RouteSettings = RouteSettings()) throws -> (client: PlainClient, peer: PlainClient)
    {
        var route = route("r", to: "a")
        route.settings = settings
        harness.apply([tcpListener("db", port: port, route)], [backend("a", ports: [server.port])])
        return (try PlainClient(port: port), try server.accept())
    }

    @Test("a finished answer reaches a slow client although the backend resets what comes after it")
    func finishedAnswer() throws {
        for _ in 0..<5 {
            let (client, peer) = try connect()
            try client.shrinkReceiveBuffer(to: 16 << 10)
            // Less than the kernel and the engine hold for a client that does not read.
            let answer = testBytes(2 << 20)
            let before = harness.metric("sluice_tcp_bytes_total", "response")
            try peer.send(answer, timeout: .seconds(30))
            #expect(waitUntil { harness.metric("sluice_tcp_bytes_total", "response") - before == Double(answer.count) })
            peer.close()
            // A byte that the closed backend answers with a reset.
            try client.send("!")
            #expect(try client.receive(exactly: answer.count, timeout: .seconds(30)) == answer)
        }
    }

    @Test("a client that ends and is reset at once is gone, though the backend neither speaks nor ends")
    func endAndReset() throws {
        var peers: [PlainClient] = []
        for _ in 0..<200 {
            let (client, peer) = try connect()
            peers.append(peer)
            try client.send("x")
            #expect(try peer.receive(exactly: 1) == Array("x".utf8))
            // Both often come in one event, the reset's before the end is read.
            try client.halfClose()
            client.reset()
        }
        #expect(waitUntil(deadline: .seconds(20)) { harness.engine.activeConnections == 0 })
    }

    @Test("urgent data neither stops a stream nor is it lost")
    func urgent() throws {
        let (client, peer) = try connect()
        for round in 0..<20 {
            try client.send("AB")
            try client.sendUrgent(UInt8(ascii: "!"))
            try client.send("CD\n")
            // The urgent byte itself is out of band for the reader.
            #expect(try peer.receiveLine() == "ABCD", "round \(round)")
        }
        let bulk = testBytes(8 << 20)
        let sending = try BackgroundWork {
            try client.send(Array(bulk[..<(4 << 20)]), timeout: .seconds(30))
            try client.sendUrgent(UInt8(ascii: "!"))
            try client.send(Array(bulk[(4 << 20)...]), timeout: .seconds(30))
        }
        #expect(try peer.receive(exactly: bulk.count, timeout: .seconds(30)) == bulk)
        try sending.value()
    }

    @Test("an unfinished hello with urgent data in it does not keep the worker busy")
    func urgentHello() throws {
        let tls = try freePort()
        harness.apply(
            [tlsListener("t", port: tls, routes: [("a.test", route("a", to: "a"))])], [backend("a", ports: [])])
        let hello = try clientHelloBytes(TLSClientOptions(serverName: "a.test"))
        let client = try PlainClient(port: tls)
        try client.send(Array(hello[..<100]))
        try client.sendUrgent(0)
        try client.send(Array(hello[100...]))
        #expect(waitUntil { harness.metric("sluice_listener_handshaking_connections") == 1 })
        let before = harness.engine.turns
        let start = MonotonicTime.now()
        #expect(waitUntil { MonotonicTime.now() - start > .milliseconds(300) })
        // A worker that wakes itself makes tens of thousands.
        #expect(harness.engine.turns - before < 1000)
    }

    @Test("a client that reads slowly is not idle")
    func slowIsNotIdle() throws {
        var settings = RouteSettings()
        settings.idleTimeout = .seconds(2)
        let (client, peer) = try connect(settings)
        try client.shrinkReceiveBuffer(to: 64 << 10)
        let answer = testBytes(16 << 20)
        let sending = try BackgroundWork { try peer.send(answer, timeout: .seconds(60)) }
        var received: [UInt8] = []
        // For longer than the timeout the client takes less than the backend sends.
        for _ in 0..<30 {
            let pause = MonotonicTime.now() + .milliseconds(100)
            #expect(waitUntil { MonotonicTime.now() >= pause })
            received += try client.receive(exactly: 256 << 10)
        }
        received += try client.receive(exactly: answer.count - received.count, timeout: .seconds(30))
        let isUnchanged = received == answer
        #expect(isUnchanged)
        try sending.value()
    }

    @Test("an idle connection is ended in time, with its reason")
    func idle() throws {
        var settings = RouteSettings()
        settings.idleTimeout = .milliseconds(100)
        let (client, _) = try connect(settings)
        #expect(try client.waitForEnd() == .fin)
        #expect(waitUntil { harness.closed(.idleTimeout) == 1 })
    }
}
