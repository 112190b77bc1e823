@testable import Engine
import EngineModel
import Primitives
import TestSupport
import Testing

@Suite("Consistent hashing", .timeLimit(.minutes(5)))
struct ConsistentHashTests {
    private func bench(_ hash: ConsistentHash = ConsistentHash()) throws -> BalanceBench {
        var bench = try BalanceBench("x", "y", "z")
        bench.settings.loadBalancing.method = .consistentHash(hash)
        bench.acceptsProxyHeaders = true
        bench.checkByHand()
        bench.apply()
        return bench
    }

    private let clients = (1...40).map { "192.0.2.\($0)" }

    private func servers(_ bench: BalanceBench) throws -> [String: String] {
        try clients.reduce(into: [:]) { $0[$1] = try bench.server(of: $1) }
    }

    @Test("a source keeps its endpoint: on every worker, on another replica, and when others go and come back")
    func sticky() throws {
        let bench = try bench()
        let usual = try servers(bench)
        #expect(usual.count == 40 && Set(usual.values) == ["x", "y", "z"])
        #expect(try servers(bench) == usual)
        let replica = try BalanceBench(restarting: bench)
        replica.apply()
        #expect(try servers(replica) == usual)
        bench.mark("y", .unhealthy)
        let without = try servers(bench)
        for client in clients where usual[client] != "y" { #expect(without[client] == usual[client]) }
        #expect(Set(without.values) == ["x", "z"])
        #expect(Set(clients.filter { usual[$0] == "y" }.map { without[$0] }) == ["x", "z"])
        bench.mark("y", [])
        #expect(try servers(bench) == usual)
    }

    @Test("addresses of one prefix are one source")
    func prefix() throws {
        let bench = try bench(ConsistentHash(source: SourcePrefix(v4: 24, v6: 48)))
        #expect(Set(try servers(bench).values).count == 1)
        let near = try (1...20).map { try bench.server(of: "2001:db8:0:\($0)::\($0)") }
        #expect(Set(near).count == 1)
        let far = try (1...20).map { try bench.server(of: "2001:db8:\($0)::1") }
        #expect(Set(far) == ["x", "y", "z"])
        let whole = try self.bench(ConsistentHash(source: SourcePrefix(v4: 32, v6: 128)))
        #expect(Set(try (1...20).map { try whole.server(of: "2001:db8::\($0)") }).count == 3)
    }

    @Test("with two places there are two endpoints for all sources")
    func tableSize() throws {
        let bench = try bench(ConsistentHash(tableSize: 2))
        #expect(Set(try servers(bench).values).count == 2)
    }

    @Test("a busy source overflows to the next endpoints at its bound, and stays together without")
    func boundedLoad() throws {
        func spread(_ percent: Int?) throws -> [Int] {
            let bench = try bench(ConsistentHash(boundedLoadPercent: percent))
            let open = try (0..<30).map { _ in try bench.open("192.0.2.1") }
            return Dictionary(grouping: open, by: \.name).mapValues(\.count).values.sorted()
        }
        #expect(try spread(nil) == [30])
        #expect(try spread(100) == [10, 10, 10])
        // At most one and a half of the mean.
        #expect(try spread(150) == [15, 15])
    }

    @Test("weights count")
    func weights() throws {
        var bench = try bench()
        bench.add("x", weight: 0)
        bench.add("y", weight: 9)
        bench.apply()
        let counts = Dictionary(grouping: try servers(bench).values, by: \.self).mapValues(\.count)
        // 36 of 40 are expected.
        #expect(counts["x"] == nil && counts["y"] ?? 0 >= 28, "\(counts)")
    }
}
