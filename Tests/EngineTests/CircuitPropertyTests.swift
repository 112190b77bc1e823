@testable import Engine
import EngineModel
import Glibc
import Platform
import Primitives
import TestSupport
import Testing

/// Random traffic through circuit breakers: what no client may ever see, and what is left when all have gone.
@Suite("Circuit breakers under random traffic", .timeLimit(.minutes(5)))
struct CircuitPropertyTests {
    private struct Served: Sendable {
        var all = 0
        var byEndpoint: [String: Int] = [:]
        var mostAtAll = 0
        var mostAtOne = 0
        var total = 0

        mutating func enter(_ name: String) {
            (all, total) = (all + 1, total + 1)
            byEndpoint[name, default: 0] += 1
            mostAtAll = max(mostAtAll, all)
            mostAtOne = max(mostAtOne, byEndpoint[name] ?? 0)
        }
        mutating func leave(_ name: String) {
            all -= 1
            byEndpoint[name, default: 0] -= 1
        }
    }

    private static let most = 6
    private static let perEndpoint = 3
    private static let names = ["a", "b", "c"]

    private func backends(_ echoes: [EchoBackend], refusing: UInt16, queue: Int?) -> [BackendConfiguration] {
        let target = "Gateway default/edge"
        return ["x", "y"].map { name in
            var backend = backend(name, ports: echoes.map(\.port) + [refusing])
            (backend.settings.retries, backend.settings.retryBaseInterval) = (4, .milliseconds(1))
            backend.circuitBreakers = [
                CircuitBreaker(
                    id: LimitID(policy: "default/p", target: target), maximumConnections: Self.most,
                    maximumPerEndpoint: Self.perEndpoint)
            ]
            backend.queue = queue.map {
                PendingQueue(id: LimitID(policy: "default/p", target: target), length: $0, timeout: .milliseconds(50))
            }
            return backend
        }
    }

    /// One client after the other: some stay for the greeting and a while, some go away at once.
    private static func traffic(_ ports: [UInt16], seed: UInt64, _ served: Locked<Served>) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<60 {
            guard let client = try? PlainClient(port: ports[Int(random.next() % 2)]) else { continue }
            if random.next() % 4 == 0 {
                usleep(UInt32(random.next() % 2000))
            } else if let name = try? client.receiveLine(), !name.isEmpty {
                served.withLock { $0.enter(name) }
                usleep(UInt32(random.next() % 4000))
                served.withLock { $0.leave(name) }
            }
            if random.next() % 3 == 0 { client.reset() } else { client.close() }
        }
    }

    @Test("limits are never exceeded, and everything is given back", arguments: [nil, 4, 1000])
    func limits(_ queue: Int?) throws {
        let seed = UInt64(truncatingIfNeeded: MonotonicTime.now().nanoseconds)
        let harness = try EngineHarness(workers: 4)
        let echoes = try Self.names.map { try EchoBackend($0) }
        let ports = [try freePort(), try freePort()]
        let refusing = try freePort()
        let listeners = [
            tcpListener("t", port: ports[0], route("r", to: "x")),
            tcpListener("u", port: ports[1], route("s", to: "y")),
        ]
        harness.apply(listeners, backends(echoes, refusing: refusing, queue: queue))
        let served = Locked(Served())
        let clients = try (0..<16 as Range<UInt64>).map { index in
            try BackgroundWork { Self.traffic(ports, seed: seed &+ index, served) }
        }
        // Tables come and go meanwhile.
        for round in 0..<10 {
            harness.apply(
                listeners, backends(round % 2 == 0 ? echoes.reversed() : echoes, refusing: refusing, queue: queue))
            usleep(5000)
        }
        for client in clients { try client.value() }
        #expect(waitUntil { harness.engine.activeConnections == 0 }, "seed \(seed)")
        let seen = served.withLock { $0 }
        #expect(seen.mostAtAll <= Self.most, "seed \(seed)")
        #expect(seen.mostAtOne <= Self.perEndpoint, "seed \(seed)")
        #expect(seen.total > 0)
        let circuits = harness.engine.withCompiler { compiler, _ in compiler.circuits }
        for state in circuits.states.living() { #expect(state.open.value == 0, "seed \(seed)") }
        for state in circuits.endpoints.living() { #expect(state.open.value == 0, "seed \(seed)") }
        for state in circuits.lengths.living() { #expect(state.waiting.value == 0, "seed \(seed)") }
        for line in circuits.lines.living() { #expect(line.isEmpty && line.first == nil, "seed \(seed)") }
        #expect(harness.metric("sluice_backend_pending_connections") == 0)
        #expect(harness.metric("sluice_backend_connections_active") == 0)
        #expect(try !PlainClient(port: ports[0]).receiveLine().isEmpty)
    }

    @Test("places in a line keep their order, whoever leaves")
    func order() {
        let seed = UInt64(truncatingIfNeeded: MonotonicTime.now().nanoseconds)
        var random = SplitMix64(seed: seed)
        var (order, model, next) = (PendingOrder<UInt64>(), [UInt64](), UInt64(0))
        for _ in 0..<20_000 {
            if random.next() % 2 == 0 || model.isEmpty {
                order.append(next, ticket: next)
                model.append(next)
                next += 1 + random.next() % 3
            } else {
                let place = random.next() % 3 == 0 ? Int(random.next() % UInt64(model.count)) : 0
                let ticket = model.remove(at: place)
                let removals = [order.remove(ticket), order.remove(ticket)]
                #expect(removals == [true, false], "seed \(seed)")
            }
            #expect(order.first == model.first && order.count == model.count, "seed \(seed)")
        }
    }
}
