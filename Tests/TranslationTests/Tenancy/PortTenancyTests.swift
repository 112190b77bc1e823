import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Ports and host names of listeners that others have.
@Suite("Tenancy: ports and listeners")
struct PortTenancyTests {
    private typealias Bench = TenancyBench
    private let red =
        "{name: tls, protocol: TLS, port: 443, hostname: red.example.com, tls: {mode: Passthrough}, "
        + "allowedRoutes: {namespaces: {from: All}}}"

    @Test(
        "a ListenerSet takes no host name that the Gateway or an older set has, however it is spelled",
        arguments: ["red.example.com", "RED.example.com", "red.EXAMPLE.com"])
    func hostnames(spelled: String) throws {
        let wanted = "{name: tls, protocol: TLS, port: 443, hostname: \(spelled), tls: {mode: Passthrough}}"
        let bench = try Bench(
            Bench.listenerSet("red/set", red) + Bench.listenerSet("blue/set", wanted)
                + Bench.tlsRoute(
                    "red/app", hosts: ["red.example.com"], parent: "kind: ListenerSet, name: set", section: "tls")
                + Bench.tlsRoute(
                    "blue/app", hosts: ["red.example.com"], parent: "kind: ListenerSet, name: set", section: "tls"))
        #expect(bench.server("red.example.com", at: 443) == "red/app")
        #expect(bench.says("ListenerSet", "blue/set", "Conflicted=True HostnameConflict"))
        #expect(bench.says("ListenerSet", "red/set", "Conflicted=False NoConflicts"))
    }

    @Test(
        "a host name that is no DNS name is refused rather than taken for another's",
        arguments: [
            "red.example.com.", "red.example.com\\u0000", "rеd.example.com", "ｒｅｄ.example.com", "*.*.example.com",
            "red_.example.com", " red.example.com", "*red.example.com", "127.0.0.1",
        ])
    func spellings(_ hostname: String) throws {
        let listener = "{name: tls, protocol: TLS, port: 443, hostname: \"\(hostname)\", tls: {mode: Passthrough}}"
        let bench = try Bench(
            Bench.listenerSet("blue/set", listener) + Bench.tlsRoute("blue/app", hosts: [hostname])
                + Bench.tlsRoute("red/app", hosts: ["red.example.com"]))
        #expect(bench.says("ListenerSet", "blue/set", "Accepted=False UnsupportedValue"))
        #expect(bench.says("TLSRoute", "blue/app", "Accepted=False UnsupportedValue"))
        #expect(bench.server("red.example.com", at: 443) == "red/app")
    }

    @Test(
        "what a ListenerSet is refused keeps nobody else out: a protocol that is not served, a port that it may not open",
        arguments: [
            "{name: web, protocol: HTTP, port: 9443}",
            "{name: web, protocol: HTTPS, port: 9443, hostname: red.example.com}",
            "{name: tcp, protocol: TCP, port: 9443}",
            "{name: tls, protocol: TLS, port: 9443, hostname: red.example.com, "
                + "tls: {mode: Passthrough, options: {sluice.dev/x: \"y\"}}}",
        ])
    func refusedClaims(_ listener: String) throws {
        // Here blue was first.
        let wanted = "{name: tls, protocol: TLS, port: 9443, hostname: red.example.com, tls: {mode: Passthrough}}"
        let bench = try Bench(
            Bench.listenerSet("blue/set", listener, created: "01") + Bench.listenerSet("red/set", wanted, created: "02")
                + Bench.tlsRoute(
                    "red/app", hosts: ["red.example.com"], parent: "kind: ListenerSet, name: set", section: "tls"))
        #expect(bench.server("red.example.com", at: 9443) == "red/app")
        #expect(bench.says("ListenerSet", "red/set", "Conflicted=False NoConflicts"))
        #expect(!bench.says("ListenerSet", "blue/set", "Programmed=Unknown Pending"))
    }

    @Test("a ListenerSet opens no port that the class does not allow its namespace, and none of the process's own")
    func ports() throws {
        let bench = try Bench(
            Bench.listenerSet(
                "blue/set", "{name: ssh, protocol: TCP, port: 22}",
                "{name: wrong, protocol: TLS, port: 5433, tls: {mode: Passthrough}}", created: "01")
                + Bench.listenerSet("blue/other", "{name: fine, protocol: TCP, port: 5433}"))
        #expect(bench.result.configuration.listeners.map(\.port).sorted() == [443, 5432, 5433, 8443])
        #expect(bench.listener("blue/other/fine") != nil)
        #expect(bench.says("ListenerSet", "blue/set", "Accepted=False PortUnavailable"))
    }

    @Test(
        "a route does not reach a ListenerSet of another namespace by way of its Gateway, nor one that takes its own only"
    )
    func routes() throws {
        let closed = "{name: own, protocol: TLS, port: 9443, hostname: red.example.com, tls: {mode: Passthrough}}"
        let bench = try Bench(
            Bench.listenerSet("red/set", closed)
                + Bench.tlsRoute("blue/by-gateway", hosts: ["red.example.com"], section: "own")
                + Bench.tlsRoute(
                    "blue/by-set", hosts: ["red.example.com"], parent: "kind: ListenerSet, name: set, namespace: red",
                    section: "own")
                + Bench.tlsRoute("blue/all", hosts: ["red.example.com"], section: nil))
        #expect(bench.server("red.example.com", at: 9443) == nil)
        #expect(bench.says("TLSRoute", "blue/by-gateway", "Accepted=False NoMatchingParent"))
        #expect(bench.says("TLSRoute", "blue/by-set", "Accepted=False NotAllowedByListeners"))
    }

    @Test("a port of the host stays with the older Gateway, and with the first by name where both are of one second")
    func gateways() throws {
        func gateway(_ namespace: String, _ second: Int) -> String {
            """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: g, namespace: \(namespace), creationTimestamp: "2026-01-03T00:00:0\(second)Z"}
            spec: {gatewayClassName: sluice, listeners: [{name: own, protocol: TCP, port: 5433}]}

            """
        }
        let later = try Bench(gateway("red", 1) + gateway("blue", 2))
        #expect(later.listener("own")?.id.gatewayNamespace == "red")
        #expect(later.says("Gateway", "blue/g", "Accepted=False PortUnavailable"))
        let tied = try Bench(gateway("red", 1) + gateway("blue", 1))
        #expect(tied.listener("own")?.id.gatewayNamespace == "blue")
    }

    @Test("a namespace is the one that it is called, whatever its labels say")
    func labels() throws {
        var snapshot = try Bench(Bench.tlsRoute("blue/app", hosts: ["x.example.com"])).snapshot
        let edge = ObjectKey(namespace: "infra", name: "edge")
        let selector = LabelSelector(matchLabels: ["kubernetes.io/metadata.name": "red"])
        snapshot.gateways[edge]?.spec.listeners[0].allowedRoutes?.namespaces?.from = "Selector"
        snapshot.gateways[edge]?.spec.listeners[0].allowedRoutes?.namespaces?.selector = selector
        let blue = ObjectKey(namespace: "", name: "blue")
        snapshot.namespaces[blue]?.metadata.labels = ["kubernetes.io/metadata.name": "red", "tenant": "red"]
        #expect(Bench(snapshot).server("x.example.com", at: 443) == nil)
        // Another label is whatever somebody writes who may.
        let open = LabelSelector(matchLabels: ["tenant": "red"])
        snapshot.gateways[edge]?.spec.listeners[0].allowedRoutes?.namespaces?.selector = open
        #expect(Bench(snapshot).server("x.example.com", at: 443) == "blue/app")
    }
}
