import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Versions of policies over time, and the order in which things arrive.
@Suite("ClientPolicies over time")
struct ClientPolicyMemoryTests {
    private typealias Bench = PolicyBench
    private let key = ObjectKey(namespace: "infra", name: "p")

    private func steps(_ spec: String) throws -> (translator: Translator, snapshot: ClusterSnapshot) {
        let bench = try Bench(Bench.policy("p", Bench.target("Gateway", "edge", "plain"), spec))
        return (Translator(options: bench.options), bench.snapshot)
    }

    private func limits(_ result: TranslationResult, _ listener: String = "plain") -> [ClientLimits] {
        result.configuration.listeners.first { $0.id.gateway == "edge" && $0.id.listener == listener }?.limits ?? []
    }

    private func acceptance(_ result: TranslationResult) -> Condition? {
        result.statuses.clientPolicies[key]?.ancestors.first?.conditions.first
    }

    @Test("where a later version is invalid, the last good one goes on, until it is good again")
    func lastGood() throws {
        var (translator, snapshot) = try steps("connectionLimit: {value: 5}")
        #expect(limits(translator.translate(snapshot)).map(\.connections?.value) == [5])
        snapshot.clientPolicies[key]?.spec.connectionLimit?.value = 0
        snapshot.clientPolicies[key]?.metadata.generation = 2
        for _ in 0..<2 {
            let result = translator.translate(snapshot)
            #expect(limits(result).map(\.connections?.value) == [5])
            #expect(acceptance(result)?.reason == .invalid)
            #expect(acceptance(result)?.observedGeneration == 2)
            #expect(acceptance(result)?.message.hasSuffix("; until then that of generation 1 holds") == true)
            // Another object changes: everything is translated anew.
            snapshot.namespaces[ObjectKey(namespace: "", name: "x")] = Namespace(metadata: ObjectMeta(name: "x"))
        }
        snapshot.clientPolicies[key]?.spec.connectionLimit?.value = 7
        let mended = translator.translate(snapshot)
        #expect(limits(mended).map(\.connections?.value) == [7])
        #expect(acceptance(mended)?.status == .true)
    }

    @Test("a list that goes away leaves the addresses that were in it")
    func lostList() throws {
        var (translator, snapshot) = try steps(
            "authorization: {rules: [{name: r, action: Allow, principal: {clientCIDRRefs: [{name: lists, key: cidrs.txt}]}}]}"
        )
        let good = limits(translator.translate(snapshot))
        #expect(good.first?.authorization?.rules.count == 1)
        snapshot.configMaps[ObjectKey(namespace: "infra", name: "lists")] = nil
        let result = translator.translate(snapshot)
        #expect(limits(result) == good)
        #expect(acceptance(result)?.reason == .invalid)
        #expect(Bench.isClosed(limits(translate(snapshot, options: try Bench("").options))))
    }

    @Test("where a later version cannot be enforced at a target, the last good one goes on there")
    func notEnforceable() throws {
        let rule = "authorization: {defaultAction: Allow, rules: [{name: r, action: Deny, principal: "
        for target in [Bench.target("Gateway", "edge", "plain"), Bench.target("TCPRoute", "plain")] {
            let good = try Bench(Bench.policy("p", target, rule + "{clientCIDRs: [10.0.0.0/8]}}]}"))
            let bad = try Bench(Bench.policy("p", target, rule + "{serverNames: [a.example.com]}}]}"))
            let translator = Translator(options: good.options)
            func limits(_ result: TranslationResult) -> [ClientLimits] {
                let listener = result.configuration.listeners.first { $0.id.listener == "plain" }
                return (listener?.limits ?? []) + (listener?.routes.first?.limits ?? [])
            }
            let first = limits(translator.translate(good.snapshot))
            #expect(first.count == 1 && !Bench.isClosed(first))
            var snapshot = bad.snapshot
            snapshot.clientPolicies[key]?.metadata.generation = 2
            for round in 0..<2 {
                let result = translator.translate(snapshot)
                #expect(limits(result) == first, "\(target), round \(round)")
                #expect(acceptance(result)?.reason == .invalid)
                #expect(acceptance(result)?.message.hasSuffix("; until then that of generation 1 holds") == true)
                snapshot.namespaces[ObjectKey(namespace: "", name: "x")] = Namespace(metadata: ObjectMeta(name: "x"))
            }
            // Nobody remembers after a restart.
            #expect(Bench.isClosed(limits(translate(snapshot, options: good.options))))
            // What cannot be enforced any more is no substitute either.
            snapshot.clientPolicies[key]?.spec.connectionLimit = .init()
            let broken = translator.translate(snapshot)
            #expect(limits(broken) == first)
            snapshot.clientPolicies[key] = nil
            #expect(limits(translator.translate(snapshot)).isEmpty)
        }
    }

    @Test("of levels that come to contradict each other the last good version goes on, while it can")
    func contradiction() throws {
        func snapshot(wide: String, own: String, _ value: Int) throws -> ClusterSnapshot {
            try Bench(
                Bench.policy("wide", Bench.target("Gateway", "edge"), "tls: {minVersion: \"\(wide)\"}")
                    + Bench.policy(
                        "p", Bench.target("Gateway", "edge", "terminate"),
                        "connectionLimit: {value: \(value)}, tls: {maxVersion: \"\(own)\"}")
            ).snapshot
        }
        let translator = Translator(options: try Bench("").options)
        let good = limits(translator.translate(try snapshot(wide: "1.3", own: "1.3", 5)), "terminate")
        #expect(good.map(\.connections?.value) == [5])
        let result = translator.translate(try snapshot(wide: "1.3", own: "1.2", 6))
        #expect(limits(result, "terminate") == good)
        #expect(acceptance(result)?.message.contains("minVersion must not be greater than maxVersion") == true)
        let mended = translator.translate(try snapshot(wide: "1.2", own: "1.2", 7))
        #expect(limits(mended, "terminate").map(\.connections?.value) == [7])
        // The last good one, of 1.2 as well, is now none.
        #expect(Bench.isClosed(limits(translator.translate(try snapshot(wide: "1.3", own: "1.2", 8)), "terminate")))
    }

    @Test("another policy of the same name does not inherit it, nor does a target that it did not have")
    func notInherited() throws {
        var (translator, snapshot) = try steps("connectionLimit: {value: 5}")
        snapshot.clientPolicies[key]?.metadata.uid = "1"
        _ = translator.translate(snapshot)
        snapshot.clientPolicies[key]?.spec.connectionLimit?.value = 0
        snapshot.clientPolicies[key]?.spec.targetRefs = [.init(kind: "Gateway", name: "edge", sectionName: "raw")]
        let moved = translator.translate(snapshot)
        #expect(limits(moved).map(\.connections?.value) == [5])
        #expect(Bench.isClosed(limits(moved, "raw")))
        snapshot.clientPolicies[key]?.metadata.uid = "2"
        let other = translator.translate(snapshot)
        #expect(limits(other).isEmpty)
        #expect(Bench.isClosed(limits(other, "raw")))
    }

    @Test("a policy that is gone leaves nothing, not even to one that comes back invalid")
    func gone() throws {
        var (translator, snapshot) = try steps("connectionLimit: {value: 5}")
        _ = translator.translate(snapshot)
        var policy = try #require(snapshot.clientPolicies[key])
        snapshot.clientPolicies[key] = nil
        let without = translator.translate(snapshot)
        #expect(limits(without).isEmpty && without.statuses.clientPolicies.isEmpty)
        policy.spec.connectionLimit?.value = 0
        snapshot.clientPolicies[key] = policy
        #expect(Bench.isClosed(limits(translator.translate(snapshot))))
    }

    @Test("a touched route that is a target is translated from the start, others are carried on")
    func carriedOn() throws {
        let bench = try Bench(Bench.policy("p", Bench.target("TCPRoute", "plain"), "connectionLimit: {value: 5}"))
        let translator = Translator(options: bench.options)
        var snapshot = bench.snapshot
        _ = translator.translate(snapshot)
        let (target, other) = (ObjectKey(namespace: "infra", name: "plain"), ObjectKey(namespace: "infra", name: "raw"))
        snapshot.tlsRoutes[other]?.spec.hostnames = ["raw.example.com", "other.example.com"]
        _ = translator.translate(snapshot)
        #expect([translator.counts.whole, translator.counts.carriedOn] == [1, 1])
        snapshot.services[ObjectKey(namespace: "infra", name: "db")]?.spec.ports = [.init(name: "x", port: 5432)]
        let result = translator.translate(snapshot)
        #expect([translator.counts.whole, translator.counts.carriedOn] == [1, 2])
        #expect(result == translate(snapshot, options: bench.options))
        let listener = try #require(result.configuration.listeners.first { $0.id.listener == "plain" })
        #expect(listener.routes.first?.limits.map(\.connections?.value) == [5])
        snapshot.tcpRoutes[target]?.spec.parentRefs = []
        _ = translator.translate(snapshot)
        #expect([translator.counts.whole, translator.counts.carriedOn] == [2, 2])
    }

    @Test("the order in which objects arrive plays no part", arguments: 0..<6)
    func order(seed: UInt64) {
        var whole = RandomCluster(seed: seed).snapshot()
        var policies = RandomPolicies(seed: seed &+ 500)
        policies.add(60, to: &whole)
        var options = TranslationOptions()
        options.standalone = true
        let expected = translate(whole, options: options)
        #expect(expected.statuses.clientPolicies.count > 10, "seed \(seed)")
        #expect(expected.configuration.listeners.contains { !$0.limits.isEmpty }, "seed \(seed)")
        for round in 0..<3 {
            var dice = SeededDice(seed: seed * 10 + UInt64(round))
            let translator = Translator(options: options)
            var snapshot = whole
            snapshot.clientPolicies = [:]
            snapshot.gateways = [:]
            snapshot.listenerSets = [:]
            var arrivals: [(inout ClusterSnapshot) -> Void] = []
            for (key, value) in whole.clientPolicies.sorted(by: { $0.key < $1.key }) {
                arrivals.append { $0.clientPolicies[key] = value }
            }
            for (key, value) in whole.gateways.sorted(by: { $0.key < $1.key }) {
                arrivals.append { $0.gateways[key] = value }
            }
            for (key, value) in whole.listenerSets.sorted(by: { $0.key < $1.key }) {
                arrivals.append { $0.listenerSets[key] = value }
            }
            var result = translator.translate(snapshot)
            while !arrivals.isEmpty {
                arrivals.remove(at: dice.roll(arrivals.count))(&snapshot)
                if dice.roll(8) == 0 { result = translator.translate(snapshot) }
            }
            result = translator.translate(snapshot)
            #expect(result.configuration == expected.configuration, "seed \(seed), round \(round)")
            #expect(result.statuses == expected.statuses, "seed \(seed), round \(round)")
            #expect(result == expected, "seed \(seed), round \(round)")
        }
    }
}
