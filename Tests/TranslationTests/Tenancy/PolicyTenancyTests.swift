import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// What the Gateway's owner has set, and what other tenants have, by way of policies.
@Suite("Tenancy: policies")
struct PolicyTenancyTests {
    private typealias Bench = TenancyBench
    private let edge = TenancyBench.gatewayTarget("Gateway", "edge")
    private let shared = TenancyBench.gatewayTarget("Gateway", "edge", "shared")
    private let route = TenancyBench.gatewayTarget("TCPRoute", "db")

    @Test(
        "limits of the Gateway hold whatever a route's policy says, also an older one",
        arguments: [
            "connectionLimit: {value: 100000}", "connectionRateLimit: {connections: 1000000}",
            "bandwidthLimit: {request: {value: 1Ti}, response: {value: 1Ti}}",
            "authorization: {defaultAction: Allow, rules: [{name: all, action: Allow, principal: {clientCIDRs: [0.0.0.0/0, \"::/0\"]}}]}",
        ])
    func limits(_ loose: String) throws {
        let tight =
            "connectionLimit: {value: 10, perSourceIP: {value: 2}}, connectionRateLimit: {connections: 5}, "
            + "bandwidthLimit: {request: {value: 1Mi}, response: {value: 1Mi}}, "
            + "authorization: {defaultAction: Allow, rules: [{name: bad, action: Deny, principal: {clientCIDRs: [192.0.2.0/24]}}]}"
        let alone = try Bench(
            Bench.tcpRoute("blue/db") + Bench.policy("ClientPolicy", "infra/edge", on: edge, tight, created: "09"))
        let bench = try Bench(
            Bench.tcpRoute("blue/db") + Bench.policy("ClientPolicy", "infra/edge", on: edge, tight, created: "09")
                + Bench.policy("ClientPolicy", "blue/loose", on: route, loose, created: "01"))
        #expect(bench.listener("db")?.limits == alone.listener("db")?.limits)
        #expect(alone.listener("db")?.limits.count == 1)
        // Its own comes on top.
        #expect(bench.route("", at: 5432)?.limits.count == 1)
        #expect(bench.says("ClientPolicy", "blue/loose", "Accepted=True Accepted"))
    }

    @Test("a policy is for objects of its own namespace: of others it finds none, and says nothing of them")
    func foreignTargets() throws {
        let closed = "authorization: {rules: []}"
        let targets = [
            Bench.gatewayTarget("Gateway", "edge"), Bench.gatewayTarget("Gateway", "edge", "db"),
            Bench.gatewayTarget("TCPRoute", "red"), Bench.gatewayTarget("ListenerSet", "set"),
        ]
        let scene =
            Bench.tcpRoute("red/red")
            + Bench.listenerSet("red/set", "{name: own, protocol: TCP, port: 5433}")
        let before = try Bench(scene)
        for target in targets {
            let bench = try Bench(scene + Bench.policy("ClientPolicy", "blue/p", on: target, closed, created: "01"))
            #expect(bench.result.configuration == before.result.configuration)
            #expect(bench.says("ClientPolicy", "blue/p", "Accepted=False TargetNotFound"))
        }
        let backend = try Bench(
            scene
                + Bench.policy(
                    "BackendPolicy", "blue/p", on: "group: \"\", kind: Service, name: app",
                    "circuitBreaker: {maxConnections: 1}", created: "01"))
        #expect(backend.result.configuration == before.result.configuration)
    }

    @Test(
        "a ListenerSet on a port of the Gateway takes no policy from it: neither by an older one, nor by having none",
        arguments: [true, false])
    func portOfTheGateway(hasPolicy: Bool) throws {
        let set = Bench.listenerSet(
            "blue/set", "{name: own, protocol: TLS, port: 443, hostname: blue.example.com, tls: {mode: Passthrough}}",
            created: "01")
        let strict =
            "proxyProtocol: {trustedCIDRs: [10.0.0.0/8]}, tcpKeepalive: {idleTime: 30s}, connectionLimit: {value: 5}, "
            + "timeout: {tcp: {connectionInspectionTimeout: 2s}}"
        let own = Bench.policy(
            "ClientPolicy", "blue/p", on: Bench.gatewayTarget("ListenerSet", "set"),
            "tcpKeepalive: {idleTime: 900s}, timeout: {tcp: {connectionInspectionTimeout: 60s}}", created: "01")
        for target in [edge, shared] {
            let platform = Bench.policy("ClientPolicy", "infra/p", on: target, strict, created: "09")
            let alone = try Bench(platform)
            let bench = try Bench(platform + set + (hasPolicy ? own : ""))
            #expect(bench.says("ClientPolicy", "infra/p", "Accepted=True Accepted"))
            #expect(bench.listener("shared") == alone.listener("shared"))
            // On one port there is one answer to what stands before the name.
            #expect(bench.listener("blue/set/own")?.settings == bench.listener("shared")?.settings)
            #expect(bench.says("ClientPolicy", "blue/p", "Accepted=False Conflicted") == hasPolicy)
        }
    }

    @Test("of two tenants on one port the older set decides, and the younger takes nothing from it")
    func portOfTwo() throws {
        func listener(_ name: String) -> String {
            "{name: own, protocol: TLS, port: 9443, hostname: \(name).example.com, tls: {mode: Passthrough}}"
        }
        let policy = Bench.policy(
            "ClientPolicy", "red/p", on: Bench.gatewayTarget("ListenerSet", "set"),
            "startTLS: {protocol: Postgres}, authorization: {defaultAction: Allow}", created: "08")
        let alone = try Bench(Bench.listenerSet("red/set", listener("red")) + policy)
        for theirs in ["", "tcpKeepalive: {idleTime: 5s}", "startTLS: {protocol: Postgres, mode: Optional}"] {
            let own =
                theirs.isEmpty
                ? ""
                : Bench.policy(
                    "ClientPolicy", "blue/p", on: Bench.gatewayTarget("ListenerSet", "set"), theirs, created: "01")
            let bench = try Bench(
                Bench.listenerSet("red/set", listener("red")) + policy + Bench.listenerSet("blue/set", listener("blue"))
                    + own)
            #expect(bench.listener("red/set/own") == alone.listener("red/set/own"), "\(theirs)")
            #expect(bench.says("ClientPolicy", "red/p", "Accepted=True Accepted"), "\(theirs)")
            #expect(bench.says("ClientPolicy", "blue/p", "Accepted=False Conflicted") == !theirs.isEmpty)
            #expect(!bench.everythingSaid(in: "blue").contains { $0.contains("red/p") })
        }
    }

    @Test("whom to believe is not a tenant's to say, and what the Gateway logs is not theirs to silence")
    func proxyAndLog() throws {
        let set = Bench.listenerSet("blue/set", "{name: own, protocol: TCP, port: 5433}")
        let target = Bench.gatewayTarget("ListenerSet", "set")
        let proxy = try Bench(
            set
                + Bench.policy(
                    "ClientPolicy", "blue/p", on: target, "proxyProtocol: {mode: Optional, trustedCIDRs: [0.0.0.0/0]}"))
        #expect(proxy.says("ClientPolicy", "blue/p", "Accepted=False Invalid"))
        #expect(proxy.listener("blue/set/own")?.settings.proxyProtocol == nil)
        #expect(TenancyBench.isClosed(proxy.listener("blue/set/own")?.limits ?? []))
        for spec in ["accessLog: {disabled: true}", "accessLog: {events: [], include: Rejected}"] {
            let bench = try Bench(
                Bench.tcpRoute("blue/db") + set + Bench.policy("ClientPolicy", "blue/set", on: target, spec)
                    + Bench.policy("ClientPolicy", "blue/route", on: route, spec))
            #expect(bench.route("", at: 5432)?.settings.accessLog == AccessLogSettings(), "\(spec)")
            #expect(bench.listener("blue/set/own")?.settings.accessLog == AccessLogSettings(), "\(spec)")
        }
    }

    @Test("timeouts are settings, not limits: a route has the last word on its own, and nobody else's")
    func timeouts() throws {
        let bench = try Bench(
            Bench.tcpRoute("blue/db")
                + Bench.tlsRoute("red/app", hosts: ["red.example.com"])
                + Bench.policy(
                    "ClientPolicy", "infra/edge", on: edge,
                    "timeout: {tcp: {idleTimeout: 60s, maxConnectionDuration: 1h}}")
                + Bench.policy(
                    "ClientPolicy", "blue/db", on: route, "timeout: {tcp: {idleTimeout: 0s, maxConnectionDuration: 0s}}"
                ))
        #expect(bench.route("", at: 5432)?.settings.idleTimeout == nil)
        #expect(bench.route("", at: 5432)?.settings.maxConnectionDuration == nil)
        #expect(bench.route("red.example.com", at: 443)?.settings.idleTimeout == .seconds(60))
        #expect(bench.route("red.example.com", at: 443)?.settings.maxConnectionDuration == .seconds(3600))
    }

    @Test(
        "client certificates that the Gateway demands are demanded of a ListenerSet's clients, and a policy adds to that only"
    )
    func clientCertificates() throws {
        let listener =
            "{name: own, protocol: TLS, port: 9443, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}"
        var snapshot = try Bench(
            Bench.listenerSet("blue/set", listener)
                + Bench.policy(
                    "ClientPolicy", "blue/p", on: Bench.gatewayTarget("ListenerSet", "set"),
                    "tls: {clientValidation: {subjectAltNames: [{type: DNS, value: a.example.com}]}}")
                + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ca, namespace: infra}\ndata: {ca.crt: \"FAKE:CN=C\"}\n"
        ).snapshot
        let authority = ObjectReference(group: "", kind: "ConfigMap", name: "ca")
        let frontend = Gateway.FrontendTLS(validation: .init(caCertificateRefs: [authority]))
        snapshot.gateways[ObjectKey(namespace: "infra", name: "edge")]?.spec.tls = .init(
            frontend: .init(default: frontend))
        guard case .tls(let tls)? = Bench(snapshot).listener("blue/set/own")?.traffic,
            case .terminate(let termination) = tls.mode
        else {
            Issue.record("not terminated")
            return
        }
        #expect(termination.clientValidation?.mode == .validOnly)
        #expect(termination.clientValidation?.trust.count == 1)
        #expect(termination.clientValidation?.requirements.count == 1)
    }

    @Test("what a tenant sets on its way to a shared Service does not change the way of others")
    func sharedService() throws {
        let grant = Bench.grant(
            "red/grant", from: "group: gateway.networking.k8s.io, kind: TLSRoute, namespace: blue",
            to: "group: \"\", kind: Service, name: app")
        let scene =
            Bench.tlsRoute("red/app", hosts: ["red.example.com"]) + grant
            + Bench.tlsRoute("blue/app", hosts: ["blue.example.com"], to: "name: app, namespace: red, port: 80")
        let before = try Bench(scene)
        let bench = try Bench(
            scene
                + Bench.policy(
                    "BackendPolicy", "blue/p", on: Bench.gatewayTarget("TLSRoute", "app"),
                    "retry: {numRetries: 9}, proxyProtocol: {version: V2}, circuitBreaker: {maxConnections: 1}",
                    created: "01"))
        #expect(bench.route("red.example.com", at: 443) == before.route("red.example.com", at: 443))
        let plain = bench.result.configuration.backends.filter { $0.id.variant.isEmpty }
        #expect(plain == before.result.configuration.backends)
        #expect(bench.result.configuration.backends.count == 2)
    }
}
