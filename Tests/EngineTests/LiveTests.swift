import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Live views and commands", .timeLimit(.minutes(5)))
struct LiveTests {
    @Test("open connections are listed with what is known of them, and closed on demand")
    func listsAndCloses() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let clients = try (0..<300).map { _ in try PlainClient(port: port) }
        for client in clients {
            #expect(try client.receiveLine() == "a")
            try client.exchange("hello")
        }
        let all = harness.engine.connections()
        #expect(all.count == 300)
        #expect(Set(all.map(\.id)).count == 300)
        #expect(Set(all.map(\.client)) == Set(clients.compactMap(\.localAddress)))
        #expect(all.allSatisfy { $0.state == .relaying && $0.requestBytes == 5 && $0.responseBytes == 7 })
        #expect(all.allSatisfy { $0.endpoint == "127.0.0.1:\(echo.port)" && $0.route?.name == "r" })
        #expect(harness.engine.connections(limit: 10).count == 10)
        let victim = try #require(clients[7].localAddress)
        #expect(harness.engine.closeConnections { $0.client == victim }.map(\.client) == [victim])
        #expect(try clients[7].waitForEnd() == .fin)
        #expect(waitUntil { harness.closed(.adminClosed) == 1 })
        try clients[8].exchange("still here")
    }

    @Test("a paused binding keeps new clients waiting, and serves them afterwards")
    func pauses() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let before = try PlainClient(port: port)
        #expect(try before.receiveLine() == "a")
        #expect(harness.engine.setPaused(true, at: Binding(port: port)))
        // The order is with the workers once a walk, posted after it, has been answered.
        #expect(harness.engine.connections().count == 1)
        let waiting = try PlainClient(port: port)
        try before.exchange("not touched")
        #expect(harness.engine.connections().count == 1)
        harness.engine.setPaused(false, at: Binding(port: port))
        #expect(try waiting.receiveLine() == "a")
    }

    @Test("an inherited socket is taken over with its queue")
    func inherits() throws {
        let listener = try StreamSocket.listen(on: SocketAddress(.loopbackV4, 0))
        let port = try #require(StreamSocket.localAddress(of: listener)?.port)
        let early = try PlainClient(port: port)
        let echo = try EchoBackend("a")
        let harness = try EngineHarness(inheritedListeners: [Binding(port: port): [listener.release()]])
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        #expect(try early.receiveLine() == "a")
        #expect(try PlainClient(port: port).receiveLine() == "a")
    }
}
