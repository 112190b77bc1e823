import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// BackendPolicies of several levels, and of one: who holds, which uses of a backend are told apart, and what is said.
@Suite("Levels of BackendPolicies")
struct BackendLevelTests {
    private typealias Bench = BackendBench
    private let edge = BackendBench.target("Gateway", "edge")
    private let listener = BackendBench.target("Gateway", "edge", "plain")
    private let route = BackendBench.target("TCPRoute", "plain")
    private let db = BackendBench.db
    private let port = BackendBench.target("Service", "db", "pg")

    @Test("the most specific value of each field holds: Gateway, listener, route, Service, port")
    func settings() throws {
        let levels = [edge, listener, route, db, port]
        let fields: [(yaml: String, value: (BackendSettings) -> Int)] = [
            ("retry: {numRetries: %}", { $0.retries }),
            ("timeout: {tcp: {connectTimeout: %s}}", { Int($0.connectTimeout.components.seconds) }),
            ("endpointDrainTimeout: %s", { Int($0.endpointDrainTimeout.components.seconds) }),
            ("tcpKeepalive: {probes: %}", { Int($0.keepalive?.probes ?? 0) }),
            ("healthCheck: {panicThreshold: %}", { $0.health.panicThreshold }),
        ]
        // Policy n has the first 5 - n fields: each field's holder is another level.
        let policies = levels.enumerated().map { level, target in
            let own = fields.prefix(levels.count - level).map { $0.yaml.replacing("%", with: "\(level + 1)") }
            return Bench.policy("p\(level)", target, own.joined(separator: ", "))
        }
        let bench = try Bench(policies.joined())
        let settings = try bench.settings()
        #expect(fields.map { $0.value(settings) } == [5, 4, 3, 2, 1])
        #expect(bench.conditions("p0") == ["Accepted=True Accepted", "Programmed=True PartiallyProgrammed"])
        #expect(
            bench.message("p0", .programmed).hasPrefix(
                "connectTimeout → BackendPolicy infra/p1, infra/p3; endpointDrainTimeout → BackendPolicy infra/p1, infra/p2; "
            ),
            "\(bench.message("p0", .programmed))")
        #expect(bench.conditions("p4") == ["Accepted=True Accepted"])
        // Elsewhere the levels that are there hold.
        #expect(try bench.settings(at: "safe").retries == 1)
        #expect(try bench.backend(of: "other").settings.retries == 5)
        #expect(try bench.backend(of: "other").settings.connectTimeout == .seconds(4))
    }

    @Test("listeners of a ListenerSet have the Gateway's policies, the set's and their own")
    func sets() throws {
        let set = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: open, namespace: infra}
            spec:
              {gatewayClassName: sluice, allowedListeners: {namespaces: {from: All}},
               listeners: [{name: l, protocol: TCP, port: 7000}]}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: ListenerSet
            metadata: {name: set, namespace: infra}
            spec: {parentRef: {name: open}, listeners: [{name: more, protocol: TCP, port: 7001}]}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TCPRoute
            metadata: {name: more, namespace: infra}
            spec:
              parentRefs: [{kind: ListenerSet, name: set}]
              rules: [{backendRefs: [{name: db, port: 5432}]}]

            """
        let bench = try Bench(
            set
                + Bench.policy(
                    "a", Bench.target("Gateway", "open"),
                    "retry: {numRetries: 1}, onEndpointRemoved: Close, onEndpointUnhealthy: Close")
                + Bench.policy(
                    "b", Bench.target("ListenerSet", "set"), "retry: {numRetries: 2}, onEndpointRemoved: Drain")
                + Bench.policy("c", Bench.target("ListenerSet", "set", "more"), "retry: {numRetries: 3}"))
        let settings = try bench.backend(at: "infra/set/more", of: "open").settings
        #expect(settings.retries == 3 && settings.onEndpointRemoved == .drain && settings.onEndpointUnhealthy == .close)
        #expect(bench.ancestors("b") == ["open"] && bench.ancestors("c") == ["open"])
    }

    @Test(
        "of a field that is an object the whole object is replaced; verification goes together, tls else field by field"
    )
    func objects() throws {
        let pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        let bench = try Bench(
            Bench.policy(
                "wide", edge,
                "healthCheck: {active: {interval: 9s}, panicThreshold: 50}, tls: {verification: PinOnly, spkiHashes: [\(pin)], "
                    + "serverName: a.example.com, minVersion: \"1.3\"}")
                + Bench.policy(
                    "narrow", Bench.target("Service", "safe"),
                    "healthCheck: {passive: {}}, tls: {verification: CA, alpnProtocols: [h2]}"))
        let backend = try bench.backend(at: "safe")
        #expect(backend.settings.health == HealthChecking(passive: .init()))
        #expect(backend.tls?.trust == .system && backend.tls?.spkiHashes == nil)
        #expect(backend.tls?.hostname == "safe.example.com")
        #expect(backend.tls?.minimumVersion == .v13 && backend.tls?.alpnProtocols == ["h2"])
        #expect(try bench.backend().tls?.trust == .pinsOnly)
    }

    @Test("circuit breakers of all levels, the widest first; the queue of the most specific")
    func circuitBreakers() throws {
        let bench = try Bench(
            Bench.policy("wide", edge, "circuitBreaker: {maxConnections: 100, maxPendingConnections: 7}")
                + Bench.policy(
                    "route", route, "circuitBreaker: {maxConnections: 20, maxPendingConnections: 5, queueTimeout: 1s}")
                + Bench.policy("db", db, "circuitBreaker: {perEndpoint: {maxConnections: 3}}"))
        let backend = try bench.backend()
        #expect(
            backend.circuitBreakers.map(\.id.target) == [
                "Gateway infra/edge", "TCPRoute infra/plain", "Service infra/db",
            ])
        #expect(backend.circuitBreakers.map(\.maximumConnections) == [100, 20, nil])
        #expect(backend.queue == PendingQueue(id: backend.circuitBreakers[1].id, length: 5, timeout: .seconds(1)))
        let elsewhere = try bench.backend(of: "other")
        #expect(elsewhere.circuitBreakers.map(\.id.target) == ["Service infra/db"] && elsewhere.queue == nil)
        // Counts are the Gateway's, whatever the backend is.
        #expect(try bench.backend(at: "safe").circuitBreakers == [backend.circuitBreakers[0]])
    }

    @Test("uses of one backend are told apart where what leads there makes a difference, and nowhere else")
    func variants() throws {
        func variants(_ policies: String) throws -> [String] {
            let bench = try Bench(policies)
            return try [bench.backend(), bench.backend(at: "terminate"), bench.backend(of: "other")].map(\.id.variant)
        }
        #expect(try variants(Bench.policy("a", db, "retry: {numRetries: 1}")) == ["", "", ""])
        #expect(
            try variants(Bench.policy("a", edge, "retry: {numRetries: 1}")) == ["with infra/a", "with infra/a", ""])
        #expect(try variants(Bench.policy("a", edge, "retry: {numRetries: 2}")) == ["", "", ""])
        #expect(
            try variants(
                Bench.policy("a", edge, "retry: {numRetries: 1}") + Bench.policy("b", db, "retry: {numRetries: 5}"))
                == ["", "", ""])
        #expect(
            try variants(
                Bench.policy("a", edge, "retry: {numRetries: 1}, onEndpointRemoved: Close")
                    + Bench.policy("b", route, "retry: {numRetries: 5}"))
                == ["with infra/a, infra/b", "with infra/a", ""])
        #expect(
            try variants(Bench.policy("a", "\(edge), \(route)", "circuitBreaker: {maxConnections: 1}"))
                == [
                    "with infra/a at Gateway infra/edge, infra/a at TCPRoute infra/plain",
                    "with infra/a at Gateway infra/edge",
                    "",
                ])
    }

    @Test("of two policies for one target the older holds; the other is told")
    func sameTarget() throws {
        let bench = try Bench(
            Bench.policy("a", db, "retry: {numRetries: 1}")
                + Bench.policy("b", db, "tls: {minVersion: \"1.3\"}", created: 2)
                + Bench.policy("c", db, "retry: {numRetries: 3}", created: 1))
        #expect(try bench.settings().retries == 3 && bench.backend().tls == nil)
        for loser in ["a", "b"] {
            #expect(bench.conditions(loser) == ["Accepted=False Conflicted"])
            let message = "Service infra/db has the older BackendPolicy infra/c"
            #expect(bench.message(loser) == "\(message) | \(message)", "of both Gateways")
        }
        // A port of it is another target.
        let port = try Bench(
            Bench.policy("a", db, "retry: {numRetries: 1}") + Bench.policy("b", self.port, "retry: {numRetries: 2}"))
        #expect(port.conditions("b") == ["Accepted=True Accepted"])
    }

    @Test("targets that do not exist, cannot be targets, or are nobody's")
    func targets() throws {
        for (target, reason) in [
            (Bench.target("Service", "none"), "TargetNotFound"),
            (Bench.target("Service", "db", "none"), "TargetNotFound"),
            (Bench.target("Gateway", "edge", "none"), "TargetNotFound"),
            (Bench.target("Backend", "none"), "TargetNotFound"),
            (Bench.target("TCPRoute", "none"), "TargetNotFound"),
            ("{group: apps, kind: Deployment, name: db}", "UnsupportedTarget"),
        ] {
            let bench = try Bench(Bench.policy("p", target, "retry: {numRetries: 1}"))
            #expect(bench.conditions("p") == ["Accepted=False \(reason)"], "\(target)")
        }
        let idle = try Bench(Bench.policy("p", Bench.target("Service", "empty"), "retry: {numRetries: 1}"))
        #expect(idle.conditions("p").isEmpty)
        #expect(
            idle.result.notices.map(\.description).contains(
                "BackendPolicy infra/p: has no effect: none of its targets is served"))
    }

    @Test("the status names the Gateways whose traffic is affected, with a listener where that is the target")
    func ancestors() throws {
        let bench = try Bench(
            Bench.policy("db", db, "retry: {numRetries: 1}") + Bench.policy("wide", edge, "retry: {numRetries: 1}")
                + Bench.policy("one", listener, "retry: {numRetries: 1}")
                + Bench.policy("named", Bench.target("Backend", "named"), "retry: {numRetries: 1}")
                + Bench.policy("route", Bench.target("TCPRoute", "other"), "retry: {numRetries: 1}"))
        #expect(bench.ancestors("db") == ["edge", "other"] && bench.ancestors("wide") == ["edge"])
        #expect(bench.ancestors("one") == ["edge/plain"] && bench.ancestors("named") == ["edge"])
        #expect(bench.ancestors("route") == ["other"])
    }

    @Test("targets say which policy is in force, but for Services")
    func affected() throws {
        let bench = try Bench(
            Bench.policy("wide", edge, "retry: {numRetries: 1}")
                + Bench.policy("one", listener, "retry: {numRetries: 1}")
                + Bench.policy("route", route, "tls: {verification: PinOnly}")
                + Bench.policy("named", Bench.target("Backend", "named"), "retry: {numRetries: 1}"))
        let statuses = bench.result.statuses
        func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "infra", name: name) }
        func texts(_ conditions: [Condition]?) -> [String] {
            (conditions ?? []).filter { $0.type == .backendPolicyAffected }.map {
                "\($0.status.rawValue) \($0.message)"
            }
        }
        #expect(texts(statuses.gateways[key("edge")]?.conditions) == ["True BackendPolicy infra/wide"])
        #expect(texts(statuses.gateways[key("edge")]?.listeners.first?.conditions) == ["True BackendPolicy infra/one"])
        #expect(
            texts(statuses.tcpRoutes[key("plain")]?.parents.first?.conditions)
                == ["True BackendPolicy infra/route, which is not accepted: connections to its backends are refused"])
        #expect(texts(statuses.backends[key("named")]?.conditions) == ["True BackendPolicy infra/named"])
    }

    @Test("of more than 16 Gateways the status names 16")
    func manyGateways() throws {
        let gateways = (1...20).map { index in
            """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: g\(index), namespace: infra}
            spec: {gatewayClassName: sluice, listeners: [{name: l, protocol: TCP, port: \(9000 + index)}]}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TCPRoute
            metadata: {name: g\(index), namespace: infra}
            spec: {parentRefs: [{name: g\(index)}], rules: [{backendRefs: [{name: db, port: 5432}]}]}

            """
        }
        let bench = try Bench(gateways.joined() + Bench.policy("p", db, "retry: {numRetries: 1}"))
        #expect(bench.ancestors("p").count == 16)
        #expect(try bench.backend(at: "l", of: "g9").settings.retries == 1)
    }

    @Test("health checks where there is nothing to check")
    func noEndpoint() throws {
        let lead = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TCPRoute
            metadata: {name: lead, namespace: infra}
            spec: {parentRefs: [{name: other}], rules: [{backendRefs: [{name: empty, port: 5432}]}]}

            """
        let bench = try Bench(
            lead + Bench.policy("p", Bench.target("Service", "empty"), "healthCheck: {active: {type: TCP}}"))
        #expect(bench.conditions("p") == ["Accepted=True Accepted", "sluice.dev/Warning=True NoEndpointChecked"])
        #expect(bench.message("p", .warning) == "healthCheck checks nothing: Service infra/empty has no endpoint")
    }
}
