import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// What is remembered changes nothing of what is said.
@Suite("Translator")
struct TranslatorTests {
    @Test("after any change it says what a translation from nothing says", arguments: 0..<8)
    func agrees(seed: UInt64) {
        var walk = ClusterWalk(seed: seed, standalone: seed % 2 == 0)
        let translator = Translator(options: walk.options)
        var composer = StatusComposer()
        var finder = ReferenceFinder(options: walk.options)
        var dice = SeededDice(seed: seed + 1)
        var acknowledgement = Acknowledgement(generation: 1, bindings: [:])
        var configuration = EngineConfiguration()
        for step in 0..<400 {
            let what = step == 0 ? "the start" : walk.step()
            let fresh = translate(walk.snapshot, options: walk.options, memory: translator.memory)
            let last = configuration
            let result = translator.translate(walk.snapshot, touched: dice.roll(2) == 0 ? walk.touched : nil)
            configuration = result.configuration
            if let differs = translator.configurationDiffers {
                #expect(differs == (configuration != last), "seed \(seed), step \(step): \(what)")
                #expect((translator.change != nil) == differs, "seed \(seed), step \(step): \(what)")
            }
            if let change = translator.change {
                expectAll(in: change, from: last, to: configuration, "seed \(seed), step \(step): \(what)")
            }
            expectEqual(result, fresh, "seed \(seed), step \(step): \(what)")
            if dice.roll(4) == 0 { acknowledgement.answer(fresh.statuses, &dice) }
            let addresses = [IPAddress("192.0.2.\(dice.roll(20) == 0 ? 1 : 2)")].compactMap { $0 }
            let composed = composer.compose(result.statuses, acknowledgement, addresses: addresses)
            #expect(
                composed == compose(fresh.statuses, acknowledgement, addresses: addresses),
                "seed \(seed), step \(step): \(what)")
            let found = finder.find(walk.snapshot)
            #expect(
                found == referencedObjects(walk.snapshot, options: walk.options), "seed \(seed), step \(step): \(what)")
            if result != fresh { return }
        }
        #expect(translator.counts.carriedOn > 200, "seed \(seed): \(translator.counts)")
        #expect(translator.counts.whole > 40, "seed \(seed): \(translator.counts)")
    }

    /// Holds what is said to differ against the two configurations, whose lists have to be in order.
    private func expectAll(
        in change: ConfigurationChange, from old: EngineConfiguration, to new: EngineConfiguration, _ what: String
    ) {
        #expect(change.before == old, "\(what)")
        #expect(new.backends.map(\.id) == new.backends.map(\.id).sorted(), "\(what)")
        let backends = Set(old.backends).symmetricDifference(new.backends).map(\.id)
        #expect(change.backends.isSuperset(of: backends), "\(what)")
        #expect(new.listeners.map(\.id) == old.listeners.map(\.id), "\(what)")
        for (listener, before) in zip(new.listeners, old.listeners) {
            guard case .tls(let before) = before.traffic, case .tls(let after) = listener.traffic else { continue }
            #expect(after.routes.map(\.hostname) == after.routes.map(\.hostname).sorted(), "\(what)")
            let names = Set(before.routes).symmetricDifference(after.routes).map(\.hostname)
            #expect(names.isEmpty || change.names[listener.id]?.isSuperset(of: names) == true, "\(what)")
        }
    }

    /// Says which part differs, instead of printing both.
    private func expectEqual(_ result: TranslationResult, _ fresh: TranslationResult, _ what: String) {
        let (left, right) = (result.configuration, fresh.configuration)
        #expect(left.listeners.map(\.id) == right.listeners.map(\.id), "\(what)")
        for (a, b) in zip(left.listeners, right.listeners) where a != b { Issue.record("\(what)\n\(a)\nis not\n\(b)") }
        #expect(left.backends.map(\.id) == right.backends.map(\.id), "\(what)")
        for (a, b) in zip(left.backends, right.backends) where a != b { Issue.record("\(what)\n\(a)\nis not\n\(b)") }
        #expect(result.notices == fresh.notices, "\(what)")
        for key in Set(fresh.statuses.tcpRoutes.keys).union(result.statuses.tcpRoutes.keys) {
            #expect(result.statuses.tcpRoutes[key] == fresh.statuses.tcpRoutes[key], "\(what): TCPRoute \(key)")
        }
        for key in Set(fresh.statuses.tlsRoutes.keys).union(result.statuses.tlsRoutes.keys) {
            #expect(result.statuses.tlsRoutes[key] == fresh.statuses.tlsRoutes[key], "\(what): TLSRoute \(key)")
        }
        #expect(result.statuses.gateways == fresh.statuses.gateways, "\(what)")
        #expect(result.statuses.backendTLSPolicies == fresh.statuses.backendTLSPolicies, "\(what)")
        #expect(result.statuses.clientPolicies == fresh.statuses.clientPolicies, "\(what)")
        #expect(result.statuses.backendPolicies == fresh.statuses.backendPolicies, "\(what)")
        #expect(result == fresh, "\(what)")
    }

    @Test("a changed route is carried on from, a changed Gateway is not, and of no change nothing is copied")
    func reuse() throws {
        var options = TranslationOptions()
        options.standalone = true
        let translator = Translator(options: options)
        var snapshot = RandomCluster(seed: 7).snapshot()
        let first = translator.translate(snapshot)
        #expect([translator.counts.whole, translator.counts.carriedOn] == [1, 0])
        let route = try #require(snapshot.tlsRoutes.keys.min())
        snapshot.tlsRoutes[route]?.spec.hostnames = ["new.example.com"]
        _ = translator.translate(snapshot)
        snapshot.tlsRoutes[route] = nil
        _ = translator.translate(snapshot)
        snapshot.asOf += 1
        let third = translator.translate(snapshot)
        #expect([translator.counts.whole, translator.counts.carriedOn] == [1, 3])
        #expect(third.statuses.tcpRoutes.isSameStorage(as: first.statuses.tcpRoutes))
        #expect(third.statuses.bindings.isSameStorage(as: first.statuses.bindings))
        let gateway = try #require(snapshot.gateways.keys.min())
        snapshot.gateways[gateway] = nil
        _ = translator.translate(snapshot)
        #expect([translator.counts.whole, translator.counts.carriedOn] == [2, 3])
    }
}

extension Acknowledgement {
    /// The engine's answer to a report by dice: most ports are bound, some fail, some are not tried yet.
    fileprivate mutating func answer(_ report: StatusReport, _ dice: inout SeededDice) {
        generation += 1
        bindings = [:]
        for binding in Set(report.bindings.values.joined()).sorted() {
            switch dice.roll(8) {
            case 0: break
            case 1: bindings[binding] = .failed(BindFailure(errno: 98, message: "port \(binding.port) is in use"))
            default: bindings[binding] = .bound
            }
        }
    }
}
