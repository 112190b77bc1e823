import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Connection limits", .timeLimit(.minutes(5)))
struct ConnectionLimitTests: LimitedEcho {
    let harness: EngineHarness
    let echo: EchoBackend
    let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort())
    }

    @Test("no more than its value are open, on all workers together; one that ends makes room at once")
    func value() throws {
        apply(listener: [limits("p", connections: ConnectionLimit(value: 3))])
        var open = try (0..<3).map { _ in try openClient(port) }
        for _ in 0..<10 { #expect(try !isServed(port)) }
        #expect(waitUntil { dials == 3 })
        for _ in 0..<20 {
            open.removeFirst().close()
            #expect(waitUntil { harness.engine.activeConnections == 2 })
            open.append(try openClient(port))
            #expect(try !isServed(port))
        }
        #expect(waitUntil { harness.rejected(.connectionLimit) == 30 })
        #expect(
            waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"connections\"", "listener=\"t\"") == 30 })
        let line = try #require(harness.log.waitForEntry { $0.text("close_reason") == "connection_limit" })
        #expect(line.text("policy") == "default/p")
    }

    @Test("the limit and what counts against it are told for each policy and target, while there is a limit")
    func gauges() throws {
        func value(_ name: String) -> Double { harness.metric(name, "policy=\"default/p\"") }
        apply(listener: [limits("p", connections: ConnectionLimit(value: 5))])
        var open = try (0..<4).map { _ in try openClient(port) }
        #expect(value("sluice_limit_connections") == 5 && value("sluice_limit_connections_active") == 4)
        open.removeFirst().close()
        #expect(waitUntil { value("sluice_limit_connections_active") == 3 })
        apply(listener: [limits("p", connections: ConnectionLimit(value: 2))])
        #expect(value("sluice_limit_connections") == 2 && value("sluice_limit_connections_active") == 3)
        apply(listener: [limits("p")])
        #expect(value("sluice_limit_connections") == 0 && value("sluice_limit_connections_active") == 0)
        for client in open { client.close() }
    }

    @Test("many at once: exactly the value get through, whatever workers they meet")
    func stampede() throws {
        apply(route: [limits("p", connections: ConnectionLimit(value: 10))])
        let clients = try (0..<40).map { _ in
            try BackgroundWork { [port] in try? openClient(port) }
        }
        let served = try clients.compactMap { try $0.value() }
        #expect(served.count == 10)
        #expect(waitUntil { dials == 10 })
        #expect(waitUntil { harness.closed(.connectionLimit) == 30 })
        #expect(harness.rejected(.connectionLimit) == 0)
        for client in served { try client.exchange("served") }
    }

    @Test("sources count by prefix, each on its own, beside the target's own value")
    func perSource() throws {
        let bySource = ConnectionLimit.PerSource(value: 2, source: SourcePrefix(v4: 31, v6: 128))
        apply(listener: [limits("p", connections: ConnectionLimit(value: 6, perSource: bySource))])
        let first = [try openClient(port, from: host(2)), try openClient(port, from: host(3))]
        #expect(try !isServed(port, from: host(2)))
        #expect(try !isServed(port, from: host(3)))
        #expect(waitUntil { harness.rejected(.sourceConnectionLimit) == 2 })
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"source_connections\"") == 2 })
        // The same address by IPv4 and mapped into IPv6 is one source; IPv6 has its own.
        let others = [try openClient(port, from: host(4)), try openClient(port, from: host(4))]
        #expect(try !isServed(port, from: host(5)))
        let v6 = [try openClient(port, from: .loopbackV6), try openClient(port, from: .loopbackV6)]
        #expect(try !isServed(port, from: .loopbackV6))
        #expect(harness.rejected(.connectionLimit) == 0)
        #expect(try !isServed(port, from: host(7)))
        #expect(waitUntil { harness.rejected(.connectionLimit) == 1 })
        first[0].close()
        #expect(waitUntil { harness.engine.activeConnections == 5 })
        #expect(try isServed(port, from: host(7)))
        #expect(waitUntil { harness.engine.activeConnections == 5 })
        let again = try openClient(port, from: host(3))
        #expect(try !isServed(port, from: host(2)))
        for client in [first[1], again] + others + v6 { try client.exchange("served") }
    }

    @Test("a changed limit keeps what was counted, and closes nothing")
    func changes() throws {
        func apply(_ limit: ConnectionLimit?) {
            self.apply(listener: [limits("p", connections: limit)])
        }
        apply(ConnectionLimit(value: 4))
        let open = try (0..<4).map { _ in try openClient(port) }
        apply(ConnectionLimit(value: 2))
        for client in open { try client.exchange("still here") }
        #expect(try !isServed(port))
        apply(ConnectionLimit(value: 5))
        let fifth = try openClient(port)
        #expect(try !isServed(port))
        // Without a limit they go on being counted.
        apply(nil)
        let sixth = try openClient(port)
        apply(ConnectionLimit(value: 6))
        #expect(try !isServed(port))
        for client in open + [fifth] { client.close() }
        #expect(waitUntil { harness.engine.activeConnections == 1 })
        let more = try (0..<5).map { _ in try openClient(port) }
        #expect(try !isServed(port))
        for client in [sixth] + more { try client.exchange("served") }
    }

    @Test("listeners and routes with one id share one count; levels count each on their own")
    func shared() throws {
        let second = try freePort()
        let wide = limits("wide", connections: ConnectionLimit(value: 3))
        let narrow = limits("narrow", connections: ConnectionLimit(value: 2))
        harness.apply(
            [
                tcpListener("t", port: port, route("r", to: "a").limited(by: narrow)).limited(by: wide),
                tcpListener("u", port: second, route("s", to: "a")).limited(by: wide),
            ], [backend("a", ports: [echo.port])])
        let open = [try openClient(port), try openClient(port)]
        #expect(try !isServed(port))
        #expect(waitUntil { harness.closed(.connectionLimit) == 1 })
        // What the route refused is not counted on the listener any more.
        #expect(waitUntil { harness.engine.activeConnections == 2 })
        let third = try openClient(second)
        #expect(try !isServed(second))
        #expect(waitUntil { harness.rejected(.connectionLimit) == 1 })
        for client in open + [third] { try client.exchange("served") }
    }

    @Test("a refused connection is closed after the delay, holds no backend, and is counted once")
    func closeDelay() throws {
        apply(listener: [limits("p", connections: ConnectionLimit(value: 1, closeDelay: .seconds(2)))])
        let open = try openClient(port)
        let started = MonotonicTime.now()
        let refused = try (0..<5).map { _ in try PlainClient(port: port) }
        #expect(waitUntil { harness.rejected(.connectionLimit) == 5 })
        #expect(MonotonicTime.now() - started < .seconds(2), "counted at once")
        for client in refused {
            #expect(try client.waitForEnd() == .reset)
            #expect(MonotonicTime.now() - started >= .milliseconds(1990))
        }
        #expect(waitUntil { dials == 1 })
        #expect(waitUntil { harness.engine.activeConnections == 1 })
        #expect(waitUntil { harness.rejected(.connectionLimit) == 5 })
        try open.exchange("still here")
        // One that leaves meanwhile is no other case.
        let leaving = try PlainClient(port: port)
        #expect(waitUntil { harness.rejected(.connectionLimit) == 6 })
        leaving.reset()
        #expect(waitUntil { harness.engine.activeConnections == 1 })
        #expect(harness.rejected(.clientReset) == 0)
    }

    @Test("stopping does not wait for delayed connections")
    func stopsWithDelayed() throws {
        apply(listener: [limits("p", connections: ConnectionLimit(value: 1, closeDelay: .seconds(60)))])
        let open = try openClient(port)
        let refused = try PlainClient(port: port)
        #expect(waitUntil { harness.rejected(.connectionLimit) == 1 })
        harness.engine.stop()
        #expect(try refused.waitForEnd() == .reset)
        _ = try open.waitForEnd()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }
}
