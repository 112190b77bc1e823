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
        #expect(zip(new.routes, old.routes).map { $0 === $1 } == [true, false, true])
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
        #expect(Array(new.routes.dropFirst()).elementsEqual(old.routes, by: ===))
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
    private func description(of output: TableCompiler.Output) -> [String] {
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
                let names = (0..<5).map { "n\($0).\(listener.state.id.listener).test" }
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
