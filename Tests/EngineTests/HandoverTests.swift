import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Handover of listening sockets", .timeLimit(.minutes(5)))
struct HandoverTests {
    /// As many sockets as the predecessor has workers, each with clients that wait in its queue.
    @Test(
        "every inherited member is accepted from, whatever the number of workers",
        arguments: [(5, 2), (3, 3), (2, 5), (7, 1)])
    func members(before: Int, after: Int) throws {
        let echo = try EchoBackend("a")
        let port = try freePort()
        let serve = { (harness: EngineHarness) in
            _ = harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        }
        let old = try EngineHarness(workers: before)
        serve(old)
        let established = try PlainClient(port: port)
        #expect(try established.receiveLine() == "a")
        let sockets = try old.engine.copyListeners()
        #expect(sockets.mapValues(\.count) == [Binding(port: port): before])
        old.engine.handOver()
        let waiting = try (0..<60).map { _ in try PlainClient(port: port) }
        let new = try EngineHarness(workers: after, inheritedListeners: sockets)
        serve(new)
        for client in waiting {
            #expect(try client.receiveLine() == "a")
            try client.exchange("hello")
        }
        #expect(new.engine.activeConnections == 60)
        #expect(try listenerCounts(of: new) == [Binding(port: port): max(before, after)])
        try established.exchange("still with the old one")
        #expect(old.engine.activeConnections == 1)
    }

    @Test("a socket that shares its port with none is shared by all workers")
    func single() throws {
        let listener = try StreamSocket.listen(on: SocketAddress(.loopbackV4, 0))
        let port = try #require(StreamSocket.localAddress(of: listener)?.port)
        let binding = Binding(address: .loopbackV4, port: port)
        let echo = try EchoBackend("a")
        let harness = try EngineHarness(workers: 3, inheritedListeners: [binding: [listener.release()]])
        var configuration = tcpListener("db", port: port, route("r", to: "a"))
        configuration.bindings = [binding]
        harness.apply([configuration], [backend("a", ports: [echo.port])])
        for _ in 0..<20 { #expect(try PlainClient(port: port).receiveLine() == "a") }
        harness.apply([], [])
        #expect(throws: Errno.connectionRefused) { try PlainClient(port: port) }
    }

    @Test("an engine that holds its listeners takes nothing until it is told to")
    func holds() throws {
        let echo = try EchoBackend("a")
        let port = try freePort()
        let harness = try EngineHarness(workers: 2, holdsListeners: true)
        let served = harness.apply(
            [tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        #expect(served.bindings == [Binding(port: port): .bound])
        let clients = try (0..<20).map { _ in try PlainClient(port: port) }
        #expect(harness.engine.connections().isEmpty && harness.engine.activeConnections == 0)
        harness.engine.beginAccepting()
        for client in clients { #expect(try client.receiveLine() == "a") }
    }

    @Test("while one of two still holds, what waits is left to the other, also where it gives up")
    func givesUp() throws {
        let echo = try EchoBackend("a")
        let port = try freePort()
        let configuration = tcpListener("db", port: port, route("r", to: "a"))
        let old = try EngineHarness(workers: 2)
        old.apply([configuration], [backend("a", ports: [echo.port])])
        #expect(old.engine.setPaused(true, at: Binding(port: port)))
        #expect(old.engine.connections().isEmpty)
        let waiting = try (0..<20).map { _ in try PlainClient(port: port) }
        let new = try EngineHarness(
            workers: 3, inheritedListeners: try old.engine.copyListeners(), holdsListeners: true)
        new.apply([configuration], [backend("a", ports: [echo.port])])
        new.engine.stop()
        #expect(old.engine.setPaused(false, at: Binding(port: port)))
        for client in waiting { #expect(try client.receiveLine() == "a") }
    }

    @Test("inherited sockets that nothing is bound to are closed when they are given up")
    func unused() throws {
        let listener = try StreamSocket.listen(on: SocketAddress(.loopbackV4, 0))
        let port = try #require(StreamSocket.localAddress(of: listener)?.port)
        let client = try PlainClient(port: port)
        let harness = try EngineHarness(inheritedListeners: [Binding(port: port): [listener.release()]])
        #expect(harness.engine.closeUnusedInherited() == [Binding(port: port)])
        #expect(harness.engine.closeUnusedInherited().isEmpty)
        #expect(try client.waitForEnd() == .reset)
        #expect(throws: Errno.connectionRefused) { try PlainClient(port: port) }
    }

    @Test("while sockets are lent nothing new is bound, and it is afterwards")
    func lending() throws {
        let harness = try EngineHarness()
        let port = try freePort()
        harness.engine.setLending(true)
        let held = harness.apply([tcpListener("db", port: port, nil)], [])
        guard case .failed(let failure) = held.bindings[Binding(port: port)] else {
            Issue.record("bound: \(held)")
            return
        }
        #expect(failure.message == "listening sockets are being handed to another process")
        #expect(throws: Errno.connectionRefused) { try PlainClient(port: port) }
        harness.engine.setLending(false)
        #expect(
            try waitUntil {
                try listenerCounts(of: harness) == [Binding(port: port): 2] && harness.engine.warnings.isEmpty
            })
        #expect(try ending(of: port) == .reset)
    }
}

private func listenerCounts(of harness: EngineHarness) throws -> [Binding: Int] {
    try harness.engine.copyListeners().mapValues { copies in
        for copy in copies { _ = FileDescriptor(owning: copy) }
        return copies.count
    }
}
