@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

/// What becomes of established sessions whose endpoint, or whose place, is not what it was.
@Suite("Sessions of endpoints that go", .timeLimit(.minutes(5)))
struct SessionEndTests {
    private let harness: EngineHarness
    private let echo: EchoBackend
    private let other: EchoBackend
    private let port: UInt16

    init() throws {
        (harness, port) = (try EngineHarness(), try freePort())
        (echo, other) = (try EchoBackend("a"), try EchoBackend("b"))
    }

    private func apply(
        _ ports: [UInt16]? = nil, variant: String = "", _ change: (inout BackendSettings) -> Void = { _ in }
    ) {
        var backend = backend("a", ports: ports ?? [echo.port])
        backend.id.variant = variant
        // No check runs: standings are set here.
        backend.settings.health.passive = PassiveHealthCheck()
        change(&backend.settings)
        var route = route("r", to: "a")
        route.backends = [.init(weight: 1, target: .backend(backend.id))]
        harness.apply([tcpListener("t", port: port, route)], [backend])
    }

    /// As a checker says it.
    private func change(adding added: Standing, removing removed: Standing, _ port: UInt16) {
        for health in harness.engine.withCompiler({ compiler, _ in compiler.healths.living() }) {
            let endpoint = health.endpoint(.ip(SocketAddress(.loopbackV4, port)))
            let before = endpoint.change(adding: added, removing: removed)
            let change = HealthChange(health: health, endpoint: endpoint, before: before, now: endpoint.standing)
            harness.engine.signals.update { $0.healthChanges.append(change) }
        }
    }

    private func set(_ port: UInt16, healthy: Bool) {
        change(adding: healthy ? [] : .unhealthy, removing: healthy ? .unhealthy : [], port)
    }

    private func ended(_ reason: CloseReason) -> Double {
        harness.metric("sluice_backend_sessions_closed_total", "backend=\"a\"", "reason=\"\(reason.rawValue)\"")
    }

    private func closed(_ reason: CloseReason) -> Double {
        harness.metric("sluice_tcp_connections_closed_total", "reason=\"\(reason.rawValue)\"", "side=\"proxy\"")
    }

    /// None of them is a disruption: somebody has asked for it.
    private func expectEnds(_ reason: CloseReason, _ count: Double) {
        #expect(waitUntil { ended(reason) == count })
        #expect(waitUntil { closed(reason) == count })
        #expect(harness.total("sluice_config_sessions_disrupted_total") == 0)
    }

    private func clients(_ count: Int) throws -> [PlainClient] { try (0..<count).map { _ in try openClient(port) } }

    // MARK: onEndpointUnhealthy

    @Test("onEndpointUnhealthy: Close ends sessions at once, and Keep lets them go on")
    func unhealthy() throws {
        apply { $0.onEndpointUnhealthy = .close }
        let sessions = try clients(3)
        set(echo.port, healthy: false)
        for session in sessions { #expect(try session.waitForEnd() == .fin) }
        expectEnds(.endpointUnhealthy, 3)
        set(echo.port, healthy: true)
        apply { $0.onEndpointUnhealthy = .keep }
        let kept = try openClient(port)
        set(echo.port, healthy: false)
        try kept.exchange("goes on")
        // The value is the newest configuration's: it acts on what is unhealthy already.
        apply { $0.onEndpointUnhealthy = .close }
        #expect(try kept.waitForEnd() == .fin)
        expectEnds(.endpointUnhealthy, 4)
    }

    /// Whether workers are asked to look for sessions to close.
    private var isClosing: Bool { harness.engine.control.withLock { $0.sessions.turn(now: .now()).sweeps } }

    @Test("Drain ends them little by little, and no more once the endpoint is healthy again")
    func drain() throws {
        func draining(_ timeout: Duration) {
            apply { ($0.onEndpointUnhealthy, $0.endpointDrainTimeout) = (.drain, timeout) }
        }
        draining(.seconds(60))
        let sessions = try clients(200)
        let start = MonotonicTime.now()
        set(echo.port, healthy: false)
        #expect(waitUntil(deadline: .seconds(30)) { ended(.endpointUnhealthy) > 5 })
        #expect(start + .milliseconds(500) < .now())
        set(echo.port, healthy: true)
        #expect(waitUntil { !isClosing })
        let left = sessions.filter { (try? $0.exchange("still here")) != nil }
        #expect(Double(left.count) == 200 - ended(.endpointUnhealthy))
        #expect(left.count > 100)
        set(echo.port, healthy: false)
        #expect(waitUntil { isClosing })
        draining(.milliseconds(100))
        for session in left { #expect(try session.waitForEnd() == .fin) }
        expectEnds(.endpointUnhealthy, 200)
    }

    @Test("endpointDrainTimeout 0: at once")
    func atOnce() throws {
        apply {
            $0.onEndpointUnhealthy = .drain
            $0.endpointDrainTimeout = .zero
        }
        let sessions = try clients(50)
        set(echo.port, healthy: false)
        for session in sessions { #expect(try session.waitForEnd() == .fin) }
        expectEnds(.endpointUnhealthy, 50)
    }

    @Test("an endpoint that has not been checked is not unhealthy, and one that is ejected keeps its sessions")
    func otherStandings() throws {
        apply { $0.onEndpointUnhealthy = .close }
        let session = try openClient(port)
        change(adding: [.unchecked, .unhealthy, .ejected], removing: [], echo.port)
        try session.exchange("goes on")
        change(adding: [], removing: [.unchecked, .unhealthy], echo.port)
        try session.exchange("goes on")
        set(echo.port, healthy: false)
        #expect(try session.waitForEnd() == .fin)
        expectEnds(.endpointUnhealthy, 1)
    }

    // MARK: onEndpointRemoved

    @Test("onEndpointRemoved: Close ends sessions of endpoints that are the backend's no more; others stay")
    func removed() throws {
        apply([echo.port]) { $0.onEndpointRemoved = .close }
        let first = try openClient(port)
        apply([echo.port, other.port]) { $0.onEndpointRemoved = .close }
        try first.exchange("both are there")
        apply([other.port]) { $0.onEndpointRemoved = .close }
        #expect(try first.waitForEnd() == .fin)
        expectEnds(.endpointRemoved, 1)
        let second = try PlainClient(port: port)
        #expect(try second.receiveLine() == "b")
        apply([echo.port])
        try second.exchange("kept")
        // The newest value holds for what was removed before it.
        apply([echo.port]) { $0.onEndpointRemoved = .close }
        #expect(try second.waitForEnd() == .fin)
        expectEnds(.endpointRemoved, 2)
    }

    @Test("Drain of removed endpoints ends when they come back")
    func comesBack() throws {
        func draining(_ settings: inout BackendSettings) {
            (settings.onEndpointRemoved, settings.endpointDrainTimeout) = (.drain, .seconds(3600))
        }
        apply([echo.port], draining)
        let session = try openClient(port)
        apply([other.port], draining)
        try session.exchange("its time has not come")
        apply([echo.port], draining)
        #expect(!isClosing)
        apply([other.port]) {
            draining(&$0)
            $0.endpointDrainTimeout = .milliseconds(200)
        }
        #expect(try session.waitForEnd() == .fin)
        expectEnds(.endpointRemoved, 1)
    }

    @Test("what DNS says no more is removed as well")
    func names() throws {
        let dns = try TestDNSServer()
        let harness = try EngineHarness(dnsServers: dns.address)
        dns.set("db.test", .addresses([.loopbackV4], ttl: 1))
        var backend = BackendConfiguration(
            id: backendID("a"), endpoints: [EndpointConfiguration(address: .name("db.test", port: echo.port))])
        backend.settings.dnsRefreshRate = .milliseconds(50)
        backend.settings.onEndpointRemoved = .close
        harness.apply([tcpListener("t", port: port, route("r", to: "a"))], [backend])
        let session = try openClient(port)
        dns.set("db.test", .serverFailure)
        let asked = dns.questions(for: "db.test")
        #expect(waitUntil { dns.questions(for: "db.test") >= asked + 4 })
        try session.exchange("the last good answer")
        dns.set("db.test", .addresses([.v4(0x7f00_0003)], ttl: 1))
        #expect(try session.waitForEnd() == .fin)
        #expect(waitUntil { harness.metric("sluice_backend_sessions_closed_total", "endpoint_removed") == 1 })
    }

    @Test("a backend that leaves the configuration is none whose endpoints were removed")
    func otherBackend() throws {
        apply([echo.port]) { $0.onEndpointRemoved = .close }
        let session = try openClient(port)
        var second = backend("b", ports: [other.port])
        second.settings.onEndpointRemoved = .close
        harness.apply([tcpListener("t", port: port, route("r", to: "b"))], [second])
        #expect(try PlainClient(port: port).receiveLine() == "b")
        try session.exchange("goes on")
        apply([other.port]) { $0.onEndpointRemoved = .close }
        #expect(try session.waitForEnd() == .fin)
    }

    @Test("a session whose variant of the backend is no more follows the one that is there")
    func variants() throws {
        apply([echo.port], variant: "old")
        let session = try openClient(port)
        apply([echo.port], variant: "new") { $0.onEndpointUnhealthy = .close }
        try session.exchange("goes on")
        set(echo.port, healthy: false)
        #expect(try session.waitForEnd() == .fin)
        expectEnds(.endpointUnhealthy, 1)
    }

    @Test("TLS sessions end with close_notify")
    func tls() throws {
        let ca = try TestPKI.makeCA()
        var backend = backend("a", ports: [echo.port])
        backend.settings.onEndpointRemoved = .close
        let listener = tlsListener(
            "t", port: port, mode: try terminate(try ca.issue(dnsNames: ["a.test"])),
            routes: [("a.test", route("r", to: "a"))])
        harness.apply([listener], [backend])
        let client = try TLSTestConnection(port: port, TLSClientOptions(serverName: "a.test", trust: ca.pem))
        #expect(try client.receiveLine() == "a")
        backend.endpoints = EngineTests.backend("a", ports: [other.port]).endpoints
        harness.apply([listener], [backend])
        #expect(try client.waitForEnd() == .closeNotify)
        expectEnds(.endpointRemoved, 1)
    }

    // MARK: onPrimaryRecovered

    @Test(
        "onPrimaryRecovered: sessions of fallback backends are kept, drained or closed",
        arguments: [SessionAction.keep, .drain, .close])
    func primary(_ action: SessionAction) throws {
        var (first, fallback) = (backend("p", ports: [echo.port]), backend("a", ports: [other.port]))
        first.settings.health.passive = PassiveHealthCheck()
        fallback.settings.onPrimaryRecovered = action
        fallback.settings.endpointDrainTimeout = .milliseconds(300)
        var rule = route("r", to: [("p", 1), ("a", 1)])
        rule.backends[1].isFallback = true
        harness.apply([tcpListener("t", port: port, rule)], [first, fallback])
        set(echo.port, healthy: false)
        var session = try PlainClient(port: port)
        while try session.receiveLine() != "b" { session = try PlainClient(port: port) }
        try session.exchange("on the fallback")
        set(echo.port, healthy: true)
        guard action != .keep else {
            try session.exchange("kept")
            fallback.settings.onPrimaryRecovered = .close
            harness.apply([tcpListener("t", port: port, rule)], [first, fallback])
            #expect(try session.waitForEnd() == .fin)
            return expectEnds(.primaryRecovered, 1)
        }
        #expect(try session.waitForEnd() == .fin)
        expectEnds(.primaryRecovered, 1)
    }
}
