import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Versions of BackendPolicies over time, what changes are carried on with, and the order in which things arrive.
@Suite("BackendPolicies over time")
struct BackendMemoryTests {
    private typealias Bench = BackendBench
    private let key = ObjectKey(namespace: "infra", name: "p")

    private func backend(_ result: TranslationResult, _ name: String = "db") -> BackendConfiguration? {
        result.configuration.backends.first { $0.id.name == name && $0.id.variant.isEmpty }
    }

    private func acceptance(_ result: TranslationResult) -> Condition? {
        result.statuses.backendPolicies[key]?.ancestors.first?.conditions.first
    }

    @Test("where a later version is invalid, the last good one goes on, until it is good again")
    func lastGood() throws {
        let bench = try Bench(Bench.policy("p", Bench.target("Service", "safe"), "tls: {minVersion: \"1.3\"}"))
        let translator = Translator(options: bench.options)
        var snapshot = bench.snapshot
        #expect(backend(translator.translate(snapshot), "safe")?.tls?.minimumVersion == .v13)
        snapshot.backendPolicies[key]?.spec.tls?.ciphers = ["NONE"]
        snapshot.backendPolicies[key]?.spec.tls?.minVersion = "1.2"
        snapshot.backendPolicies[key]?.metadata.generation = 2
        let result = translator.translate(snapshot)
        #expect(backend(result, "safe")?.tls?.minimumVersion == .v13 && backend(result, "safe")?.tls?.trust == .system)
        #expect(acceptance(result)?.reason == .invalid)
        #expect(acceptance(result)?.message.hasSuffix("; until then that of generation 1 holds") == true)
        // A process that knows no better version closes.
        #expect(backend(translate(snapshot, options: bench.options), "safe")?.tls?.trust == .unusable)
        snapshot.backendPolicies[key]?.spec.tls?.ciphers = nil
        #expect(backend(translator.translate(snapshot), "safe")?.tls?.minimumVersion == .v12)
    }

    @Test("a Service's endpoints change without a translation of everything, and its policy goes on")
    func endpoints() throws {
        let bench = try Bench(Bench.policy("p", Bench.db, "healthCheck: {active: {type: TCP}}"))
        let translator = Translator(options: bench.options)
        var snapshot = bench.snapshot
        let before = translator.translate(snapshot)
        let slice = ObjectKey(namespace: "infra", name: "db")
        snapshot.endpointSlices[slice]?.endpoints?.append(.init(addresses: ["10.0.0.3"]))
        let after = translator.translate(snapshot)
        #expect([translator.counts.whole, translator.counts.carriedOn] == [1, 1])
        #expect(backend(after)?.endpoints.count == 3 && backend(after)?.settings == backend(before)?.settings)
        // Now there is nothing to check, which the policy's status says.
        snapshot.endpointSlices[slice]?.endpoints = []
        let empty = translator.translate(snapshot)
        #expect(empty.statuses == translate(snapshot, options: bench.options).statuses)
        #expect(empty.statuses.backendPolicies[key]?.ancestors.first?.conditions.last?.reason == .noEndpointChecked)
    }

    @Test("a route that leads another Gateway's traffic to a target makes that one an ancestor")
    func routes() throws {
        let bench = try Bench(Bench.policy("p", Bench.target("Service", "safe"), "retry: {numRetries: 1}"))
        let translator = Translator(options: bench.options)
        var snapshot = bench.snapshot
        _ = translator.translate(snapshot)
        let route = ObjectKey(namespace: "infra", name: "other")
        snapshot.tcpRoutes[route]?.spec.rules = [RouteRule(backendRefs: [BackendReference(name: "safe", port: 5432)])]
        let result = translator.translate(snapshot)
        #expect(result.statuses.backendPolicies[key]?.ancestors.map(\.ancestorRef.name) == ["edge", "other"])
        #expect(result == translate(snapshot, options: bench.options))
    }

    @Test("the order in which objects come makes no difference", arguments: 0..<20)
    func order(seed: UInt64) {
        var dice = SeededDice(seed: seed + 5)
        var snapshot = RandomCluster(seed: seed).snapshot()
        var policies = RandomBackendPolicies(seed: seed + 99)
        policies.add(60, to: &snapshot)
        var options = TranslationOptions()
        options.standalone = true
        options.zone = "z1"
        let result = translate(snapshot, options: options)
        #expect(result.statuses.backendPolicies.count > 10, "seed \(seed)")
        var again = snapshot
        again.backendPolicies = [:]
        var keys = snapshot.backendPolicies.keys.sorted()
        while !keys.isEmpty {
            let key = keys.remove(at: dice.roll(keys.count))
            again.backendPolicies[key] = snapshot.backendPolicies[key]
        }
        let isSame = translate(again.rebuilt(capacity: 300), options: options) == result
        #expect(isSame, "seed \(seed)")
    }
}
