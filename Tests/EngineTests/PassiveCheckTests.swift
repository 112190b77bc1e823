import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("What connections say of endpoints", .timeLimit(.minutes(3)))
struct PassiveCheckTests {
    private let harness: EngineHarness
    private let port: UInt16

    init() throws {
        harness = try EngineHarness(workers: 2)
        port = try freePort()
    }

    private func passive(_ failures: Int = 3) -> PassiveHealthCheck {
        var check = PassiveHealthCheck()
        check.consecutiveFailures = failures
        check.interval = .milliseconds(50)
        check.baseEjectionTime = .seconds(60)
        return check
    }

    /// Without retries, so that a client is an attempt.
    private func apply(
        _ ports: [UInt16], _ passive: PassiveHealthCheck, tls: BackendTLS? = nil,
        each: (inout EndpointConfiguration) -> Void = { _ in }
    ) {
        var configuration = backend("a", ports: ports, tls: tls, passive: passive)
        for index in configuration.endpoints.indices { each(&configuration.endpoints[index]) }
        configuration.settings.retries = 0
        harness.apply([tcpListener("t", port: port, route("a", to: "a"))], [configuration])
    }

    private func loopback(_ port: UInt16) -> EndpointAddress { .ip(SocketAddress(.loopbackV4, port)) }

    private func state(_ port: UInt16) -> EndpointHealthReport.State? { harness.state("a", port: port) }

    /// One client after the other, until the condition holds.
    private func connect(until condition: () -> Bool) -> Bool {
        waitUntil(deadline: .seconds(20)) {
            _ = try? ending(of: port)
            return condition()
        }
    }

    @Test("refused connections in a row eject an endpoint, and the time ends it")
    func refused() throws {
        let (dead, server) = (try freePort(), try ScriptedServer { try $0.send("hello") })
        var settings = passive()
        settings.baseEjectionTime = .milliseconds(300)
        apply([dead, server.port], settings)
        #expect(harness.endpoints("a").allSatisfy { $0.state == .healthy && $0.lastCheck == nil })
        #expect(connect { state(dead) == .ejected })
        #expect(state(server.port) == .healthy)
        #expect(harness.metric("sluice_backend_health_transitions_total", "to=\"ejected\"") >= 1)
        #expect(waitUntil { harness.log.text.contains("endpoint is ejected") })
        #expect(waitUntil { state(dead) == .healthy })
        #expect(waitUntil { harness.log.text.contains("endpoint is no longer ejected") })
        #expect(connect { harness.endpoints("a").contains { $0.ejections >= 2 } })
    }

    @Test(
        "an ejection lasts to the end of an interval: baseEjectionTime, rounded up to whole ones",
        arguments: [
            (Duration.milliseconds(1), Duration.seconds(3600), "3600"), (.seconds(3660), .seconds(3600), "7200"),
            (.seconds(7200), .milliseconds(1), "7200"),
        ])
    func interval(base: Duration, interval: Duration, seconds: String) throws {
        let (dead, server) = (try freePort(), try ScriptedServer { try $0.send("hello") })
        var settings = passive()
        (settings.baseEjectionTime, settings.interval) = (base, interval)
        apply([dead, server.port], settings)
        #expect(connect { state(dead) == .ejected })
        let entry = try #require(harness.log.waitForEntry { $0.message == "endpoint is ejected" })
        #expect(entry.text("seconds") == seconds)
        // However short the ejection itself is, nobody looks before the interval is over.
        for _ in 0..<10 { _ = try? ending(of: port) }
        #expect(state(dead) == .ejected)
    }

    @Test("the end of a short interval ends a short ejection")
    func shortInterval() throws {
        let (dead, server) = (try freePort(), try ScriptedServer { try $0.send("hello") })
        var settings = passive()
        (settings.baseEjectionTime, settings.interval) = (.milliseconds(1), .milliseconds(20))
        apply([dead, server.port], settings)
        #expect(connect { harness.endpoints("a").contains { $0.ejections > 0 } })
        #expect(waitUntil { state(dead) == .healthy })
    }

    @Test("the interval is no window: failures in a row count however far apart they are")
    func farApart() throws {
        let (dead, server) = (try freePort(), try ScriptedServer { try $0.send("hello") })
        var settings = passive()
        settings.interval = .milliseconds(1)
        apply([dead, server.port], settings)
        #expect(
            connect {
                let last = MonotonicTime.now()
                return waitUntil { last + .milliseconds(5) <= .now() } && state(dead) == .ejected
            })
    }

    @Test("an endpoint that resets at once without a byte is ejected")
    func resets() throws {
        let resetting = try TestResetServer()
        let server = try ScriptedServer { try $0.send("hello") }
        apply([resetting.port, server.port], passive())
        #expect(connect { state(resetting.port) == .ejected })
        #expect(state(server.port) == .healthy)
    }

    @Test("TLS that fails ejects an endpoint")
    func tlsFailure() throws {
        let ca = try TestPKI.makeCA("Backends")
        let options = TLSServerOptions(try ca.issue(dnsNames: ["db.test"]))
        let wrong = TLSServerOptions(try ca.issue(dnsNames: ["other.test"]))
        let (good, bad) = (
            try ScriptedServer(tls: options) { try $0.send("hello") }, try ScriptedServer(tls: wrong) { _ in }
        )
        apply(
            [good.port, bad.port], passive(),
            tls: BackendTLS(trust: .bundles(try trust(ca)), hostname: "db.test"))
        #expect(connect { state(bad.port) == .ejected })
        #expect(state(good.port) == .healthy)
    }

    @Test("sessions that carried data never count, however they end, and reset what was counted")
    func carriedData() throws {
        let resetting = try TestResetServer(saying: "hello")
        let quiet = try ScriptedServer { try $0.send("hello") }
        apply([resetting.port, quiet.port], passive(1))
        for _ in 0..<40 { _ = try? PlainClient(port: port).waitForEnd() }
        #expect(resetting.count > 0)
        #expect(harness.endpoints("a").map(\.state) == [.healthy, .healthy])
        #expect(harness.endpoints("a").map(\.ejections) == [0, 0])
    }

    @Test("the last usable endpoint stays")
    func lastOne() throws {
        let dead = try freePort()
        apply([dead], passive(2))
        for _ in 0..<10 { _ = try? ending(of: port) }
        #expect(state(dead) == .healthy)
        #expect(harness.endpoints("a").map(\.ejections) == [0])
    }

    @Test("an endpoint of weight 0 takes nobody's place")
    func weightless() throws {
        let (dead, spare) = (try freePort(), try ScriptedServer { try $0.send("hello") })
        apply([dead, spare.port], passive(2)) { $0.weight = $0.address == loopback(dead) ? 1 : 0 }
        for _ in 0..<10 { _ = try? ending(of: port) }
        #expect(spare.count == 0)
        #expect(harness.endpoints("a").map(\.ejections) == [0, 0])
        // With a weight it does.
        apply([dead, spare.port], passive(2))
        #expect(connect { state(dead) == .ejected })
    }

    @Test("one that is merely ejected serves again when the last usable one goes", arguments: [false, true])
    func lastGoes(loses: Bool) throws {
        let (dead, other) = (try freePort(), try ScriptedServer { try $0.send("hello") })
        apply([dead, other.port], passive())
        #expect(connect { state(dead) == .ejected })
        if loses {
            apply([dead, other.port], passive()) { $0.weight = $0.address == loopback(dead) ? 1 : 0 }
        } else {
            apply([dead], passive())
        }
        #expect(waitUntil { state(dead) == .healthy })
        let server = try ScriptedServer(on: SocketAddress(.loopbackV4, dead)) { try $0.send("served\n") }
        #expect(try PlainClient(port: port).receiveLine() == "served")
        #expect(server.count == 1)
    }

    @Test("one that is merely ejected serves again when checks find nobody else healthy")
    func nobodyElse() throws {
        let (near, far) = (IPAddress.loopbackV4, IPAddress.v4(0x7f00_0002))
        let resetting = try TestResetServer(on: far)
        let server = try ScriptedServer { try $0.send("hello") }
        // Checks go to a port of their own: one that is reset may fail, or not.
        let checked = try freePort()
        let passing = try ScriptedServer(on: SocketAddress(far, checked)) { _ in }
        var other: ScriptedServer? = try ScriptedServer(on: SocketAddress(near, checked)) { _ in }
        var check = activeCheck()
        check.port = checked
        var configuration = backend("a", ports: [server.port], check: check, passive: passive())
        configuration.endpoints.append(EndpointConfiguration(address: .ip(SocketAddress(far, resetting.port))))
        configuration.endpoints.sort()
        configuration.settings.retries = 0
        harness.apply([tcpListener("t", port: port, route("a", to: "a"))], [configuration])
        #expect(connect { state(resetting.port) == .ejected })
        other = nil
        #expect(waitUntil { state(server.port) == .unhealthy })
        #expect(waitUntil { state(resetting.port) == .healthy })
        #expect(other == nil && passing.count > 0)
    }

    @Test(
        "no more than the share is ejected, but one where that is asked for",
        arguments: [(60, false, 1), (0, true, 1), (0, false, 0), (100, false, 1)])
    func share(percent: Int, one: Bool, expected: Int) throws {
        let dead = [try freePort(), try freePort()]
        var settings = passive(2)
        (settings.maximumEjectionPercent, settings.alwaysEjectsOne) = (percent, one)
        apply(dead, settings)
        for _ in 0..<30 { _ = try? ending(of: port) }
        // Of two dead ones one is the last.
        if expected > 0 { #expect(connect { harness.endpoints("a").count { $0.state == .ejected } == expected }) }
        #expect(harness.endpoints("a").count { $0.state == .ejected } == expected)
    }

    @Test("lowered numbers count from the next failure, and an ejection outlives changed settings")
    func changed() throws {
        let (dead, server) = (try freePort(), try ScriptedServer { try $0.send("hello") })
        apply([dead, server.port], passive(1000))
        for _ in 0..<20 { _ = try? ending(of: port) }
        #expect(state(dead) == .healthy)
        apply([dead, server.port], passive(2))
        #expect(connect { state(dead) == .ejected })
        apply([dead, server.port], passive(7))
        #expect(state(dead) == .ejected)
    }
}

/// A server that resets each connection, maybe after a word.
private final class TestResetServer: Sendable {
    let port: UInt16
    private let accepted = Locked(0)
    private let stopped = Locked(false)

    init(on address: IPAddress = .loopbackV4, saying word: String = "") throws {
        let server = try PlainServer(on: SocketAddress(address, 0))
        port = server.port
        let thread = try Thread(named: "reset") { [weak self] in
            while true {
                guard let self, !self.stopped.withLock({ $0 }) else { return }
                guard let stream = try? server.accept(timeout: .milliseconds(100)) else { continue }
                accepted.withLock { $0 += 1 }
                if !word.isEmpty {
                    try? stream.send(word)
                    // It is there before the reset.
                    pause(for: .milliseconds(20))
                }
                stream.reset()
            }
        }
        thread.detach()
    }

    deinit { stopped.withLock { $0 = true } }

    var count: Int { accepted.withLock { $0 } }
}
