@testable import Engine
import EngineModel
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Usable endpoints", .timeLimit(.minutes(5)))
struct UsabilityTests {
    @Test("without a usable endpoint connections are refused, and with one they are not", arguments: [1, 3])
    func nobody(count: Int) throws {
        var bench = try BalanceBench("x", "y", "z")
        if count == 1 {
            bench.remove("y")
            bench.remove("z")
        }
        bench.checkByHand()
        bench.apply()
        #expect(try bench.server() != nil)
        for name in ["x", "y", "z"] { bench.mark(name, .unhealthy) }
        #expect(try ending(of: bench.port) == .reset)
        #expect(waitUntil { bench.harness.closed(.noHealthyEndpoint) == 1 })
        #expect(bench.harness.metric("sluice_backend_rejected_total", "no_healthy_endpoint") == 1)
        bench.mark("x", [])
        #expect(try bench.server() == "x")
    }

    @Test("with fewer usable than the panic threshold all are used, and that shows")
    func panic() throws {
        var bench = try BalanceBench("x", "y", "z")
        bench.settings.loadBalancing.method = .roundRobin
        bench.checkByHand(panicThreshold: 50)
        bench.apply()
        bench.mark("x", .unhealthy)
        #expect(try bench.counts(20) == ["y": 10, "z": 10])
        #expect(bench.harness.metric("sluice_backend_panic", "backend=\"a\"") == 0)
        bench.mark("y", .unhealthy)
        #expect(try bench.counts(30) == ["x": 10, "y": 10, "z": 10])
        #expect(bench.harness.metric("sluice_backend_panic", "backend=\"a\"") == 1)
        bench.mark("y", [])
        #expect(try bench.counts(20) == ["y": 10, "z": 10])
        #expect(bench.harness.metric("sluice_backend_panic", "backend=\"a\"") == 0)
        #expect(bench.harness.doubledSeries.isEmpty)
    }

    @Test("while nothing is known of any endpoint a connection waits for the first result")
    func unchecked() throws {
        var bench = try BalanceBench("x", "y")
        bench.checkByHand(startsUnchecked: true)
        bench.apply()
        let waiting = try PlainClient(port: bench.port)
        #expect(waitUntil { bench.harness.metric("sluice_backend_connections_active") == 1 })
        bench.mark("x", .unhealthy)
        bench.mark("y", [])
        #expect(try waiting.receiveLine() == "y")
        #expect(bench.harness.closed(.noHealthyEndpoint) == 0)
    }

    @Test("…and is refused when all results are bad, or none comes in time")
    func uncheckedInVain() throws {
        var bench = try BalanceBench("x", "y")
        bench.checkByHand(startsUnchecked: true)
        bench.apply()
        let waiting = try PlainClient(port: bench.port)
        #expect(waitUntil { bench.harness.metric("sluice_backend_connections_active") == 1 })
        bench.mark("x", .unhealthy)
        bench.mark("y", .unhealthy)
        #expect(try waiting.waitForEnd() == .reset)
        bench.settings.connectTimeout = .milliseconds(50)
        bench.settings.health.active?.timeout = .milliseconds(900)
        bench.apply()
        #expect(try ending(of: bench.port) == .reset)
        #expect(waitUntil { bench.harness.closed(.noHealthyEndpoint) == 2 })
    }

    // MARK: Fallback tiers

    private func tiers() throws -> BalanceBench {
        var bench = try BalanceBench("x", "y", "z")
        bench.checkByHand()
        return bench
    }

    private func apply(_ bench: BalanceBench) {
        var rule = route("r", to: [("main", 1), ("spare", 1), ("other", 3)])
        rule.backends[1].isFallback = true
        rule.backends[2].isFallback = true
        bench.apply(
            rule,
            [bench.backend("main", of: ["x"]), bench.backend("spare", of: ["y"]), bench.backend("other", of: ["z"])])
    }

    @Test("fallback backends serve, by their weights, only while no other backend of the rule can")
    func fallback() throws {
        let bench = try tiers()
        apply(bench)
        #expect(try bench.counts(10) == ["x": 10])
        bench.mark("x", .unhealthy, backend: "main")
        #expect(try bench.counts(20) == ["y": 5, "z": 15])
        bench.mark("x", [], backend: "main")
        #expect(try bench.counts(10) == ["x": 10])
    }

    @Test("when neither tier can, the first one says why")
    func neither() throws {
        let bench = try tiers()
        apply(bench)
        for (name, backend) in [("x", "main"), ("y", "spare"), ("z", "other")] {
            bench.mark(name, .unhealthy, backend: backend)
        }
        #expect(try ending(of: bench.port) == .reset)
        #expect(waitUntil { bench.harness.metric("sluice_backend_rejected_total", "backend=\"main\"") == 1 })
        #expect(bench.harness.closed(.noHealthyEndpoint) == 1)
    }

    @Test("a first tier of which nothing is known is waited for, and left when it cannot serve")
    func awaitedTier() throws {
        var bench = try tiers()
        bench.checkByHand(startsUnchecked: true)
        apply(bench)
        bench.mark("y", [], backend: "spare")
        bench.mark("z", [], backend: "other")
        let waiting = try PlainClient(port: bench.port)
        #expect(waitUntil { bench.harness.metric("sluice_backend_connections_active", "backend=\"main\"") == 1 })
        bench.mark("x", .unhealthy, backend: "main")
        #expect(["y", "z"].contains(try waiting.receiveLine()))
        #expect(bench.harness.metric("sluice_backend_connections_active", "backend=\"main\"") == 0)
        #expect(bench.harness.metric("sluice_backend_connections_active") == 1)
    }

    @Test("a backend without endpoints, or that is unknown, is no first tier")
    func emptyTier() throws {
        let bench = try tiers()
        var rule = route("r", to: [("main", 1), ("spare", 1), ("none", 1)])
        rule.backends[1].isFallback = true
        bench.apply(rule, [bench.backend("main", of: []), bench.backend("spare", of: ["y"])])
        #expect(try bench.counts(5) == ["y": 5])
    }
}
