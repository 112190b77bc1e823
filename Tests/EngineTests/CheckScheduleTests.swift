import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("When endpoints are checked, and what stays", .timeLimit(.minutes(3)))
struct CheckScheduleTests {
    private let harness: EngineHarness

    init() throws { harness = try EngineHarness(workers: 1) }

    /// A server that is up or down without leaving its port: what it says decides.
    private func switched(_ isUp: Locked<Bool>) throws -> ScriptedServer {
        try ScriptedServer { try $0.send(isUp.withLock { $0 } ? "up" : "no") }
    }

    @Test("so many failures in a row make it unhealthy, so many passes healthy again")
    func thresholds() throws {
        let isUp = Locked(true)
        let server = try switched(isUp)
        var check = activeCheck([expect("up")])
        (check.unhealthyThreshold, check.healthyThreshold) = (4, 3)
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        // One pass is enough at first.
        #expect(harness.waitFor(.healthy, of: "a"))
        isUp.withLock { $0 = false }
        #expect(harness.waitFor(.unhealthy, of: "a"))
        #expect(harness.failures("a", "closed") >= 4)
        let before = harness.passes("a")
        isUp.withLock { $0 = true }
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(harness.passes("a") >= before + 3)
    }

    @Test("an endpoint starts unchecked, and can be used only if it is to start healthy", arguments: [false, true])
    func initialState(startsHealthy: Bool) throws {
        let server = try ScriptedServer { try $0.send("up") }
        var check = activeCheck([expect("up")])
        // Its first check is far away.
        (check.interval, check.initialJitter) = (.seconds(3000), .seconds(3000))
        check.startsHealthy = startsHealthy
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.state("a") == .unchecked)
        #expect(harness.engine.awaitsFirstChecks)
        #expect(harness.metric("sluice_backend_endpoints", "backend=\"a\"", "state=\"unchecked\"") == 1)
        // The jitter counts once: with another one the check comes at once, and the state goes on.
        check.initialJitter = .zero
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(!harness.engine.awaitsFirstChecks)
    }

    @Test("while it is unhealthy another interval counts")
    func unhealthyInterval() throws {
        let port = try freePort()
        var check = activeCheck()
        check.interval = .seconds(3000)
        check.unhealthyInterval = .milliseconds(30)
        harness.apply([], [backend("a", ports: [port], check: check)])
        #expect(waitUntil { harness.failures("a", "connect_refused") >= 4 })
        let server = try ScriptedServer(on: SocketAddress(.loopbackV4, port)) { _ in }
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(waitUntil { server.count == 1 })
    }

    @Test("changed settings act at once and keep what is known")
    func changedSettings() throws {
        let isUp = Locked(true)
        let server = try switched(isUp)
        var check = activeCheck([expect("up")])
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.waitFor(.healthy, of: "a"))
        let last = try #require(harness.endpoints("a").first?.lastCheck)
        // Nobody looks from now on; it stays healthy, and its last check is known.
        (check.interval, check.timeout) = (.seconds(3000), .seconds(1))
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.state("a") == .healthy)
        #expect(try #require(harness.endpoints("a").first?.lastCheck).time >= last.time)
        #expect(!harness.engine.awaitsFirstChecks)
        isUp.withLock { $0 = false }
        (check.interval, check.unhealthyThreshold) = (.milliseconds(40), 2)
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.waitFor(.unhealthy, of: "a"))
        // …as does what was found out of it meanwhile.
        check.unhealthyThreshold = 5
        harness.apply([], [backend("a", ports: [server.port], check: check)])
        #expect(harness.state("a") == .unhealthy)
    }

    @Test("an endpoint that leaves and comes back is new; one that others have beside it is not")
    func comesBack() throws {
        let servers = [try ScriptedServer { _ in }, try ScriptedServer { _ in }]
        var check = activeCheck()
        let ports = servers.map(\.port)
        harness.apply([], [backend("a", ports: ports, check: check)])
        #expect(waitUntil { harness.endpoints("a").map(\.state) == [.healthy, .healthy] })
        harness.apply([], [backend("a", ports: [ports[0]], check: check)])
        #expect(harness.endpoints("a").count == 1)
        (check.interval, check.initialJitter) = (.seconds(3000), .seconds(3000))
        harness.apply([], [backend("a", ports: ports, check: check)])
        #expect(harness.state("a", port: ports[0]) == .healthy)
        #expect(harness.state("a", port: ports[1]) == .unchecked)
    }

    @Test("variants with the same settings share one check, however many there are")
    func variants() throws {
        let server = try ScriptedServer { _ in }
        var check = activeCheck()
        check.interval = .milliseconds(50)
        var all: [BackendConfiguration] = []
        for index in 0..<6 {
            var configuration = backend("a", ports: [server.port], check: check)
            configuration.id.variant = "v\(index)"
            all.append(configuration)
        }
        harness.apply([], all)
        #expect(harness.waitFor(.healthy, of: "a"))
        #expect(waitUntil { harness.passes("a") >= 6 })
        // Each connection was counted as one check.
        #expect(Double(server.count) <= harness.passes("a") + 2)
        #expect(harness.endpoints("a").count == 1)
        #expect(harness.doubledSeries == [])
    }

    @Test("backends that are gone are checked no more")
    func gone() throws {
        let server = try ScriptedServer { _ in }
        harness.apply([], [backend("a", ports: [server.port], check: activeCheck())])
        #expect(harness.waitFor(.healthy, of: "a"))
        harness.apply([], [])
        #expect(harness.engine.health().isEmpty)
        let other = try ScriptedServer { _ in }
        harness.apply([], [backend("b", ports: [other.port], check: activeCheck())])
        #expect(harness.waitFor(.healthy, of: "b"))
        let seen = server.count
        #expect(waitUntil { harness.passes("b") >= 10 })
        #expect(server.count <= seen + 1)
    }
}
