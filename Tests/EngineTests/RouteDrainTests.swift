import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Sessions of removed routes and listeners", .timeLimit(.minutes(5)))
struct RouteDrainTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let ports: [UInt16]

    init() throws {
        harness = try EngineHarness()
        echo = try EchoBackend("a")
        ports = try (0..<4).map { _ in try freePort() }
    }

    private func listener(
        _ index: Int, drain timeout: Duration?, route name: String? = "r", mode: TLSListener.Mode? = nil
    ) -> ListenerConfiguration {
        var listener =
            if let mode {
                tlsListener(
                    "l\(index)", port: ports[index], mode: mode, routes: [],
                    fallback: name.map { route($0, to: "a") })
            } else {
                tcpListener("l\(index)", port: ports[index], name.map { route($0, to: "a") })
            }
        listener.settings.routeDrainTimeout = timeout
        return listener
    }

    private func apply(_ listeners: ListenerConfiguration...) {
        harness.apply(listeners, [backend("a", ports: [echo.port])])
    }

    private func connect(_ index: Int) throws -> PlainClient {
        let client = try PlainClient(port: ports[index])
        #expect(try client.receiveLine() == "a")
        return client
    }

    private func closed(_ reason: CloseReason, _ index: Int) -> Double {
        harness.metric(
            "sluice_tcp_connections_closed_total", "reason=\"\(reason.rawValue)\"", "side=\"proxy\"",
            "listener=\"l\(index)\"")
    }

    private var disrupted: Double {
        var text = PrometheusText()
        harness.engine.writeMetrics(into: &text)
        let line = text.text.split(separator: "\n").first { $0.hasPrefix("sluice_config_sessions_disrupted_total ") }
        return line?.split(separator: " ").last.flatMap { Double($0) } ?? -1
    }

    @Test("after the timeout sessions of a removed route, and of a removed listener, end with a FIN; others stay")
    func timeout() throws {
        let timeout = Duration.seconds(2)
        apply(listener(0, drain: timeout), listener(1, drain: timeout), listener(2, drain: timeout))
        let clients = try (0..<3).map { try connect($0) }
        let start = MonotonicTime.now()
        apply(listener(0, drain: timeout, route: "other"), listener(2, drain: timeout))
        for client in clients { try client.exchange("still here") }
        #expect(try clients[0].waitForEnd() == .fin)
        #expect(start + timeout <= .now())
        #expect(try clients[1].waitForEnd() == .fin)
        try clients[2].exchange("untouched")
        #expect(waitUntil { closed(.routeDeleted, 0) == 1 })
        // The listener's series are gone with its last session: what is left is the count of all.
        #expect(waitUntil { disrupted == 2 })
        try connect(0).exchange("new")
        clients[0].close()
        clients[1].close()
        #expect(waitUntil { harness.engine.activeConnections == 1 })
        for text in ["sessions of a removed route are closed", "sessions of a removed listener are closed"] {
            #expect(harness.log.entries.filter { $0.message == text }.count == 1)
        }
    }

    @Test("a listener that keeps a session open shows why it was closed")
    func reason() throws {
        apply(listener(0, drain: .milliseconds(50)))
        let clients = try (0..<2).map { _ in try connect(0) }
        apply()
        // Neither answers the FIN: the series live as long as they linger.
        #expect(waitUntil { closed(.listenerRemoved, 0) == 2 })
        for client in clients { #expect(try client.waitForEnd() == .fin) }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }

    @Test("what comes back before its time, and what has no timeout, goes on")
    func comesBack() throws {
        let timeout = Duration.seconds(2)
        func all(_ routes: [String?]) {
            apply(
                listener(0, drain: timeout, route: routes[0]), listener(1, drain: nil, route: routes[1]),
                listener(2, drain: timeout, route: routes[2]))
        }
        all(["r", "r", "r"])
        let clients = try (0..<3).map { try connect($0) }
        all([nil, nil, nil])
        all(["r", nil, nil])
        // The third tells when the time of all three is over.
        #expect(try clients[2].waitForEnd() == .fin)
        for _ in 0..<3 {
            apply(listener(1, drain: nil, route: "r"))
            all(["r", nil, nil])
        }
        try clients[0].exchange("back again")
        try clients[1].exchange("for ever")
        #expect(waitUntil { disrupted == 1 })
    }

    @Test("a timeout that is shortened, or set later, counts from when the route went")
    func shortened() throws {
        apply(listener(0, drain: .seconds(3600)), listener(1, drain: nil))
        let clients = try (0..<2).map { try connect($0) }
        apply(listener(0, drain: .seconds(3600), route: nil), listener(1, drain: nil, route: nil))
        for client in clients { try client.exchange("still here") }
        apply(listener(0, drain: .milliseconds(20), route: nil), listener(1, drain: .zero, route: nil))
        for client in clients { #expect(try client.waitForEnd() == .fin) }
        #expect(waitUntil { disrupted == 2 })
    }

    @Test("a TLS session ends with close_notify, one that has not finished its handshake with its connection")
    func secure() throws {
        let ca = try TestPKI.makeCA()
        let mode = try terminate(ca.issue(dnsNames: ["a.test"]))
        apply(listener(0, drain: .milliseconds(100), mode: mode))
        let client = try TLSTestClient(port: ports[0], TLSClientOptions(serverName: "a.test"))
        #expect(try client.receiveLine() == "a")
        let silent = try PlainClient(port: ports[0])
        let half = try PlainClient(port: ports[0])
        try half.send(try clientHelloBytes(TLSClientOptions(serverName: "a.test")))
        #expect(try !half.receive().isEmpty)
        apply()
        #expect(try client.waitForEnd() == .closeNotify)
        #expect(try silent.waitForEnd() == .reset)
        _ = try? half.receiveAll()
        #expect(waitUntil { disrupted == 3 })
        client.close()
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }

    @Test("many sessions do not end all at once")
    func spread() throws {
        apply(listener(0, drain: .seconds(2)))
        let clients = try (0..<300).map { _ in try connect(0) }
        apply()
        var seen: Set<Double> = []
        #expect(
            waitUntil(deadline: .seconds(20)) {
                seen.insert(disrupted)
                return seen.contains(300)
            })
        #expect(seen.contains { 0 < $0 && $0 < 300 })
        for client in clients { #expect(try client.waitForEnd() == .fin) }
        for client in clients { client.close() }
        #expect(waitUntil { harness.engine.activeConnections == 0 })
    }
}
