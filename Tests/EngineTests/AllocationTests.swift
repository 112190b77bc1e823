import AllocationProbe
import Engine
import EngineModel
import Glibc
import Observability
import Platform
import Primitives
import TestSupport
import Testing

/// What a worker allocates while it works, by an allocator that counts for its thread alone. The sanitizers stand in for
/// the allocator themselves: there these tests are skipped.
@Suite(
    "Heap allocations", .timeLimit(.minutes(5)),
    .enabled(if: allocation_probe_is_available() == 1, "a sanitizer stands in for malloc"))
struct AllocationTests {
    /// One worker, an echo, and what the worker's thread allocates, under a number of the test's own.
    private struct Bench {
        let harness: EngineHarness
        let echo: StraightEcho
        let port: UInt16
        let number: Int32

        init(_ number: Int32, limits: [ClientLimits] = [], accessLog: AccessLog? = nil) throws {
            harness = try EngineHarness(workers: 1, accessLog: accessLog)
            (self.number, echo) = (number, try StraightEcho(threads: 32))
            port = try freePort()
            var route = route("r", to: "a")
            route.limits = limits
            harness.apply([tcpListener("db", port: port, route)], [backend("a", ports: [echo.port])])
        }

        /// Counts from now on. Which connections are to be closed is asked on the worker's own thread; it needs one.
        func watch(alsoThere: @escaping @Sendable () -> Void = {}) throws {
            let (number, asked) = (number, Locked(0))
            _ = harness.engine.closeConnections { _ in
                allocation_probe_count_thread_as(number)
                asked.withLock { $0 += 1 }
                alsoThere()
                return false
            }
            guard asked.withLock({ $0 }) > 0 else { throw TestFailure("no connection to find the worker's thread by") }
        }

        var allocations: UInt64 { allocation_probe_count(number) }

        /// Where the latest allocation came from, innermost first, for addr2line.
        var latest: String {
            var text = [CChar](repeating: 0, count: 4096)
            allocation_probe_describe_latest(number, &text, Int32(text.count))
            return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        /// The number of allocations once it stays the same for 50 ms: what a command leaves to do is done.
        func settled() -> UInt64 {
            var last = allocations
            _ = waitUntil {
                defer { last = allocations }
                usleep(50_000)
                return allocations == last
            }
            return allocations
        }
    }

    @Test("what the worker's thread allocates is counted, and what others do is not")
    func probe() throws {
        let bench = try Bench(0)
        let client = try StraightConnection(to: bench.port)
        try client.send()
        try client.receive()
        try bench.watch()
        let before = bench.settled()
        _ = (0..<1000).map { [$0] }
        #expect(bench.allocations == before)
        try bench.watch { for size in 1...100 { free(malloc(size)) } }
        #expect(bench.settled() >= before + 100)
    }

    @Test("100,000 messages on established connections are relayed without an allocation")
    func messages() throws {
        let bench = try Bench(1)
        let clients = try (0..<16).map { _ in try StraightConnection(to: bench.port) }
        func exchange(_ times: Int) throws {
            for _ in 0..<times {
                for client in clients { try client.send() }
                for client in clients { try client.receive() }
            }
        }
        try exchange(100)
        try bench.watch()
        let before = bench.settled()
        try exchange(100_000 / clients.count)
        #expect(bench.allocations - before == 0, "latest:\n\(bench.latest)")
        #expect(bench.harness.metric("sluice_tcp_bytes_total", "request") == Double(64 * 16 * (100 + 6250)))
    }

    @Test("messages that wait for their share of a bandwidth are relayed without an allocation")
    func limitedMessages() throws {
        let rate = BandwidthLimit.Rate(bytesPerSecond: 64 << 10, burst: 8 << 10)
        let limits = [BandwidthLimit.Scope.target, .connection].map { scope in
            ClientLimits(
                id: LimitID(policy: "default/\(scope)", target: "TCPRoute default/r"),
                bandwidth: BandwidthLimit(request: rate, response: rate, scope: scope))
        }
        let bench = try Bench(3, limits: limits)
        let clients = try (0..<16).map { _ in try StraightConnection(to: bench.port) }
        func exchange(_ times: Int) throws {
            for _ in 0..<times {
                for client in clients { try client.send() }
                for client in clients { try client.receive() }
            }
        }
        try exchange(100)
        try bench.watch()
        let before = bench.settled()
        try exchange(200)
        #expect(bench.allocations - before == 0, "latest:\n\(bench.latest)")
        #expect(bench.harness.metric("sluice_throttled_seconds_total") > 0)
    }

    @Test("10,000 connections are accepted, connected, relayed and closed without an allocation")
    func connections() throws { try connectWithoutAllocation(Bench(2)) }

    @Test("…nor with an access log, whose lines another thread makes")
    func logged() throws {
        let log = try AccessLog(to: .file(path: "/dev/null"), logger: .disabled)
        try connectWithoutAllocation(Bench(5, accessLog: log))
        #expect(log.dropped == 0)
    }

    @Test("…nor with an allow list of 100,000 blocks, limits of connections and sources, and rates")
    func limited() throws {
        let blocks = CIDRSet(
            (0..<100_000 as Range<UInt32>).compactMap { CIDR(.v4(0x0a00_0000 + $0 * 2), 32) }
                + [CIDR("127.0.0.1/32")].compactMap { $0 })
        let rate = ConnectionRateLimit.Rate(connections: 1_000_000)
        let all = ClientLimits(
            id: LimitID(policy: "default/p", target: "Gateway default/edge"),
            authorization: Authorization(rules: [allow("many", blocks)]),
            connections: ConnectionLimit(value: 1000, perSource: .init(value: 1000)),
            connectionRate: ConnectionRateLimit(total: rate, perSource: rate))
        let bench = try Bench(4, limits: [all])
        try connectWithoutAllocation(bench)
        #expect(bench.harness.metric("sluice_authorization_decisions_total", "rule=\"many\"") == 10_532)
    }

    private func connectWithoutAllocation(_ bench: Bench) throws {
        func connectOneByOne(_ count: Int) throws {
            for _ in 0..<count {
                let client = try StraightConnection(to: bench.port)
                try client.send()
                try client.receive()
            }
        }
        // The slot table grows to its size, once.
        do {
            let many = try (0..<32).map { _ in try StraightConnection(to: bench.port) }
            for client in many { try client.send() }
            for client in many { try client.receive() }
            try bench.watch()
        }
        try connectOneByOne(500)
        #expect(waitUntil { bench.harness.engine.activeConnections == 0 })
        let before = bench.settled()
        try connectOneByOne(10_000)
        #expect(waitUntil { bench.harness.engine.activeConnections == 0 })
        #expect(bench.allocations - before == 0, "latest:\n\(bench.latest)")
        #expect(bench.harness.closed(.clientClosed) == 10_532)
    }
}
