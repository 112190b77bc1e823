import EngineModel
import Inspection
import Primitives
import Testing

@Suite("Differences of configurations")
struct ConfigurationDifferenceTests {
    private func listener(_ name: String) -> ListenerID {
        ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: name)
    }

    private func backend(_ name: String, endpoints: Int = 1) -> BackendConfiguration {
        BackendConfiguration(
            id: BackendID(kind: "Service", namespace: "infra", name: name, port: 80),
            endpoints: (0..<endpoints).map { .init(address: .ip(SocketAddress(.v4(0x0a00_0001 + UInt32($0)), 80))) })
    }

    private func route(_ name: String, kind: String = "TCPRoute", to backend: String = "a") -> RouteConfiguration {
        let id = BackendID(kind: "Service", namespace: "infra", name: backend, port: 80)
        return RouteConfiguration(
            id: RouteID(kind: kind, namespace: "infra", name: name),
            backends: [.init(weight: 1, target: .backend(id))])
    }

    private func tcp(_ name: String, port: UInt16 = 9000, _ route: RouteConfiguration?) -> ListenerConfiguration {
        ListenerConfiguration(id: listener(name), bindings: [Binding(port: port)], traffic: .tcp(route))
    }

    private func tls(_ names: [String: RouteConfiguration]) -> ListenerConfiguration {
        let routes = names.compactMap { name, route in
            HostnamePattern(name).map { TLSListener.HostnameRoute(hostname: $0, route: route) }
        }
        return ListenerConfiguration(
            id: listener("tls"), bindings: [Binding(port: 443)],
            traffic: .tls(
                TLSListener(
                    hostname: nil, mode: .passthrough, routes: routes.sorted { $0.hostname < $1.hostname })))
    }

    private func differences(_ old: EngineConfiguration, _ new: EngineConfiguration) -> [String] {
        ConfigurationStep.differences(from: old, to: new)
    }

    @Test("what comes and goes is named, listeners before routes before backends")
    func comesAndGoes() {
        let some = EngineConfiguration(
            listeners: [tcp("db", route("db"))], backends: [backend("a", endpoints: 3)])
        #expect(
            differences(EngineConfiguration(), some) == [
                "+ listener infra/edge/db at port 9000", "+ TCPRoute infra/db at infra/edge/db",
                "+ backend Service infra/a:80: 3 endpoints",
            ])
        #expect(
            differences(some, EngineConfiguration()) == [
                "- listener infra/edge/db", "- backend Service infra/a:80",
            ])
        #expect(differences(some, some) == [])
    }

    @Test("of what changed it is said in what")
    func aspects() {
        var old = EngineConfiguration(listeners: [tcp("db", route("db"))], backends: [backend("a"), backend("b")])
        var new = old
        new.listeners = [tcp("db", port: 9001, route("db", to: "b"))]
        new.listeners[0].settings.tlsHandshakeTimeout = .seconds(1)
        new.backends[0] = backend("a", endpoints: 3)
        new.backends[1].settings.connectTimeout = .seconds(1)
        new.backends[1].settings.health.panicThreshold = 50
        #expect(
            differences(old, new) == [
                "~ listener infra/edge/db: port 9001, bound at *:9001, tlsHandshakeTimeout",
                "~ TCPRoute infra/db at infra/edge/db: backends",
                "~ backend Service infra/a:80: 3 endpoints (+2)",
                "~ backend Service infra/b:80: connectTimeout, healthCheck",
            ])
        old = new
        new.listeners = [tcp("db", port: 9001, route("other", to: "b"))]
        new.listeners[0].settings.tlsHandshakeTimeout = .seconds(1)
        #expect(
            differences(old, new) == [
                "- TCPRoute infra/db at infra/edge/db", "+ TCPRoute infra/other at infra/edge/db",
            ])
    }

    @Test("routes by host name say which names they gain and lose")
    func names() {
        let old = EngineConfiguration(
            listeners: [
                tls([
                    "a.test": route("x", kind: "TLSRoute"), "b.test": route("x", kind: "TLSRoute"),
                    "c.test": route("y", kind: "TLSRoute"), "e.test": route("z", kind: "TLSRoute"),
                ])
            ])
        let new = EngineConfiguration(
            listeners: [
                tls([
                    "a.test": route("x", kind: "TLSRoute"), "d.test": route("x", kind: "TLSRoute"),
                    "e.test": route("z", kind: "TLSRoute", to: "b"), "f.test": route("n", kind: "TLSRoute"),
                ])
            ])
        #expect(
            differences(old, new) == [
                "+ TLSRoute infra/n at infra/edge/tls: f.test",
                "~ TLSRoute infra/x at infra/edge/tls: + d.test, - b.test",
                "- TLSRoute infra/y at infra/edge/tls: c.test", "~ TLSRoute infra/z at infra/edge/tls: backends",
            ])
        var change = ConfigurationChange(since: old)
        change.names[listener("tls")] = Set(["d.test", "b.test"].compactMap { HostnamePattern($0) })
        #expect(
            ConfigurationStep.differences(from: old, to: new, change) == [
                "~ TLSRoute infra/x at infra/edge/tls: + d.test, - b.test"
            ])
    }

    @Test("with a known change the same is said, and nothing else is looked at")
    func knownChange() {
        let old = EngineConfiguration(
            listeners: [tcp("db", route("db"))], backends: [backend("a"), backend("b"), backend("c")])
        var new = old
        new.backends = [backend("a", endpoints: 2), backend("b", endpoints: 2)]
        var change = ConfigurationChange(since: old)
        change.backends = [backend("a").id, backend("c").id]
        #expect(
            ConfigurationStep.differences(from: old, to: new, change) == [
                "~ backend Service infra/a:80: 2 endpoints (+1)", "- backend Service infra/c:80",
            ])
    }

    @Test("of many changes the first twenty are told, and how many more there are")
    func many() {
        let backends = (0..<5000).map { backend("b\(10_000 + $0)") }
        let lines = differences(EngineConfiguration(), EngineConfiguration(backends: backends))
        #expect(lines.count == 21)
        #expect(lines.first == "+ backend Service infra/b10000:80: 1 endpoint" && lines.last == "and 4980 more")
    }
}
