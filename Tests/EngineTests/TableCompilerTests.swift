import Certificates
@testable import Engine
import EngineModel
import Observability
import Primitives
import TestSupport
import Testing

@Suite("Compiling tables")
struct TableCompilerTests {
    private let log = MemoryLog()
    private let server: KeyPairFacts
    private let ca: TestCA

    init() throws {
        ca = try TestPKI.makeCA()
        server = try facts(try ca.issue(dnsNames: ["*.test"]))
    }

    private func makeCompiler() -> TableCompiler { TableCompiler(workers: 2, logger: Logger(recordingTo: log)) }

    private func terminating(_ clients: ClientValidation? = nil) -> TLSListener.Mode {
        var termination = TLSTermination(certificates: [server])
        termination.clientValidation = clients
        return .terminate(termination)
    }

    /// Two TCP listeners, one that terminates with three routes, one that passes through.
    private func sample() -> EngineConfiguration {
        let names = ["a", "b", "c"]
        return EngineConfiguration(
            listeners: [
                tcpListener("1", port: 1001, route("t1", to: "b1")),
                tcpListener("2", port: 1002, route("t2", to: "b2")),
                tlsListener(
                    "3", port: 1003, mode: terminating(),
                    routes: names.map { ("\($0).test", route("r\($0)", to: $0)) }),
                tlsListener("4", port: 1003, hostname: "p.test", routes: [("p.test", route("rp", to: "b1"))]),
            ],
            backends: (names + ["b1", "b2"]).map { backend($0, ports: [80]) }.sorted { $0.id < $1.id })
    }

    private func key(_ name: String, _ port: UInt16) -> TableCompiler.ListenerKey {
        .init(id: listenerID(name), port: port)
    }

    @Test("the same configuration is the same table")
    func unchanged() {
        var compiler = makeCompiler()
        let first = compiler.compile(sample(), names: NameAnswers())
        #expect(first.changes.count == 4)
        let second = compiler.compile(sample(), names: NameAnswers())
        #expect(second.changes.isEmpty)
        #expect(second.bindings.allSatisfy { first.bindings[$0.key] === $0.value })
        #expect(second.backends.allSatisfy { first.backends[$0.key] === $0.value })
    }

    @Test("a changed slice changes its backend, the routes to it and their listeners, and no TLS context")
    func changedSlice() throws {
        var compiler = makeCompiler()
        var configuration = sample()
        let first = compiler.compile(configuration, names: NameAnswers())
        let old = try #require(compiler.listeners[key("3", 1003)])
        configuration.backends[1] = backend("b", ports: [80, 81])
        let second = compiler.compile(configuration, names: NameAnswers())
        #expect(second.changes.count == 1)
        let new = try #require(compiler.listeners[key("3", 1003)])
        #expect(new !== old)
        #expect(new.termination != nil)
        #expect(new.termination === old.termination)
        #expect(new.state === old.state)
        #expect(
            ["a.test", "b.test", "c.test"].map { new.route(for: $0) === old.route(for: $0) } == [true, false, true])
        #expect(new.route(for: "b.test")?.targets.first??.endpoints.count == 2)
        for (binding, runtime) in second.bindings {
            #expect((first.bindings[binding] === runtime) == (binding.port != 1003))
        }
        #expect(second.backends.filter { first.backends[$0.key] !== $0.value }.map(\.key.name) == ["b"])
    }

    @Test("a new route leaves its neighbours as they are, wherever they stand now")
    func newRoute() throws {
        var compiler = makeCompiler()
        var configuration = sample()
        _ = compiler.compile(configuration, names: NameAnswers())
        let old = try #require(compiler.listeners[key("3", 1003)])
        let names = ["0", "a", "b", "c"]
        configuration.listeners[2] = tlsListener(
            "3", port: 1003, mode: terminating(), routes: names.map { ("\($0).test", route("r\($0)", to: $0)) })
        configuration.backends.insert(backend("0", ports: [80]), at: 0)
        let output = compiler.compile(configuration, names: NameAnswers())
        let new = try #require(compiler.listeners[key("3", 1003)])
        #expect(output.changes.count == 1)
        #expect(new.termination === old.termination)
        for name in ["a", "b", "c"] { #expect(new.route(for: "\(name).test") === old.route(for: "\(name).test")) }
        for name in names { #expect(new.route(for: "\(name).test")?.configuration.id.name == "r\(name)") }
        #expect(new.route(for: "0.test")?.targets.first??.configuration.id.name == "0")
    }

    @Test("a listener whose client validation cannot be set up serves nobody rather than everybody")
    func failsClosed() throws {
        final class Nothing: KeyMaterialStorage {}
        var compiler = makeCompiler()
        var configuration = sample()
        _ = compiler.compile(configuration, names: NameAnswers())
        let unloaded = TrustFacts(
            subjects: [], notAfter: 0, material: KeyMaterial(fingerprint: "none", storage: Nothing()))
        let routes = [("a.test", route("ra", to: "a"))]
        configuration.listeners[2] = tlsListener(
            "3", port: 1003, mode: terminating(ClientValidation(trust: [unloaded])), routes: routes)
        _ = compiler.compile(configuration, names: NameAnswers())
        #expect(compiler.listeners[key("3", 1003)]?.termination == nil)
        #expect(log.entries.contains { $0.message == "TLS listener cannot be set up" })
        let repaired = ClientValidation(trust: try trust(ca))
        configuration.listeners[2] = tlsListener("3", port: 1003, mode: terminating(repaired), routes: routes)
        _ = compiler.compile(configuration, names: NameAnswers())
        #expect(compiler.listeners[key("3", 1003)]?.termination != nil)
    }

    @Test("contexts with keys of the gateway go when no backend uses them")
    func forgetsKeys() throws {
        var compiler = makeCompiler()
        var configuration = sample()
        var tls = BackendTLS(trust: .bundles(try trust(ca)), hostname: "db.test")
        tls.clientCertificate = server
        configuration.backends[0] = backend("a", ports: [80], tls: tls)
        configuration.backends[1] = backend("b", ports: [80], tls: tls)
        weak var context: TLSClientContext?
        do {
            let output = compiler.compile(configuration, names: NameAnswers())
            context = output.backends[backendID("a")]?.tls
            #expect(output.backends[backendID("b")]?.tls === context)
        }
        #expect(context != nil)
        configuration.backends[0] = backend("a", ports: [80])
        _ = compiler.compile(configuration, names: NameAnswers())
        #expect(context != nil)
        configuration.backends[1] = backend("b", ports: [80])
        _ = compiler.compile(configuration, names: NameAnswers())
        #expect(context == nil)
    }

    /// `count` names in one listener, each with a route and a backend of its own.
    private func large(_ count: Int) -> EngineConfiguration {
        let names = (0..<count).map { "n\(10_000 + $0)" }
        return EngineConfiguration(
            listeners: [tlsListener("big", port: 1004, routes: names.map { ("\($0).test", route("r\($0)", to: $0)) })],
            backends: names.map { backend($0, ports: [80]) })
    }

    @Test("one changed name among thousands makes one route anew")
    func oneAmongMany() throws {
        var compiler = makeCompiler()
        var configuration = large(2000)
        _ = compiler.compile(configuration, names: NameAnswers())
        let old = try #require(compiler.listeners[key("big", 1004)])
        guard case .tls(var tls) = configuration.listeners[0].traffic else { return }
        tls.routes[700] = .init(hostname: .exact("n10700x.test"), route: route("rn10700", to: "n10701"))
        configuration.listeners[0].traffic = .tls(tls)
        configuration.backends.remove(at: 700)
        let output = compiler.compile(configuration, names: NameAnswers())
        let new = try #require(compiler.listeners[key("big", 1004)])
        #expect(new.route(for: "n10700.test") == nil && old.route(for: "n10700x.test") == nil)
        #expect(new.route(for: "n10700x.test")?.targets.first??.configuration.id.name == "n10701")
        let names = (10_000..<12_000).map { "n\($0).test" }
        #expect(names.count { new.route(for: $0) === old.route(for: $0) } == 1999)
        // The route is the same one under another name: no session of it is left behind.
        #expect(output.changes.count == 1)
        #expect(output.changes[0].left.isEmpty && output.changes[0].arrived.isEmpty)
    }

    @Test("routes that come and go are told, each once, however many names they have")
    func comingAndGoing() throws {
        var compiler = makeCompiler()
        /// Who arrived, and who left.
        func changes(_ routes: [(String, RouteConfiguration)]) -> [[String]] {
            let configuration = EngineConfiguration(
                listeners: [tlsListener("1", port: 1001, routes: routes)], backends: [backend("b", ports: [80])])
            let change = compiler.compile(configuration, names: NameAnswers()).changes.first
            return [change?.arrived ?? [], change?.left ?? []].map { $0.map(\.key.name).sorted() }
        }
        let (one, two) = (route("one", to: "b"), route("two", to: "b"))
        #expect(changes([("a.test", one), ("b.test", one)]) == [["one"], []])
        #expect(changes([("a.test", one)]) == [[], []])
        #expect(changes([("a.test", one), ("c.test", two)]) == [["two"], []])
        #expect(changes([("c.test", two), ("d.test", two)]) == [[], ["one"]])
        #expect(changes([]) == [[], ["two"]])
    }

    @Test("after any sequence of changes the table is the one that a fresh start makes")
    func randomWalk() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        var compiler = makeCompiler()
        var previous = Set<String>()
        for step in 0..<400 {
            let configuration = randomConfiguration(&random)
            let output = compiler.compile(configuration, names: NameAnswers())
            var fresh = makeCompiler()
            let expected = description(of: fresh.compile(configuration, names: NameAnswers()))
            #expect(description(of: output) == expected, "seed \(seed), step \(step)")
            let present = Set(compiler.listeners.keys.map { "\($0.id):\($0.port)" })
            for change in output.changes {
                let state = change.new?.state ?? change.old?.state
                let name = state.map { "\($0.id):\($0.port)" } ?? ""
                #expect(present.contains(name) == (change.new != nil), "seed \(seed), step \(step)")
                #expect(previous.contains(name) == (change.old != nil), "seed \(seed), step \(step)")
            }
            previous = present
        }
    }

    @Test("a walk of small changes to a large table ends in the table that a fresh start makes")
    func smallChanges() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        var compiler = makeCompiler()
        var configuration = large(200)
        for step in 0..<150 {
            guard case .tls(var tls) = configuration.listeners[0].traffic else { return }
            for _ in 0...random.below(3) {
                let place = random.below(tls.routes.count)
                switch random.below(4) {
                case 0: tls.routes.remove(at: place)
                case 1:
                    let name = "m\(step)-\(random.below(1 << 30)).test"
                    let target = "n\(10_000 + random.below(210))"
                    tls.routes.append(.init(hostname: .exact(name), route: route("s\(random.below(9))", to: target)))
                case 2: tls.routes[place].route = route("t\(random.below(9))", to: "n\(10_000 + random.below(200))")
                default: configuration.backends.remove(at: random.below(configuration.backends.count))
                }
            }
            if random.below(3) == 0 {
                let index = random.below(configuration.backends.count)
                let name = configuration.backends[index].id.name
                configuration.backends[index] = backend(name, ports: [80, UInt16(81 + random.below(3))])
            }
            if random.below(3) > 0 { tls.routes.sort { $0.hostname < $1.hostname } }
            configuration.listeners[0].traffic = .tls(tls)
            let output = compiler.compile(configuration, names: NameAnswers())
            var fresh = makeCompiler()
            let expected = fresh.compile(configuration, names: NameAnswers())
            let names = tls.routes.map(\.hostname.description)
            #expect(
                description(of: output, asking: names) == description(of: expected, asking: names),
                "seed \(seed), step \(step)")
            var held = 0
            for runtime in output.bindings.values { runtime.listeners[0].slots.forEach { _, _ in held += 1 } }
            #expect(held == Set(names).count, "seed \(seed), step \(step)")
        }
    }

    private func randomConfiguration(_ random: inout SplitMix) -> EngineConfiguration {
        let backends = (0..<8).filter { _ in random.below(4) > 0 }
            .map { backend("b\($0)", ports: [UInt16(80 + random.below(3))]) }
        func randomRoute() -> RouteConfiguration {
            route(
                "r\(random.below(6))",
                to: (0...random.below(2)).map { _ in ("b\(random.below(8))", 1 + random.below(2)) })
        }
        var listeners: [ListenerConfiguration] = []
        for index in 0..<6 where random.below(4) > 0 {
            if index < 2 {
                listeners.append(
                    tcpListener("l\(index)", port: UInt16(2000 + index), random.below(3) > 0 ? randomRoute() : nil))
                continue
            }
            let names = (0..<5).filter { _ in random.below(3) > 0 }
            listeners.append(
                tlsListener(
                    "l\(index)", port: UInt16(3000 + index / 3), hostname: "*.l\(index).test",
                    routes: names.map { ("n\($0).l\(index).test", randomRoute()) },
                    fallback: random.below(2) > 0 ? randomRoute() : nil))
        }
        return EngineConfiguration(listeners: listeners, backends: backends.sorted { $0.id < $1.id })
    }

    /// Everything that a table does, in words.
    private func description(of output: TableCompiler.Output, asking more: [String] = []) -> [String] {
        func text(_ route: RouteRuntime?) -> String {
            guard let route else { return "none" }
            let targets = route.targets.map { target in
                target.map { "\($0.configuration.id) \($0.endpoints.map { "\($0.address)" })" } ?? "invalid"
            }
            return "\(route.configuration) -> \(targets)"
        }
        var lines = output.backends.map { "\($0.key) \($0.value.configuration.endpoints)" }
        for (binding, runtime) in output.bindings {
            for listener in runtime.listeners {
                let names = (0..<5).map { "n\($0).\(listener.state.id.listener).test" } + more
                let routes = names.map { text(listener.route(for: $0)) }
                lines.append("\(binding) \(listener.state.id) \(routes) \(text(listener.fallback))")
            }
        }
        return lines.sorted()
    }
}

/// A small generator that starts from a seed.
private struct SplitMix {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return Int((value ^ value >> 31) % UInt64(bound))
    }
}
