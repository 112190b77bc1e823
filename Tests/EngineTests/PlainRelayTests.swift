import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Plain TCP", .timeLimit(.minutes(5)))
struct PlainRelayTests {
    @Test("bytes go to the route's backend and back")
    func echoes() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        let acknowledgement = harness.apply(
            [tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        #expect(acknowledgement.bindings == [Binding(port: port): .bound])
        let client = try PlainClient(port: port)
        #expect(try client.receiveLine() == "a")
        try client.exchange("hello")
        try client.halfClose()
        #expect(try client.receiveAll() == [])
        #expect(waitUntil { harness.closed(.clientClosed) == 1 })
        #expect(waitUntil { harness.metric("sluice_tcp_bytes_total", "request") == 5 })
        #expect(waitUntil { harness.metric("sluice_tcp_bytes_total", "response") == 7 })
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        #expect(harness.metric("sluice_tcp_connections_active") == 0)
        #expect(harness.metric("sluice_backend_connections_active") == 0)
        #expect(harness.metric("sluice_listener_connections_active") == 0)
    }

    @Test("IPv6 clients reach the same listener")
    func dualStack() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let client = try PlainClient(to: SocketAddress(.loopbackV6, port))
        #expect(try client.receiveLine() == "a")
    }

    @Test("64 MiB in both directions at once arrive unchanged", arguments: [UInt64(1), 2])
    func bulk(seed: UInt64) throws {
        let harness = try EngineHarness()
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        let client = try PlainClient(port: port)
        let peer = try server.accept()
        let size = 64 << 20
        let up = try BackgroundWork { try client.sendStream(size, seed: seed) }
        let down = try BackgroundWork { try peer.sendStream(size, seed: seed + 100) }
        let atPeer = try BackgroundWork { try peer.receiveStream(size) }
        #expect(try client.receiveStream(size) == down.value())
        #expect(try atPeer.value() == up.value())
        #expect(waitUntil { harness.metric("sluice_tcp_bytes_total", "request") == Double(size) })
    }

    @Test("a half-closed client still gets the whole answer")
    func halfClose() throws {
        let harness = try EngineHarness()
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        let client = try PlainClient(port: port)
        try client.send("question")
        try client.halfClose()
        let peer = try server.accept()
        #expect(try peer.receiveAll() == Array("question".utf8))
        let answer = testBytes(3 << 20)
        try peer.send(answer)
        peer.close()
        #expect(try client.receiveAll() == answer)
        #expect(waitUntil { harness.closed(.clientClosed) == 1 })
    }

    @Test("a slow reader gets everything, and pipes are not held for it")
    func slowReader() throws {
        let harness = try EngineHarness(workers: 1)
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        let client = try PlainClient(port: port)
        try client.shrinkReceiveBuffer(to: 64 << 10)
        let peer = try server.accept()
        let size = 24 << 20
        let sent = try BackgroundWork { try peer.sendStream(size, seed: 7) }
        #expect(waitUntil { harness.metric("sluice_tcp_bytes_total", "response") > 0 })
        // Longer than a blocked pipe may be held.
        let start = MonotonicTime.now()
        #expect(waitUntil { MonotonicTime.now() - start > .milliseconds(1300) })
        #expect(try client.receiveStream(size) == sent.value())
    }

    @Test("a reset is passed on as a reset", arguments: [true, false])
    func reset(byClient: Bool) throws {
        let harness = try EngineHarness()
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        let client = try PlainClient(port: port)
        try client.send("x")
        let peer = try server.accept()
        _ = try peer.receive(exactly: 1)
        (byClient ? client : peer).reset()
        #expect(try (byClient ? peer : client).waitForEnd() == .reset)
        #expect(waitUntil { harness.closed(byClient ? .clientReset : .backendReset) == 1 })
    }

    @Test("what the backend sent before it reset is still delivered")
    func dataBeforeReset() throws {
        let harness = try EngineHarness()
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        for _ in 0..<50 {
            let client = try PlainClient(port: port)
            try client.send("request that nobody reads")
            let peer = try server.accept()
            try peer.send("error: no\n")
            peer.close()
            #expect(try client.receiveLine() == "error: no")
        }
    }

    @Test("a whole answer arrives although the backend closed over a request that goes on")
    func answerBeforeTheRequestEnds() throws {
        let harness = try EngineHarness()
        let server = try PlainServer()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [server.port])])
        let answer = testBytes(256 << 10)
        for _ in 0..<20 {
            let client = try PlainClient(port: port)
            let sending = try BackgroundWork { try? client.sendStream(8 << 20, seed: 1) }
            let peer = try server.accept()
            _ = try peer.receive(exactly: 1000)
            try peer.send(answer)
            try peer.halfClose()
            #expect(try client.receive(exactly: answer.count) == answer)
            peer.close()
            client.close()
            _ = try sending.value()
        }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }

    @Test("a listener without a route, a route without endpoints, and a refused backend reset the client")
    func refusals() throws {
        let harness = try EngineHarness()
        let ports = try (0..<4).map { _ in try freePort() }
        let dead = try freePort()
        let invalid = RouteConfiguration(
            id: RouteID(kind: "TCPRoute", namespace: "default", name: "i"),
            backends: [.init(weight: 1, target: .invalid)])
        harness.apply(
            [
                tcpListener("none", port: ports[0], nil),
                tcpListener("empty", port: ports[1], route("e", to: "empty")),
                tcpListener("dead", port: ports[2], route("d", to: "dead")),
                tcpListener("invalid", port: ports[3], invalid),
            ], [backend("empty", ports: []), backend("dead", ports: [dead])])
        for port in ports { #expect(try ending(of: port) == .reset) }
        #expect(waitUntil { harness.rejected(.noRoute) == 1 })
        #expect(waitUntil { harness.closed(.noEndpoints) == 1 })
        #expect(waitUntil { harness.closed(.connectRefused) == 1 })
        #expect(waitUntil { harness.closed(.invalidBackend) == 1 })
        #expect(waitUntil { harness.metric("sluice_backend_connects_total", "refused") == 3 })
        #expect(waitUntil { harness.metric("sluice_backend_connect_retries_total") == 2 })
    }

    @Test("a dead endpoint is passed over before the client notices")
    func retries() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("alive")
        let dead = try freePort()
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port, dead])])
        for _ in 0..<40 {
            let client = try PlainClient(port: port)
            #expect(try client.receiveLine() == "alive")
        }
    }

    @Test("weights are kept whatever worker accepted")
    func weights() throws {
        let harness = try EngineHarness()
        let (a, b) = (try EchoBackend("a"), try EchoBackend("b"))
        let port = try freePort()
        harness.apply(
            [tcpListener("db", port: port, route("r", to: [("a", 3), ("b", 1)]))],
            [backend("a", ports: [a.port]), backend("b", ports: [b.port])])
        var counts: [String: Int] = [:]
        for _ in 0..<100 { counts[try PlainClient(port: port).receiveLine(), default: 0] += 1 }
        #expect(abs(counts["a", default: 0] - 75) <= 2)
        #expect(abs(counts["b", default: 0] - 25) <= 2)
    }
}
