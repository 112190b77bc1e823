@testable import Engine
import EngineCore
import EngineModel
import Observability
import Platform
import Primitives
import Resolver
import TestSupport
import Testing

/// Walks through configurations that change in every field, one or a few at a time: each table is held against the one that a
/// fresh start makes, and what came and went against the two tables themselves.
@Suite("Walks through configurations", .timeLimit(.minutes(5)))
struct TableWalkTests {
    private let certificates: [KeyPairFacts]
    private let authorities: [TrustFacts]

    init() throws {
        let ca = try TestPKI.makeCA()
        certificates = try (0..<2).map { _ in try facts(try ca.issue(dnsNames: ["*.test"])) }
        authorities = try trust(ca, try TestPKI.makeCA("Other"))
    }

    private func makeCompiler() -> TableCompiler { TableCompiler(workers: 1, logger: Logger(recordingTo: MemoryLog())) }

    @Test("any walk", arguments: [UInt64(1), 2, .random(in: 3...UInt64.max)])
    func walks(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var compiler = makeCompiler()
        var world = World(certificates: certificates, authorities: authorities)
        var (before, previous): ([TableCompiler.ListenerKey: Set<RouteState.Key>], TableCompiler.Output?) = ([:], nil)
        for step in 0..<250 {
            let last = world.configuration
            for _ in 0..<(random.below(10) == 0 ? 20 : 1 + random.below(2)) { world.change(&random) }
            if random.below(2) == 0 {
                _ = compiler.changedNames(world.configuration, known(last, world.configuration, &random))
            }
            let output = compiler.compile(world.configuration, names: world.answers)
            var fresh = makeCompiler()
            let expected = fresh.compile(world.configuration, names: world.answers)
            try #require(words(of: output) == words(of: expected), "seed \(seed), step \(step)")
            let after = compiler.listeners.mapValues(routes)
            try #require(after == fresh.listeners.mapValues(routes), "seed \(seed), step \(step)")
            try check(output.changes, before, after, "seed \(seed), step \(step)")
            if let previous { try checkStates(previous, output, "seed \(seed), step \(step)") }
            (before, previous) = (after, output)
        }
    }

    /// What may differ, as whoever made the new configuration could say, with some that does not; nil where routes are not in order.
    private func known(_ old: EngineConfiguration, _ new: EngineConfiguration, _ random: inout SplitMix64)
        -> ConfigurationChange?
    {
        var change = ConfigurationChange(since: old)
        let others = Set(old.backends).symmetricDifference(new.backends).map(\.id)
        change.backends = Set(others + new.backends.map(\.id).filter { _ in random.below(3) == 0 })
        change.backends.insert(backendID("nobody"))
        for listener in new.listeners {
            let before = old.listeners.first { $0.id == listener.id }?.hostnameRoutes ?? []
            let after = listener.hostnameRoutes
            for list in [before, after] where list != list.sorted(by: { $0.hostname < $1.hostname }) { return nil }
            let others = Set(before).symmetricDifference(after).map(\.hostname)
            if others.isEmpty, random.below(2) == 0 { continue }
            change.names[listener.id] = Set(others + after.map(\.hostname).filter { _ in random.below(3) == 0 })
        }
        return change
    }

    private func routes(_ listener: ListenerRuntime) -> Set<RouteState.Key> {
        var keys: Set<RouteState.Key> = []
        listener.slots.forEach { keys.insert($1.state.key) }
        if let fallback = listener.fallback { keys.insert(fallback.state.key) }
        return keys
    }

    private func check(
        _ changes: [TableCompiler.ListenerChange], _ before: [TableCompiler.ListenerKey: Set<RouteState.Key>],
        _ after: [TableCompiler.ListenerKey: Set<RouteState.Key>], _ place: String
    ) throws {
        var told: Set<TableCompiler.ListenerKey> = []
        for change in changes {
            let state = try #require(change.new?.state ?? change.old?.state)
            let key = TableCompiler.ListenerKey(id: state.id, port: state.port)
            #expect(told.insert(key).inserted, "\(place)")
            let (old, new) = (before[key] ?? [], after[key] ?? [])
            try #require(Set(change.arrived.map(\.key)) == new.subtracting(old), "\(place) \(key)")
            try #require(Set(change.left.map(\.key)) == old.subtracting(new), "\(place) \(key)")
        }
        for key in Set(before.keys).union(after.keys) where !told.contains(key) {
            try #require(before[key] == after[key], "\(place) \(key)")
        }
    }

    /// Who is in both tables is counted on.
    private func checkStates(_ old: TableCompiler.Output, _ new: TableCompiler.Output, _ place: String) throws {
        func states(_ output: TableCompiler.Output) -> [RouteState.Key: ObjectIdentifier] {
            var states: [RouteState.Key: ObjectIdentifier] = [:]
            for listener in output.bindings.values.flatMap(\.listeners) {
                listener.slots.forEach { states[$1.state.key] = ObjectIdentifier($1.state) }
                if let route = listener.fallback { states[route.state.key] = ObjectIdentifier(route.state) }
            }
            return states
        }
        let after = states(new)
        for (key, state) in states(old) { try #require(after[key] == nil || after[key] == state, "\(place)") }
        for (id, backend) in old.backends {
            guard let now = new.backends[id] else { continue }
            #expect(now.state === backend.state, "\(place)")
            for endpoint in now.endpoints {
                let known = backend.endpoints.first { $0.address == endpoint.address }
                #expect(known == nil || known === endpoint, "\(place)")
            }
        }
    }

    /// Everything that a table does.
    private func words(of output: TableCompiler.Output) -> [String] {
        func text(_ route: RouteRuntime?) -> String {
            guard let route else { return "none" }
            let targets = route.targets.enumerated().map { index, target -> String in
                guard let target else { return "invalid" }
                let isShared = output.backends[target.configuration.id] === target
                return isShared ? "\(target.configuration.id)\(target.configuration.id.variant)" : "STALE \(index)"
            }
            return "\(route.configuration) \(route.alpn.names) \(targets) \(route.hasUnknownBackend)"
        }
        var lines = output.backends.map { id, backend in
            "\(id) \(backend.configuration) \(backend.endpoints.map { "\($0.address)" }) \(backend.resolved.weights)"
                + " \(backend.resolved.preferences) \(backend.resolved.isPending) \(backend.resolved.hasFailed) \(backend.resolved.refused)"
                + " \(backend.tls?.configuration == backend.configuration.tls)"
        }
        for (binding, runtime) in output.bindings {
            lines.append("\(binding) \(runtime.primary.state.id)")
            for name in World.asked {
                guard case .tls(let names) = runtime.traffic else {
                    lines.append("\(binding) tcp \(text(runtime.primary.fallback))")
                    continue
                }
                let listener = names.lookup(name).map { runtime.listeners[Int($0)] }
                lines.append(
                    "\(binding) \(name ?? "-") \(listener.map { "\($0.state.id)" } ?? "-") \(text(listener?.route(for: name)))"
                )
            }
            for listener in runtime.listeners {
                lines.append(
                    "\(binding) \(listener.configuration) \(listener.termination?.configuration as TLSTermination?)"
                        + " \(listener.names.count)")
            }
        }
        return lines.sorted()
    }
}

/// A configuration that changes by chance.
private struct World {
    let certificates: [KeyPairFacts]
    let authorities: [TrustFacts]
    var configuration = EngineConfiguration()
    var answers = NameAnswers()
    static let patterns = ["a.test", "b.test", "*.test", "*.a.test", "x.a.test", "c.other", "*.other"]
    static let asked: [String?] = [
        nil, "", "a.test", "b.test", "c.test", "x.a.test", "y.a.test", "z.y.a.test", "c.other", "d.other", "other",
        "test",
    ]

    mutating func change(_ random: inout SplitMix64) {
        switch random.below(12) {
        case 0...1: changeBackends(&random)
        case 2:
            let key = NameKey(name: "n\(random.below(2)).test", settings: .init())
            let addresses = (0..<random.below(3)).map {
                IPAddress.v4(0x7f00_0001 + UInt32($0) + UInt32(random.below(2)))
            }
            answers.answers[key] = [.pending, .failed("no"), .addresses(addresses)][random.below(3)]
            let services = (0..<random.below(3)).map {
                ServiceRecord(priority: UInt16($0), weight: 1, target: "n\(random.below(2)).test", port: 91)
            }
            let records = NameKey(name: "srv.test", settings: .init(), wantsServices: true)
            answers.answers[records] = [.pending, .failed("no"), .services(services)][random.below(3)]
        case 3: addOrRemoveListener(&random)
        default:
            guard !configuration.listeners.isEmpty else { return addOrRemoveListener(&random) }
            change(&configuration.listeners[random.below(configuration.listeners.count)], &random)
        }
    }

    private mutating func changeBackends(_ random: inout SplitMix64) {
        let id = backendID("b\(random.below(6))")
        configuration.backends.removeAll { $0.id == id }
        guard random.below(4) > 0 else { return }
        var new = backend(id.name, ports: (0..<random.below(3)).map { UInt16(80 + $0) })
        if random.below(3) == 0 {
            new.endpoints.append(
                .init(address: .name("n\(random.below(2)).test", port: 90), weight: 1 + random.below(3)))
            if random.below(2) == 0 { new.endpoints.append(.init(address: .records("srv.test"), weight: 1)) }
            new.settings.refusedAddresses.loopback = random.below(3) == 0
        }
        if random.below(3) == 0 {
            let trust: BackendTLS.Trust = random.below(4) == 0 ? .unusable : .bundles([authorities[random.below(2)]])
            new.tls = BackendTLS(trust: trust, hostname: "h\(random.below(2)).test")
        }
        if random.below(4) == 0 { new.settings.retries = random.below(3) }
        configuration.backends.append(new)
        configuration.backends.sort { $0.id < $1.id }
    }

    private mutating func addOrRemoveListener(_ random: inout SplitMix64) {
        let name = "l\(random.below(6))"
        let known = configuration.listeners.firstIndex { $0.id.listener == name }
        if let known { configuration.listeners.remove(at: known) }
        if known != nil, random.below(2) == 0 { return }
        var listener = tlsListener(name, port: 3000, routes: [])
        for _ in 0..<8 { change(&listener, &random) }
        configuration.listeners.append(listener)
        configuration.listeners.sort { $0.id < $1.id }
    }

    private func change(_ listener: inout ListenerConfiguration, _ random: inout SplitMix64) {
        switch random.below(12) {
        case 0: listener.port = UInt16(400 + random.below(2))
        case 1: listener.settings.routeDrainTimeout = [nil, .seconds(1), .seconds(2)][random.below(3)]
        case 2: toggle(&listener, &random)
        case 3:
            guard case .tls = listener.traffic else { return }
            listener.bindings = (0..<random.below(4)).map { Binding(port: UInt16(3000 + $0)) }
        default:
            switch listener.traffic {
            case .tcp: listener.traffic = .tcp(random.below(4) == 0 ? nil : makeRoute(&random))
            case .tls(var tls):
                change(&tls, &random)
                listener.traffic = .tls(tls)
            }
        }
    }

    /// Listeners of TCP have ports of their own.
    private func toggle(_ listener: inout ListenerConfiguration, _ random: inout SplitMix64) {
        if case .tls = listener.traffic, random.below(2) == 0 {
            let own = UInt16(listener.id.listener.utf8.last ?? 0)
            listener.bindings = [Binding(port: 2000 + own)]
            listener.traffic = .tcp(makeRoute(&random))
        } else if case .tcp = listener.traffic {
            listener.bindings = [Binding(port: 3000)]
            listener.traffic = .tls(TLSListener(hostname: nil, mode: .passthrough, routes: []))
        }
    }

    private func change(_ tls: inout TLSListener, _ random: inout SplitMix64) {
        switch random.below(12) {
        case 0: tls.hostname = [nil, "*.test", "a.test", "*.other"][random.below(4)].flatMap { HostnamePattern($0) }
        case 1:
            var termination = TLSTermination(certificates: [certificates[random.below(2)]])
            termination.alpnProtocols = [nil, ["h2"], ["x", "y"]][random.below(3)]
            if random.below(3) == 0 { termination.clientValidation = .init(trust: [authorities[random.below(2)]]) }
            tls.mode = random.below(3) == 0 ? .passthrough : .terminate(termination)
        case 2: tls.fallback = random.below(3) == 0 ? nil : makeRoute(&random)
        case 3: tls.routes = []
        case 4: if !tls.routes.isEmpty { tls.routes.swapAt(0, random.below(tls.routes.count)) }
        default:
            guard let name = HostnamePattern(World.patterns[random.below(World.patterns.count)]) else { return }
            tls.routes.removeAll { $0.hostname == name }
            if random.below(4) > 0 { tls.routes.append(.init(hostname: name, route: makeRoute(&random))) }
            if random.below(5) > 0 { tls.routes.sort { $0.hostname < $1.hostname } }
        }
    }

    private func makeRoute(_ random: inout SplitMix64) -> RouteConfiguration {
        let targets = (0..<random.below(3)).map { _ in ("b\(random.below(6))", random.below(3)) }
        var made = route("r\(random.below(4))", to: targets, alpn: random.below(4) == 0 ? ["h2"] : [])
        made.id.rule = random.below(2)
        if random.below(6) == 0 { made.backends.append(.init(weight: 1, target: .invalid)) }
        if random.below(6) == 0 { made.settings.idleTimeout = .seconds(1 + random.below(2)) }
        return made
    }
}

extension SplitMix64 {
    fileprivate mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
