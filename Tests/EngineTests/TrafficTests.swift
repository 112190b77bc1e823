import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Traffic by object", .timeLimit(.minutes(5)))
struct TrafficTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let port: UInt16

    init() throws { (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort()) }

    private func use(_ route: String, of listener: String = "db") -> TrafficReport.RouteUse {
        .init(
            listener: listenerID(listener), route: RouteID(kind: "TCPRoute", namespace: "default", name: route))
    }

    @Test("a report counts what listeners, routes and backends did, and leaves out who did nothing")
    func report() throws {
        let (idle, dead) = (try freePort(), try freePort())
        harness.apply(
            [
                tcpListener("db", port: port, route("r", to: "a")),
                tcpListener("idle", port: idle, route("i", to: "a")),
                tcpListener("dead", port: dead, route("d", to: "nobody")),
            ],
            [backend("a", ports: [echo.port]), backend("nobody", ports: [])])
        let clients = try (0..<5).map { _ in try PlainClient(port: port) }
        for client in clients {
            #expect(try client.receiveLine() == "a")
            try client.exchange("hello")
        }
        for client in clients.prefix(2) { client.close() }
        #expect(try ending(of: dead) == .reset)
        #expect(waitUntil { harness.engine.traffic().routes[use("r")]?.closed == [.clientClosed: 2] })

        let report = harness.engine.traffic()
        let listener = try #require(report.listeners[listenerID("db")])
        #expect(listener.accepted == 5 && listener.active == 3 && listener.handshaking == 0 && listener.rejected == [:])
        #expect(report.listeners[listenerID("idle")] == ListenerTraffic())
        let route = try #require(report.routes[use("r")])
        #expect(route.opened == 5 && route.active == 3)
        #expect(route.requestBytes == 25 && route.responseBytes == 35)
        #expect(route.setups == 5 && route.setupNanoseconds > 0)
        #expect(report.routes[use("i", of: "idle")] == nil)
        #expect(report.routes[use("d", of: "dead")]?.closed == [.noEndpoints: 1])
        let backend = try #require(report.backends[backendID("a")])
        #expect(backend.connected == 5 && backend.active == 3 && backend.failed == [:])
        #expect(backend.connectNanoseconds > 0)
        #expect(report.backends[backendID("nobody")] == nil)
    }

    @Test("samples add up all traffic, and say of each failure where and why it happened, once")
    func samples() throws {
        let (empty, refused) = (try freePort(), try freePort())
        harness.apply(
            [
                tcpListener("db", port: port, route("r", to: "a")), tcpListener("empty", port: empty, nil),
                tcpListener("refused", port: refused, route("x", to: "down")),
            ],
            [backend("a", ports: [echo.port]), backend("down", ports: [try freePort()])])
        let sampler = harness.engine.makeSampler()
        #expect(sampler.next() == TrafficSample())

        let client = try PlainClient(port: port)
        #expect(try client.receiveLine() == "a")
        try client.exchange("hello")
        for _ in 0..<3 { #expect(try ending(of: empty) == .reset) }
        for _ in 0..<2 { #expect(try ending(of: refused) == .reset) }
        var seen: Set<TrafficSample.Refusal> = []
        var sample = sampler.next()
        var counts: [TrafficSample.Place: [CloseReason: UInt64]] = [:]
        func add() {
            for refusal in sample.refusals {
                seen.insert(refusal)
                counts[refusal.place, default: [:]][refusal.reason, default: 0] += refusal.count
            }
        }
        add()
        #expect(
            waitUntil {
                sample = sampler.next()
                add()
                return counts == [
                    .listener(listenerID("empty")): [.noRoute: 3],
                    .route(use("x", of: "refused")): [.connectRefused: 2],
                ] && sample.responseBytes == 7
            }, "\(counts)")
        #expect(sample.accepted == 6 && sample.active == 1 && sample.requestBytes == 5)
        #expect(sample.setups == 1 && sample.setupNanoseconds > 0)
        client.close()
        #expect(waitUntil { sampler.next().active == 0 })
        #expect(sampler.next().refusals == [])
    }

    @Test("what a route counts as it goes is in a sample, and stays in the totals")
    func removedRoute() throws {
        harness.apply([tcpListener("db", port: port, route("r", to: "a"))], [backend("a", ports: [echo.port])])
        let sampler = harness.engine.makeSampler()
        let client = try PlainClient(port: port)
        #expect(try client.receiveLine() == "a")
        try client.exchange("hello")
        #expect(waitUntil { sampler.next().responseBytes == 7 })
        harness.apply([], [])
        _ = harness.engine.closeConnections { _ in true }
        #expect(try client.waitForEnd() == .fin)
        var refusals: [TrafficSample.Refusal] = []
        #expect(
            waitUntil {
                refusals += sampler.next().refusals
                return !refusals.isEmpty
            })
        #expect(refusals == [.init(.route(use("r")), .adminClosed, count: 1)])
        // It is let go of once it was read, and what it counted stays.
        #expect(
            waitUntil {
                _ = sampler.next()
                return harness.metric("sluice_tcp_connections_opened_total") == 0
            })
        let sample = sampler.next()
        #expect(sample.accepted == 1 && sample.requestBytes == 5 && sample.responseBytes == 7 && sample.active == 0)
    }
}
