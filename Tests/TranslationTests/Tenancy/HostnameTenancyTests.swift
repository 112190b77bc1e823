import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Host names within a listener that several namespaces share: the rules are Gateway API's, and what they do not prevent is tested too.
@Suite("Tenancy: host names")
struct HostnameTenancyTests {
    private typealias Bench = TenancyBench

    @Test(
        "a host name stays with the older route, however the younger spells it",
        arguments: ["red.example.com", "RED.Example.COM"])
    func older(spelled: String) throws {
        let bench = try Bench(
            Bench.tlsRoute("red/app", hosts: ["red.example.com"]) + Bench.tlsRoute("blue/app", hosts: [spelled]))
        #expect(bench.server("red.example.com", at: 443) == "red/app")
        #expect(bench.says("TLSRoute", "blue/app", "sluice.dev/Superseded=True OlderRouteServes"))
        #expect(!bench.said("TLSRoute", "red/app").contains { $0.contains("Superseded") })
    }

    @Test("who deletes a route and makes it again is the younger one, and is told; in one second the name decides")
    func recreated() throws {
        let bench = try Bench(
            Bench.tlsRoute("red/app", hosts: ["red.example.com"], created: "03")
                + Bench.tlsRoute("blue/app", hosts: ["red.example.com"], created: "02"))
        #expect(bench.server("red.example.com", at: 443) == "blue/app")
        #expect(bench.says("TLSRoute", "red/app", "sluice.dev/Superseded=True OlderRouteServes"))
        let tied = try Bench(
            Bench.tlsRoute("red/app", hosts: ["red.example.com"], created: "02")
                + Bench.tlsRoute("blue/app", hosts: ["red.example.com"], created: "02"))
        #expect(tied.server("red.example.com", at: 443) == "blue/app")
    }

    @Test("a narrower name goes before an older wildcard, as Gateway API wants it; a listener's own name bounds both")
    func narrower() throws {
        let shared = try Bench(
            Bench.tlsRoute("red/all", hosts: ["*.red.example.com"])
                + Bench.tlsRoute("blue/one", hosts: ["pay.red.example.com"]))
        #expect(shared.server("pay.red.example.com", at: 443) == "blue/one")
        #expect(shared.server("www.red.example.com", at: 443) == "red/all")
        // What the page advises: a listener for each tenant.
        let listener =
            "{name: own, protocol: TLS, port: 443, hostname: \"*.red.example.com\", tls: {mode: Passthrough}}"
        let apart = try Bench(
            Bench.listenerSet("red/set", listener)
                + Bench.tlsRoute(
                    "red/all", hosts: ["*.red.example.com"], parent: "kind: ListenerSet, name: set", section: "own")
                + Bench.tlsRoute("blue/one", hosts: ["pay.red.example.com"], section: nil)
                + Bench.tlsRoute("blue/wide", hosts: ["*.example.com"], section: nil))
        for name in ["pay.red.example.com", "www.red.example.com"] {
            #expect(apart.server(name, at: 443) == "red/all")
        }
    }

    @Test("a route whose name is narrowed by the listener does not go before one that named it")
    func intersection() throws {
        let listener =
            "{name: own, protocol: TLS, port: 443, hostname: app.example.com, tls: {mode: Passthrough}, "
            + "allowedRoutes: {namespaces: {from: All}}}"
        let set = "kind: ListenerSet, name: set, namespace: red"
        let bench = try Bench(
            Bench.listenerSet("red/set", listener)
                + Bench.tlsRoute("red/app", hosts: ["app.example.com"], parent: set, section: "own", created: "02")
                + Bench.tlsRoute("blue/app", hosts: ["*.example.com"], parent: set, section: "own", created: "01"))
        #expect(bench.server("app.example.com", at: 443) == "red/app")
        #expect(bench.says("TLSRoute", "blue/app", "sluice.dev/Superseded=True NarrowerRouteServes"))
    }

    @Test(
        "clients without a name, and names that nobody has, go to no tenant's wildcard; a TCPRoute needs a listener that takes it"
    )
    func withoutName() throws {
        let bench = try Bench(
            Bench.tlsRoute("blue/wide", hosts: ["*.example.com"])
                + Bench.tlsRoute("blue/secret", hosts: ["*.example.com"], section: "secret")
                + Bench.tcpRoute("blue/all", section: "secret"))
        #expect(bench.server("", at: 443) == nil)
        #expect(bench.server("example.com", at: 443) == nil)
        // `secret` lists its kinds: nobody has what is left over there, which comes decrypted.
        #expect(bench.server("", at: 8443) == nil)
        #expect(bench.server("other.org", at: 8443) == nil)
        #expect(bench.says("TCPRoute", "blue/all", "Accepted=False NotAllowedByListeners"))
        // Where kinds are not listed, what nobody names is taken by who asks for it first: the page says so.
        let open = try Bench(
            Bench.tcpRoute("blue/all", section: "shared") + Bench.tcpRoute("red/all", section: "shared"))
        #expect(open.server("", at: 443) == "red/all")
        #expect(open.server("other.org", at: 443) == "red/all")
    }

    @Test("a plain port is the oldest route's, and the others get nothing of it")
    func plain() throws {
        let bench = try Bench(Bench.tcpRoute("red/db") + Bench.tcpRoute("blue/db"))
        #expect(bench.server("", at: 5432) == "red/db")
        #expect(bench.endpoints(bench.route("", at: 5432)) == ["10.0.1.1:8080"])
        #expect(bench.result.configuration.backends.map(\.id.namespace) == ["red"])
    }

    @Test("one with thousands of routes changes nothing for the others, and no status grows with them")
    func crowd() throws {
        let few = try Bench(Bench.tlsRoute("red/app", hosts: ["red.example.com"]) + Bench.tcpRoute("red/db"))
        var snapshot = few.snapshot
        let route = TLSRoute(
            metadata: ObjectMeta(name: "", namespace: "blue"),
            spec: .init(
                parentRefs: snapshot.tlsRoutes.values.first?.spec.parentRefs, hostnames: [],
                rules: [.init(backendRefs: [.init(name: "own", port: 80)])]))
        for number in 0..<3000 {
            var route = route
            route.metadata.name = "r\(number)"
            route.spec.hostnames = ["red.example.com", "*.com"] + (0..<14).map { "a\($0).b\(number).example.com" }
            snapshot.tlsRoutes[route.key] = route
        }
        let many = Bench(snapshot)
        #expect(many.server("a1.b7.example.com", at: 443) == "blue/r7")
        #expect(many.route("red.example.com", at: 443) == few.route("red.example.com", at: 443))
        #expect(many.listener("db") == few.listener("db"))
        #expect(many.said("Gateway", "infra/edge") == few.said("Gateway", "infra/edge"))
        #expect(many.said("TLSRoute", "red/app") == few.said("TLSRoute", "red/app"))
        #expect(many.said("TLSRoute", "blue/r2999").allSatisfy { $0.utf8.count < 1000 })
    }
}
