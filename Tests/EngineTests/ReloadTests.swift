import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Applying configurations", .timeLimit(.minutes(5)))
struct ReloadTests {
    @Test("an established connection outlives its route, its listener and its backend")
    func outlives() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let client = try PlainClient(port: port)
        #expect(try client.receiveLine() == "a")
        harness.apply([], [])
        try client.exchange("still here")
        #expect(throws: (any Error).self) { try PlainClient(port: port) }
        #expect(waitUntil { harness.metric("sluice_tcp_connections_active") == 1 })
        client.close()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
        // Series of removed objects vanish with their last connection.
        #expect(waitUntil { harness.metric("sluice_tcp_connections_opened_total") == 0 })
    }

    @Test("a new connection follows the newest table")
    func follows() throws {
        let harness = try EngineHarness()
        let (a, b) = (try EchoBackend("a"), try EchoBackend("b"))
        let port = try freePort()
        for round in 0..<50 {
            let target = round.isMultiple(of: 2) ? ("a", a.port) : ("b", b.port)
            harness.apply(
                [tcpListener("db", port: port, route("r", to: target.0))], [backend(target.0, ports: [target.1])])
            #expect(try PlainClient(port: port).receiveLine() == target.0)
        }
    }

    @Test("1,000 changes to other routes leave 50 busy connections and new ones alone")
    func manyReloads() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend()
        let port = try freePort()
        let extra = try (0..<3).map { _ in try freePort() }
        let stable = tcpListener("db", port: port, route("r", to: "a"))
        harness.apply([stable], [backend("a", ports: [echo.port])])
        let clients = try (0..<50).map { _ in try PlainClient(port: port) }
        let finished = Locked(false)
        let traffic = try BackgroundWork {
            var rounds = 0
            while !finished.withLock({ $0 }) {
                for client in clients { try client.exchange("round \(rounds)") }
                try PlainClient(port: port).exchange("new")
                rounds += 1
            }
            return rounds
        }
        for round in 0..<1000 {
            var listeners = [stable]
            for (index, other) in extra.enumerated() where (round + index).isMultiple(of: 3) == false {
                listeners.append(tcpListener("x\(index)", port: other, route("x\(index)-\(round % 7)", to: "b")))
            }
            harness.apply(listeners, [backend("a", ports: [echo.port]), backend("b", ports: [UInt16(1 + round)])])
        }
        finished.withLock { $0 = true }
        #expect(try traffic.value() > 0)
    }

    @Test("a port in use is reported with its holder while the others serve, and taken when it is free")
    func portInUse() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        // Not one of the kernel's choice: any connection of the host's may come to have that as its own.
        let taken = try freePort()
        var holder: PlainServer? = try PlainServer(on: SocketAddress(.loopbackV4, taken))
        let port = try freePort()
        let changes = Locked<[Acknowledgement]>([])
        harness.engine.onListenerChange { change in changes.withLock { $0.append(change) } }
        let acknowledgement = harness.apply(
            [
                tcpListener("ok", port: port, route("r", to: "a")),
                tcpListener("taken", port: taken, route("s", to: "a")),
            ],
            [backend("a", ports: [echo.port])])
        #expect(acknowledgement.bindings[Binding(port: port)] == .bound)
        guard case .failed(let failure) = acknowledgement.bindings[Binding(port: taken)] else {
            Issue.record("the taken port was bound")
            return
        }
        #expect(failure.message.contains("port \(taken) is in use by"))
        #expect(failure.message.contains("pid \(Host.processIdentifier)"))
        #expect(try PlainClient(port: port).receiveLine() == "a")
        #expect(harness.metric("sluice_listener_ready", "listener=\"taken\"") == 0)
        _ = holder
        holder = nil
        #expect(waitUntil { changes.withLock { $0.last?.bindings[Binding(port: taken)] == .bound } })
        #expect(try PlainClient(port: taken).receiveLine() == "a")
    }

    @Test("a binding that changes its shape is never unbound")
    func changesShape() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        var listener = tcpListener("db", port: port, route("r", to: "a"))
        for round in 0..<20 {
            let binding = Binding(address: round.isMultiple(of: 2) ? nil : .loopbackV4, port: port)
            listener.bindings = [binding]
            let acknowledgement = harness.apply([listener], [backend("a", ports: [echo.port])])
            #expect(acknowledgement.bindings == [binding: .bound])
            #expect(try PlainClient(port: port).receiveLine() == "a")
        }
    }

    @Test("metrics name the port that clients dial, wherever the listener is bound")
    func dialledPort() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let (port, second) = (try freePort(), try freePort())
        var listener = tcpListener("db", port: port, route("r", to: "a"))
        listener.port = 5432
        listener.bindings.append(Binding(port: second))
        harness.apply([listener], [backend("a", ports: [echo.port])])
        for port in [port, second] { #expect(try PlainClient(port: port).receiveLine() == "a") }
        for name in ["sluice_listener_connections_accepted_total", "sluice_tcp_connections_opened_total"] {
            #expect(waitUntil { harness.metric(name, "port=\"5432\"") == 2 })
            #expect(waitUntil { harness.metric(name) == 2 })
        }
        #expect(waitUntil { harness.metric("sluice_listener_ready", "port=\"5432\"") == 1 })
        #expect(harness.doubledSeries == [])
    }

    @Test("hundreds of listeners come and go, and their neighbours' sockets stay")
    func manyListeners() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let ports = [try freePort()] + Array(try Ports.freeRange(of: 300))
        let wanted = ports.enumerated().map { tcpListener("l\($0)", port: $1, route("r\($0)", to: "a")) }
        let client = try {
            harness.apply(Array(wanted.prefix(10)), [backend("a", ports: [echo.port])])
            return try PlainClient(port: wanted[0].port)
        }()
        for count in [wanted.count, 10, wanted.count, 1] {
            let acknowledgement = harness.apply(Array(wanted.prefix(count)), [backend("a", ports: [echo.port])])
            #expect(acknowledgement.bindings.values.filter { $0 == .bound }.count >= count * 9 / 10)
            #expect(try PlainClient(port: wanted[0].port).receiveLine() == "a")
        }
        let bound = harness.log.entries.filter { $0.message == "listener bound" }
        #expect(bound.filter { $0.text("address") == "*:\(wanted[0].port)" }.count == 1)
        #expect(try client.receiveLine() == "a")
    }

    @Test("at the connection limit accepting waits, and goes on by itself")
    func connectionLimit() throws {
        let harness = try EngineHarness(maxConnections: 4)
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        var clients = try (0..<4).map { _ in try PlainClient(port: port) }
        for client in clients { #expect(try client.receiveLine() == "a") }
        let fifth = try PlainClient(port: port)
        #expect(waitUntil { !harness.engine.warnings.isEmpty })
        #expect(waitUntil { harness.engine.activeConnections == 4 })
        clients.removeLast().close()
        #expect(try fifth.receiveLine() == "a")
        #expect(waitUntil { harness.engine.activeConnections == 4 })
    }

    @Test("draining closes the listeners and lets connections finish; stopping ends them")
    func drain() throws {
        let harness = try EngineHarness()
        let echo = try EchoBackend("a")
        let port = try freePort()
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let client = try PlainClient(port: port)
        #expect(try client.receiveLine() == "a")
        harness.engine.beginDrain()
        #expect(throws: (any Error).self) { try PlainClient(port: port) }
        try client.exchange("goodbye")
        #expect(waitUntil { harness.engine.activeConnections == 1 })
        harness.engine.stop()
        #expect(try client.receiveAll() == [])
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }

    @Test("Unix sockets are endpoints too")
    func unixEndpoint() throws {
        let harness = try EngineHarness()
        let port = try freePort()
        let missing = BackendConfiguration(
            id: backendID("u"), endpoints: [EndpointConfiguration(address: .unix(path: "/nonexistent/socket"))])
        harness.apply([tcpListener("db", port: port, route("r", to: "u"))], [missing])
        _ = try? PlainClient(port: port).waitForEnd()
        #expect(waitUntil { harness.closed(.connectRefused) == 1 })
    }
}
