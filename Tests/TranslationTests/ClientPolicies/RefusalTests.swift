import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// What is not accepted: why, and what becomes of its target.
@Suite("Refused ClientPolicies")
struct ClientPolicyRefusalTests {
    private typealias Bench = PolicyBench

    /// A policy that is not accepted.
    struct Refusal: CustomTestStringConvertible, Sendable {
        let target: String
        let spec: String
        let conditions: [String]
        let message: String
        /// A listener, and whether it then lets nobody in.
        var listener = "plain"
        let isClosed: Bool
        var testDescription: String { "\(spec) at \(target)" }

        init(
            _ target: String, _ spec: String, _ reason: String, _ message: String, at listener: String = "plain",
            isClosed: Bool, refs: String? = nil
        ) {
            (self.target, self.spec, self.message, self.listener) = (target, spec, message, listener)
            conditions = ["Accepted=False \(reason)"] + [refs.map { "ResolvedRefs=\($0)" }].compactMap { $0 }
            self.isClosed = isClosed
        }
    }

    private static let edge = Bench.target("Gateway", "edge")
    private static let plain = Bench.target("Gateway", "edge", "plain")
    private static let raw = Bench.target("Gateway", "edge", "raw")
    private static let identity = "principal: {clientCertificate: {uris: [\"spiffe://x/*\"]}}"
    private static func rule(_ principal: String) -> String {
        "authorization: {defaultAction: Allow, rules: [{name: r, action: Deny, \(principal)}]}"
    }

    private static let refusals: [Refusal] = [
        Refusal(
            edge, "connectionLimit: {value: 0}", "Invalid", "spec.connectionLimit.value: must be at least 1",
            isClosed: true
        ),
        Refusal(
            edge, "timeout: {tcp: {idleTimeout: soon}}", "Invalid", "spec.timeout.tcp.idleTimeout: ", isClosed: false),
        Refusal(
            edge, "accessLog: {events: [Periodic]}", "Invalid", "spec.accessLog: events Periodic needs interval",
            isClosed: false),
        Refusal(
            Bench.target("TCPRoute", "plain"), "accessLog: {disabled: true}", "Invalid",
            "accessLog.disabled counts on a Gateway and its listeners: what TCPRoute infra/plain says adds",
            isClosed: false),
        Refusal(
            Bench.target("ListenerSet", "near"), "accessLog: {disabled: true}", "Invalid",
            "accessLog.disabled counts on a Gateway and its listeners", isClosed: false),
        Refusal(
            edge, "tls: {ciphers: [ECDHE-RSA-AES128-GCM-SHA256, RC4]}", "Invalid",
            "spec.tls.ciphers: RC4 is no cipher suite of TLS 1.2", isClosed: false),
        Refusal(
            edge, "tls: {ecdhCurves: [K-1]}", "Invalid", "spec.tls.ecdhCurves: K-1 is no known group", isClosed: false),
        Refusal(
            edge, "tls: {signatureAlgorithms: [none]}", "Invalid",
            "spec.tls.signatureAlgorithms: none is no known signature algorithm", isClosed: false),
        Refusal(
            edge, rule("principal: {clientCIDRRefs: [{name: gone, key: a}]}"), "Invalid",
            "authorization rule r: ConfigMap infra/gone does not exist", isClosed: true, refs: "False InvalidRef"),
        Refusal(
            edge, rule("principal: {clientCIDRRefs: [{name: lists, key: gone}]}"), "Invalid",
            "authorization rule r: ConfigMap infra/lists has no gone", isClosed: true, refs: "False InvalidRef"),
        Refusal(
            Bench.target("Gateway", "edge", "terminate"),
            "tls: {clientValidation: {crlRefs: [{name: lists, key: gone}]}}",
            "Invalid", "tls.clientValidation.crlRefs: ConfigMap infra/lists has no gone", at: "terminate",
            isClosed: true,
            refs: "False InvalidRef"),
        Refusal(
            plain, "startTLS: {protocol: Postgres}", "Invalid",
            "startTLS needs a listener of protocol TLS: listener plain is not one", isClosed: true),
        Refusal(
            edge, "startTLS: {protocol: Postgres}", "Invalid",
            "startTLS needs a listener of protocol TLS: listener plain is not one", isClosed: true),
        Refusal(
            raw, "tls: {clientValidation: {spkiHashes: [\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]}}", "Invalid",
            "tls.clientValidation needs a listener that terminates TLS and validates clients", at: "raw", isClosed: true
        ),
        Refusal(
            raw, "tls: {minVersion: \"1.2\"}", "Invalid", "tls needs a listener that terminates TLS", at: "raw",
            isClosed: false),
        Refusal(
            plain, "timeout: {tcp: {connectionInspectionTimeout: 1s}}", "Invalid",
            "connectionInspectionTimeout needs a listener of protocol TLS", isClosed: false),
        Refusal(
            plain, rule(identity), "Invalid",
            "authorization rule r can never match: no listener of Gateway infra/edge, listener plain has client certificates",
            isClosed: true),
        Refusal(
            plain, rule("principal: {serverNames: [a.example.com]}"), "Invalid", "has server names", isClosed: true),
        Refusal(
            Bench.target("Gateway", "edge", "gone"), "connectionLimit: {value: 1}", "TargetNotFound",
            "Gateway infra/edge has no listener gone", isClosed: false),
        Refusal(
            Bench.target("Gateway", "gone"), "connectionLimit: {value: 1}", "TargetNotFound",
            "Gateway infra/gone does not exist", isClosed: false),
        Refusal(
            Bench.target("ListenerSet", "near", "gone"), "connectionLimit: {value: 1}", "TargetNotFound",
            "ListenerSet infra/near has no listener gone", isClosed: false),
        Refusal(
            Bench.target("TLSRoute", "gone"), "connectionLimit: {value: 1}", "TargetNotFound",
            "TLSRoute infra/gone does not exist", isClosed: false),
        Refusal(
            Bench.target("TLSRoute", "gone"), rule("principal: {clientCIDRRefs: [{name: unread, key: a}]}"),
            "TargetNotFound",
            "TLSRoute infra/gone does not exist", isClosed: false),
        Refusal(
            "{group: \"\", kind: Service, name: db}", "connectionLimit: {value: 1}", "UnsupportedTarget",
            "a ClientPolicy cannot target Service of group \"\"", isClosed: false),
    ]

    @Test("it says why, and security fields fail closed", arguments: refusals)
    func refused(refusal: Refusal) throws {
        let bench = try Bench(Bench.policy("p", refusal.target, refusal.spec))
        #expect(bench.conditions("p") == refusal.conditions)
        #expect(bench.message("p").contains(refusal.message), "\(bench.message("p"))")
        #expect(try Bench.isClosed(bench.listener(refusal.listener).limits) == refusal.isClosed)
        #expect(try bench.listener("plain", of: "other").limits.isEmpty)
    }

    @Test("a route's policy is judged by the listeners that take the route")
    func routes() throws {
        let bench = try Bench(
            Bench.policy("plain", Bench.target("TCPRoute", "plain"), Self.rule(Self.identity))
                + Bench.policy("secure", Bench.target("TLSRoute", "secure"), Self.rule(Self.identity)))
        #expect(bench.conditions("plain") == ["Accepted=False Invalid"])
        #expect(try Bench.isClosed(bench.route(at: "plain").limits))
        #expect(bench.conditions("secure") == ["Accepted=True Accepted"])
        #expect(try !Bench.isClosed(bench.route(at: "terminate").limits))
        #expect(try bench.listener("plain").limits.isEmpty)
    }

    @Test("what a listener lacks for now, a CA or a certificate, refuses no policy")
    func unserved() throws {
        let route = Bench.policy("secure", Bench.target("TLSRoute", "secure"), Self.rule(Self.identity))
        let terminate = Bench.target("Gateway", "edge", "terminate")
        let bench = try Bench(route + Bench.policy("listener", terminate, Self.rule(Self.identity)))
        for missing in ["ca", "cert"] {
            var snapshot = bench.snapshot
            let key = ObjectKey(namespace: "infra", name: missing)
            (snapshot.secrets[key], snapshot.configMaps[key]) = (nil, nil)
            let result = translate(snapshot, options: bench.options)
            #expect(!result.configuration.listeners.contains { $0.id.listener == "terminate" })
            for policy in ["secure", "listener"] {
                let status = result.statuses.clientPolicies[ObjectKey(namespace: "infra", name: policy)]
                #expect(status?.ancestors.first?.conditions.map(\.reason) == [.accepted, .programmed], "\(policy)")
            }
        }
    }

    @Test("a rule that cannot match at some listeners is a warning")
    func warnings() throws {
        let bench = try Bench(Bench.policy("p", Self.edge, "proxyProtocol: {}, " + Self.rule(Self.identity)))
        #expect(bench.conditions("p") == ["Accepted=True Accepted", "sluice.dev/Warning=True TrustsAllPeers"])
        let message = bench.message("p", .warning)
        #expect(message.contains("believes every peer"))
        #expect(
            message.contains("authorization rule r cannot match at listener plain, which has no client certificates"))
        #expect(message.contains("at listener far of ListenerSet apps/far"))
        #expect(!message.contains("at listener terminate"))
    }

    @Test("proxyProtocol on a ListenerSet is the business of the Gateway's namespace")
    func believing() throws {
        let policies = Bench.policy("p", Bench.target("ListenerSet", "far"), "proxyProtocol: {}")
            .split(separator: "namespace: infra").joined(separator: "namespace: apps")
        let bench = try Bench(policies)
        #expect(try Bench.isClosed(bench.listener("apps/far/far").limits))
        #expect(try bench.listener("apps/far/far").settings.proxyProtocol == nil)
        let status = bench.result.statuses.clientPolicies[ObjectKey(namespace: "apps", name: "p")]
        #expect(status?.ancestors.first?.ancestorRef.name == "edge")
        #expect(
            status?.ancestors.first?.conditions.first?.message
                == "proxyProtocol on ListenerSet apps/far is accepted only from the namespace of Gateway infra/edge")
    }

    @Test("a listener that others add cannot take a security field from the rest: it alone lets nobody in")
    func addedListeners() throws {
        // Without the plain listener every own listener of the Gateway speaks TLS.
        let input = try Bench(Bench.policy("p", Self.edge, "startTLS: {protocol: Postgres}"))
        var snapshot = input.snapshot
        snapshot.gateways[ObjectKey(namespace: "infra", name: "edge")]?.spec.listeners.removeAll { $0.name == "plain" }
        let result = translate(snapshot, options: input.options)
        let conditions = result.statuses.clientPolicies[ObjectKey(namespace: "infra", name: "p")]?.ancestors.first?
            .conditions
        #expect(conditions?.map(\.reason) == [.accepted, .programmed, .notEnforceable])
        #expect(
            conditions?.last?.message
                == "listener far of ListenerSet apps/far lets nobody in: startTLS cannot be enforced there")
        for listener in result.configuration.listeners where listener.id.gateway == "edge" {
            #expect(Bench.isClosed(listener.limits) == (listener.id.listener == "apps/far/far"), "\(listener.id)")
            #expect((listener.settings.startTLS != nil) == (listener.id.listener != "apps/far/far"))
        }
    }

    @Test("a target that does not exist has an entry of its own beside those that do")
    func someMissing() throws {
        let gone = Bench.target("TCPRoute", "gone")
        let bench = try Bench(
            Bench.policy("p", "\(Self.plain), \(gone)", "connectionLimit: {value: 1}")
                + Bench.policy("q", gone, "connectionLimit: {value: 2}"))
        let statuses = ["p", "q"].map {
            bench.result.statuses.clientPolicies[ObjectKey(namespace: "infra", name: $0)]?.ancestors ?? []
        }
        #expect(statuses.map { $0.map(\.ancestorRef.name) } == [["edge", "gone"], ["gone"]])
        #expect(statuses.joined().map { $0.conditions.first?.reason } == [.accepted, .targetNotFound, .targetNotFound])
        #expect(statuses.first?.last?.ancestorRef.kind == "TCPRoute")
        #expect(try bench.listener("plain").limits.map(\.connections?.value) == [1])
    }

    @Test("a 17th Gateway finds no room in the status: its routes say so")
    func ancestorLimit() throws {
        var more = Bench.policy("p", Bench.target("TCPRoute", "wide"), "connectionLimit: {value: 1}")
        let names = (10..<27).map { "gw\($0)" }
        for name in names {
            more += """
                ---
                apiVersion: gateway.networking.k8s.io/v1
                kind: Gateway
                metadata: {name: \(name), namespace: infra}
                spec: {gatewayClassName: sluice, listeners: [{name: a, protocol: TCP, port: 70\(name.dropFirst(2))}]}

                """
        }
        let parents = names.map { "{name: \($0)}" }.joined(separator: ", ")
        more += """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TCPRoute
            metadata: {name: wide, namespace: infra}
            spec: {parentRefs: [\(parents)], rules: [{backendRefs: [{name: db, port: 5432}]}]}

            """
        let bench = try Bench(more)
        let policy = bench.result.statuses.clientPolicies[ObjectKey(namespace: "infra", name: "p")]
        #expect(policy?.ancestors.map(\.ancestorRef.name) == Array(names.prefix(16)))
        let route = bench.result.statuses.tcpRoutes[ObjectKey(namespace: "infra", name: "wide")]
        let affected = (route?.parents ?? []).flatMap(\.conditions).filter { $0.type == .clientPolicyAffected }
        #expect(affected.map(\.status) == Array(repeating: .true, count: 16) + [.false])
        #expect(affected.last?.reason == .ancestorLimit)
        #expect(try bench.listener("a", of: "gw26").routes.first?.limits.first?.connections?.value == 1)
    }
}
