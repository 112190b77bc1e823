@testable import Engine
import EngineModel
import Primitives
import TestSupport
import Testing

@Suite("Load balancing", .timeLimit(.minutes(5)))
struct BalanceTests {
    @Test("in turns, whatever worker accepts: each as often as its weight says, and without the unhealthy ones")
    func roundRobin() throws {
        var bench = try BalanceBench("x", "y", "z")
        bench.settings.loadBalancing.method = .roundRobin
        bench.checkByHand()
        bench.apply()
        #expect(try bench.counts(30) == ["x": 10, "y": 10, "z": 10])
        bench.mark("y", .unhealthy)
        #expect(try bench.counts(20) == ["x": 10, "z": 10])
        bench.mark("y", [])
        bench.add("x", weight: 3)
        bench.add("z", weight: 0)
        bench.apply()
        #expect(try bench.counts(40) == ["x": 30, "y": 10])
    }

    @Test("by random draws, as weights say")
    func random() throws {
        var bench = try BalanceBench("x", "y", "z")
        bench.settings.loadBalancing.method = .random
        bench.add("y", weight: 3)
        bench.add("z", weight: 0)
        bench.apply()
        let counts = try bench.counts(400)
        // 300 ± 8.7.
        #expect((250...350) ~= counts["y"] ?? 0 && counts["z"] == nil, "\(counts)")
    }

    @Test("by fewest connections for the weight, past the unhealthy ones")
    func leastRequest() throws {
        var bench = try BalanceBench("x", "y", "z")
        bench.add("y", weight: 2)
        bench.checkByHand()
        bench.apply()
        bench.mark("x", .ejected)
        let open = try (0..<60).map { _ in try bench.open() }
        let counts = Dictionary(grouping: open, by: \.name).mapValues(\.count)
        #expect(counts["x"] == nil && abs((counts["y"] ?? 0) - 40) <= 6, "\(counts)")
    }

    @Test(
        "an endpoint that refuses is left for another one, by every method",
        arguments: [.leastRequest, .roundRobin, .random, .consistentHash(ConsistentHash())] as [LoadBalancing.Method])
    func refused(method: LoadBalancing.Method) throws {
        var bench = try BalanceBench("x", "y")
        bench.settings.loadBalancing.method = method
        bench.settings.retryBaseInterval = .milliseconds(1)
        var backend = bench.backend()
        backend.endpoints.append(
            EndpointConfiguration(address: .ip(SocketAddress(.loopbackV4, try freePort())), weight: 3))
        backend.endpoints.sort()
        bench.apply(route("r", to: "a"), [backend])
        for _ in 0..<30 { #expect(try bench.server() != nil) }
        #expect(bench.harness.closed(.connectRefused) == 0)
    }

    @Test("endpoints of a lower preference go first while one of them is usable")
    func preference() throws {
        var bench = try BalanceBench("x", "y", "z")
        bench.settings.loadBalancing.method = .roundRobin
        bench.add("z", preference: 1)
        bench.checkByHand()
        bench.apply()
        #expect(try bench.counts(10) == ["x": 5, "y": 5])
        bench.mark("x", .unhealthy)
        #expect(try bench.counts(10) == ["y": 10])
        bench.mark("y", .unhealthy)
        #expect(try bench.counts(10) == ["z": 10])
        bench.mark("x", [])
        #expect(try bench.counts(10) == ["x": 10])
        bench.settings.health = HealthChecking()
        bench.settings.loadBalancing.method = .leastRequest
        bench.apply()
        #expect(try bench.counts(20)["z"] == nil)
    }

    @Test("who joins later, or recovers, begins with a tenth of its share; who was there at the start does not")
    func slowStart() throws {
        var bench = try BalanceBench("x", "y", "z")
        bench.settings.loadBalancing = LoadBalancing(method: .roundRobin, slowStart: .seconds(3600))
        bench.checkByHand()
        bench.remove("z")
        bench.apply()
        #expect(try bench.counts(20) == ["x": 10, "y": 10])
        bench.add("z")
        bench.apply()
        // A tenth beside two whole shares: 10 of 210.
        let joined = try bench.counts(210)
        #expect((1...30) ~= joined["z"] ?? 0, "\(joined)")
        bench.mark("x", .unhealthy)
        bench.mark("x", [])
        // Two tenths beside one whole share: 17 of 200 each.
        let recovered = try bench.counts(200)
        #expect((1...45) ~= recovered["x"] ?? 0 && (1...45) ~= recovered["z"] ?? 0, "\(recovered)")
        bench.settings.loadBalancing.slowStart = .milliseconds(1)
        bench.apply()
        #expect(try bench.counts(30) == ["x": 10, "y": 10, "z": 10])
        bench.settings.loadBalancing = LoadBalancing(method: .leastRequest, slowStart: .seconds(3600))
        bench.apply()
        #expect((1...45) ~= (try bench.counts(200)["z"]) ?? 0)
    }

    @Test("the own zone keeps what it can take: all of it, its share, or none")
    func zones() throws {
        var bench = try BalanceBench("x", "y", "z", "w")
        bench.add("x", zone: "here")
        for name in ["y", "z", "w"] { bench.add(name, zone: "there") }
        func counts(_ zones: ZonePreference, _ connections: Int) throws -> [String: Int] {
            bench.settings.loadBalancing = LoadBalancing(method: .roundRobin, zones: zones)
            bench.apply()
            return try bench.counts(connections)
        }
        // A quarter of the endpoints for half of the connections: half of those stay.
        let share = try counts(ZonePreference(zone: "here"), 300)
        #expect((110...190) ~= share["x"] ?? 0, "\(share)")
        #expect(try counts(ZonePreference(zone: "here", forcedMinimum: 1), 20) == ["x": 20])
        let even = ["x": 5, "y": 5, "z": 5, "w": 5]
        #expect(try counts(ZonePreference(zone: "here", minimumEndpoints: 5, forcedMinimum: 1), 20) == even)
        #expect(try counts(ZonePreference(zone: "here", forcedMinimum: 1, percentage: 0), 20) == even)
        #expect(try counts(ZonePreference(zone: "elsewhere", forcedMinimum: 1), 20) == even)
        let forced = try counts(ZonePreference(zone: "here", forcedMinimum: 2), 300)
        #expect((110...190) ~= forced["x"] ?? 0, "\(forced)")
        bench.remove("w")
        bench.remove("z")
        #expect(try counts(ZonePreference(zone: "here"), 20) == ["x": 20])
    }
}
