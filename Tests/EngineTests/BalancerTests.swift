@testable import Engine
import EngineCore
import EngineModel
import Observability
import Platform
import Primitives
import TestSupport
import Testing

@Suite("Balancer", .timeLimit(.minutes(5)))
struct BalancerTests {
    /// A backend of so many endpoints that are checked by nobody.
    private func compiled(_ count: Int, _ method: LoadBalancing.Method) throws -> BackendRuntime {
        var active = ActiveHealthCheck()
        active.startsHealthy = true
        var backend = BackendConfiguration(
            id: backendID("a"),
            endpoints: (0..<count).map {
                EndpointConfiguration(address: .ip(SocketAddress(host(1), UInt16(1000 + $0))))
            })
        backend.settings.health.active = active
        backend.settings.loadBalancing.method = method
        var compiler = TableCompiler(workers: 2, logger: Logger(recordingTo: MemoryLog()))
        let output = compiler.compile(EngineConfiguration(backends: [backend]), names: NameAnswers())
        return try #require(output.backends[backend.id])
    }

    private func choose(
        _ balancer: Balancer, worker: Int = 0, now: Int64, _ random: inout SplitMix64, full: Set<Int> = []
    ) -> Balancer.Choice {
        let request = Balancer.Request(worker: worker, now: now, client: host(9), tried: TriedEndpoints())
        return balancer.choose(request, random: &random) { full.contains($0) }
    }

    private static let methods: [LoadBalancing.Method] = [
        .leastRequest, .roundRobin, .random, .consistentHash(ConsistentHash()),
        .consistentHash(ConsistentHash(boundedLoadPercent: 120)),
    ]

    @Test(
        "who becomes unusable is not chosen from that moment on, who recovers is, and nobody is nobody",
        arguments: [2, 300], methods)
    func atOnce(count: Int, method: LoadBalancing.Method) throws {
        let backend = try compiled(count, method)
        let balancer = try #require(backend.balancer)
        var random = SplitMix64(seed: UInt64(count))
        for gone in 0..<count - 1 {
            guard case .endpoint = choose(balancer, now: 1, &random) else {
                Issue.record("nobody is chosen")
                return
            }
            _ = backend.standings[gone].change(adding: .unhealthy, removing: .unchecked)
            guard case .endpoint(let index) = choose(balancer, now: 1, &random), index > gone else {
                Issue.record("\(gone) is chosen, or nobody")
                return
            }
        }
        _ = backend.standings[count - 1].change(adding: .ejected, removing: .unchecked)
        guard case .nobody = choose(balancer, now: 1, &random) else {
            Issue.record("somebody is chosen")
            return
        }
        _ = backend.standings[0].change(adding: [], removing: .unhealthy)
        for worker in 0..<2 {
            guard case .endpoint(0) = choose(balancer, worker: worker, now: 1, &random) else {
                Issue.record("who has recovered is not chosen")
                return
            }
        }
    }

    @Test("full endpoints are passed over, and all of them are no endpoint", arguments: [3, 300], methods)
    func full(count: Int, method: LoadBalancing.Method) throws {
        let balancer = try #require(try compiled(count, method).balancer)
        var random = SplitMix64(seed: 1)
        for _ in 0..<50 {
            guard case .endpoint(1) = choose(balancer, now: 1, &random, full: Set(0..<count).subtracting([1])) else {
                Issue.record("another one is chosen")
                return
            }
        }
        guard case .full = choose(balancer, now: 1, &random, full: Set(0..<count)) else {
            Issue.record("a full one is chosen")
            return
        }
    }

    @Test("a backend has a balancer only if it needs one, and variants share their tables")
    func needed() throws {
        func balancer(_ change: (inout BackendConfiguration) -> Void) -> Balancer? {
            var backend = backend("a", ports: [1, 2])
            change(&backend)
            var compiler = TableCompiler(workers: 2, logger: Logger(recordingTo: MemoryLog()))
            let output = compiler.compile(EngineConfiguration(backends: [backend]), names: NameAnswers())
            return output.backends[backend.id]?.balancer
        }
        #expect(balancer { _ in } == nil)
        #expect(balancer { $0.settings.loadBalancing.method = .random } != nil)
        #expect(balancer { $0.settings.loadBalancing.slowStart = .seconds(1) } != nil)
        #expect(balancer { $0.settings.health.passive = PassiveHealthCheck() } != nil)
        #expect(balancer { $0.endpoints[1].preference = 1 } != nil)
        #expect(
            balancer {
                $0.settings.loadBalancing.method = .random
                $0.endpoints.removeLast()
            } == nil)
        var compiler = TableCompiler(workers: 2, logger: Logger(recordingTo: MemoryLog()))
        var (first, second) = (backend("a", ports: [1, 2]), backend("a", ports: [1, 2]))
        first.settings.loadBalancing.method = .consistentHash(ConsistentHash())
        second.settings.loadBalancing.method = .consistentHash(ConsistentHash(boundedLoadPercent: 150))
        second.id.variant = "x"
        let output = compiler.compile(EngineConfiguration(backends: [first, second]), names: NameAnswers())
        guard case .hash(let one, _, _)? = output.backends[first.id]?.balancer?.method,
            case .hash(let other, _, _)? = output.backends[second.id]?.balancer?.method
        else { throw TestFailure("no hashing") }
        #expect(one === other)
    }
}
