import Engine
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Rates of new connections", .timeLimit(.minutes(5)))
struct ConnectionRateTests: LimitedEcho {
    let harness: EngineHarness
    let echo: EchoBackend
    let port: UInt16

    init() throws {
        (harness, echo, port) = (try EngineHarness(), try EchoBackend("a"), try freePort())
    }

    /// Slow enough that nothing comes back while a test runs.
    private func hourly(_ connections: Int, burst: Int? = nil) -> ConnectionRateLimit.Rate {
        ConnectionRateLimit.Rate(connections: connections, per: .hour, burst: burst)
    }

    @Test("a bucket starts full, and serves no more than it held, on all workers together")
    func total() throws {
        apply(listener: [limits("p", rate: ConnectionRateLimit(total: hourly(1, burst: 7)))])
        var served = 0
        for last in 1...20 as ClosedRange<UInt8> where try isServed(port, from: host(last)) { served += 1 }
        #expect(served == 7)
        #expect(waitUntil { dials == 7 })
        #expect(waitUntil { harness.rejected(.rateLimited) == 13 })
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"rate\"", "listener=\"t\"") == 13 })
        #expect(harness.log.waitForEntry { $0.text("close_reason") == "rate_limited" }?.text("policy") == "default/p")
    }

    @Test("a source over its own rate takes nothing from the others")
    func perSource() throws {
        let rate = ConnectionRateLimit(
            total: hourly(1, burst: 8), perSource: hourly(1, burst: 3), source: SourcePrefix(v4: 31, v6: 64))
        apply(route: [limits("p", rate: rate)])
        for index in 0..<10 {
            #expect(try isServed(port, from: host(index % 2 == 0 ? 2 : 3)) == (index < 3), "connection \(index)")
        }
        for index in 0..<4 { #expect(try isServed(port, from: host(4)) == (index < 3)) }
        #expect(waitUntil { harness.closed(.rateLimited) == 8 })
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"source_rate\"", "route=\"r\"") == 8 })
        for index in 0..<3 { #expect(try isServed(port, from: .loopbackV6) == (index < 2)) }
        #expect(waitUntil { harness.metric("sluice_limit_hits_total", "limit=\"rate\"", "route=\"r\"") == 1 })
        #expect(waitUntil { dials == 8 })
    }

    @Test("what was spent stays spent when values change, and when they stay the same beside a change")
    func changes() throws {
        func apply(_ burst: Int) {
            self.apply(listener: [limits("p", rate: ConnectionRateLimit(total: hourly(1, burst: burst)))])
        }
        apply(4)
        for _ in 0..<3 { #expect(try isServed(port)) }
        apply(8)
        // Three quarters are spent still: two of eight are left.
        for index in 0..<4 { #expect(try isServed(port) == (index < 2), "connection \(index)") }
        self.apply(
            listener: [limits("p", rate: ConnectionRateLimit(total: hourly(1, burst: 8)))],
            route: [limits("q", connections: ConnectionLimit(value: 100))])
        #expect(try !isServed(port))
        self.apply(listener: [limits("p")])
        #expect(try isServed(port))
    }

    @Test("tokens come back with time")
    func refill() throws {
        apply(listener: [
            limits("p", rate: ConnectionRateLimit(total: .init(connections: 20, per: .second, burst: 1)))
        ])
        #expect(try isServed(port))
        #expect(try waitUntil { try isServed(port) })
        #expect(try waitUntil { try isServed(port) })
    }

    @Test("who is denied by authorization spends nothing")
    func order() throws {
        apply(listener: [
            limits(
                "p", authorization: Authorization(rules: [allow("r", addresses("127.0.0.2/32"))]),
                rate: ConnectionRateLimit(total: hourly(1, burst: 2)))
        ])
        for _ in 0..<5 { #expect(try !isServed(port, from: host(3))) }
        #expect(waitUntil { harness.rejected(.authorizationDenied) == 5 })
        for index in 0..<3 { #expect(try isServed(port, from: host(2)) == (index < 2)) }
        #expect(waitUntil { harness.rejected(.rateLimited) == 1 })
    }
}
