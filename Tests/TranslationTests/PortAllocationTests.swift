import EngineModel
import KubernetesAPI
import Testing
import Translation

/// The ports of Services, over random lives of gateways with a leader that is slow and out of date.
@Suite("Allocation of ports")
struct PortAllocationTests {
    private struct Listener: Hashable {
        let gateway: String
        let port: UInt16
    }

    @Test("never one port for two gateways, and a recorded one stays", arguments: UInt64(0)..<20)
    func random(seed: UInt64) {
        var cluster = SimulatedCluster(seed: seed, ports: 20000...20015)
        var log: [String] = []
        var before: [Listener: UInt16] = [:]
        for _ in 0..<100 {
            let services = cluster.snapshot.services
            log.append(cluster.step())
            let result = cluster.result
            let bound = bindings(result)
            var problems = faults(bound, cluster.snapshot.services) + faults(result, cluster.snapshot)
            // What was bound stays bound while nobody writes another port, and the listener is there.
            if services == cluster.snapshot.services {
                problems += before.filter { bound[$0.key] != $0.value && isWanted($0.key, in: cluster.snapshot) }
                    .map { "lost: \($0)" }
            }
            #expect(problems.isEmpty, "seed \(seed): \(log)")
            before = bound
        }
        finish(&cluster, log, seed)
    }

    /// Once the leader is done every listener has its port or says that there is none; without gateways nothing is left.
    private func finish(_ cluster: inout SimulatedCluster, _ log: [String], _ seed: UInt64) {
        cluster.settle()
        let result = cluster.result
        let wanted = cluster.snapshot.gateways.values.map(\.spec.listeners.count).reduce(0, +)
        let refused = result.statuses.gateways.values.flatMap(\.listeners).count { listener in
            listener.conditions.contains { $0.type == .accepted && $0.reason == .portUnavailable }
        }
        #expect(result.configuration.listeners.count == min(wanted, 16), "seed \(seed): \(log)")
        #expect(refused == max(wanted - 16, 0), "seed \(seed): \(log)")
        #expect(result.infrastructure.staleServices.isEmpty, "seed \(seed): \(log)")
        // A process that starts now, from what the cluster has, binds the same.
        #expect(cluster.result == result, "seed \(seed): \(log)")
        cluster.deleteEverything()
        cluster.settle()
        #expect(cluster.snapshot.services.isEmpty, "seed \(seed): \(log)")
    }

    private func bindings(_ result: TranslationResult) -> [Listener: UInt16] {
        Dictionary(
            uniqueKeysWithValues: result.configuration.listeners.map { listener in
                (Listener(gateway: listener.id.gateway, port: listener.port), listener.bindings.first?.port ?? 0)
            })
    }

    private func isWanted(_ listener: Listener, in snapshot: ClusterSnapshot) -> Bool {
        snapshot.gateways.values.contains { gateway in
            gateway.metadata.name == listener.gateway
                && gateway.spec.listeners.contains { $0.port == Int(listener.port) }
        }
    }

    /// Each port has one gateway, and a Service records it.
    private func faults(_ bound: [Listener: UInt16], _ services: [ObjectKey: Service]) -> [String] {
        let recorded = Set(
            services.values.flatMap { service in
                (service.spec.ports ?? []).map { "\(service.metadata.name) \($0.port) \($0.targetPort?.number ?? 0)" }
            })
        let unrecorded = bound.filter { entry in
            !recorded.contains { $0.hasSuffix("-\(entry.key.gateway) \(entry.key.port) \(entry.value)") }
        }
        return (Set(bound.values).count == bound.count ? [] : ["bound twice: \(bound)"])
            + unrecorded.map { "not recorded: \($0)" }
    }

    /// No port is given away that two of the wanted Services have, or that a living one of another gateway has.
    private func faults(_ result: TranslationResult, _ snapshot: ClusterSnapshot) -> [String] {
        let desired = result.infrastructure.services
        let given = desired.flatMap { service in service.ports.map(\.targetPort) }
        var problems = Set(given).count == given.count ? [] : ["given twice: \(given)"]
        for service in desired {
            let own = Set((snapshot.services[service.key]?.spec.ports ?? []).compactMap { $0.targetPort?.number })
            let others = snapshot.services.filter { $0.key != service.key }.values
                .flatMap { ($0.spec.ports ?? []).compactMap { $0.targetPort?.number } }
            let new = service.ports.map { Int($0.targetPort) }.filter { !own.contains($0) }
            if !Set(new).isDisjoint(with: others) { problems.append("given though recorded elsewhere: \(new)") }
        }
        return problems
    }
}
