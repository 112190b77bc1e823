import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Policies of several levels, and of one: who holds, and what is said of the others.
@Suite("Levels of ClientPolicies")
struct ClientPolicyLevelTests {
    private typealias Bench = PolicyBench
    private let edge = PolicyBench.target("Gateway", "edge")
    private let plain = PolicyBench.target("Gateway", "edge", "plain")
    private let terminate = PolicyBench.target("Gateway", "edge", "terminate")
    private let raw = PolicyBench.target("Gateway", "edge", "raw")
    private let route = PolicyBench.target("TCPRoute", "plain")

    @Test("settings merge field by field, the most specific last")
    func settings() throws {
        let bench = try Bench(
            Bench.policy("wide", edge, "timeout: {tcp: {idleTimeout: 1s, clientIdleTimeout: 1s, firstByteTimeout: 1s}}")
                + Bench.policy("listener", plain, "timeout: {tcp: {clientIdleTimeout: 2s, firstByteTimeout: 2s}}")
                + Bench.policy("route", route, "timeout: {tcp: {firstByteTimeout: 3s}}"))
        let settings = try bench.route(at: "plain").settings
        #expect(settings.idleTimeout == .seconds(1))
        #expect(settings.clientIdleTimeout == .seconds(2))
        #expect(settings.firstByteTimeout == .seconds(3))
        #expect(try bench.route(at: "terminate").settings.firstByteTimeout == .seconds(1))
        #expect(bench.conditions("wide") == ["Accepted=True Accepted", "Programmed=True PartiallyProgrammed"])
        #expect(
            bench.message("wide", .programmed)
                == "clientIdleTimeout → ClientPolicy infra/listener; "
                + "firstByteTimeout → ClientPolicy infra/listener, infra/route")
        #expect(bench.conditions("route") == ["Accepted=True Accepted"])
    }

    @Test("a policy all of whose fields others set is Overridden")
    func overridden() throws {
        let bench = try Bench(
            Bench.policy("wide", edge, "tls: {minVersion: \"1.3\"}")
                + Bench.policy("narrow", terminate, "tls: {minVersion: \"1.2\"}"))
        #expect(bench.conditions("wide") == ["Accepted=True Accepted", "Programmed=False Overridden"])
        #expect(bench.message("wide", .programmed) == "tls.minVersion → ClientPolicy infra/narrow")
        #expect(try bench.termination().minimumVersion == .v12)
    }

    @Test("limits of all levels hold, the widest first")
    func limits() throws {
        let bench = try Bench(
            Bench.policy("route", route, "connectionLimit: {value: 3}")
                + Bench.policy("listener", plain, "connectionLimit: {value: 2}")
                + Bench.policy("wide", edge, "connectionLimit: {value: 1}"))
        #expect(try bench.listener("plain").limits.map(\.connections?.value) == [1, 2])
        #expect(try bench.route(at: "plain").limits.map(\.connections?.value) == [3])
        #expect(try bench.listener("raw").limits.map(\.id.policy) == ["infra/wide"])
        #expect(try bench.listener("plain", of: "other").limits.isEmpty)
    }

    @Test("listeners of a ListenerSet have the Gateway's policies and the set's")
    func sets() throws {
        let bench = try Bench(
            Bench.policy("wide", edge, "connectionLimit: {value: 1}")
                + Bench.policy("set", Bench.target("ListenerSet", "near"), "connectionLimit: {value: 2}")
                + Bench.policy("one", Bench.target("ListenerSet", "near", "near"), "connectionLimit: {value: 3}"))
        #expect(try bench.listener("infra/near/near").limits.map(\.connections?.value) == [1, 2, 3])
        #expect(try bench.listener("raw").limits.map(\.connections?.value) == [1])
    }

    @Test(
        "of two policies for one target the older holds, then the first by name; the other is told, and loosens nothing"
    )
    func sameTarget() throws {
        let bench = try Bench(
            Bench.policy("a", plain, "connectionLimit: {value: 1}")
                + Bench.policy("b", plain, "connectionLimit: {value: 2}", created: 2)
                + Bench.policy("c", plain, "connectionLimit: {value: 3}", created: 1))
        #expect(try bench.listener("plain").limits.map(\.connections?.value) == [3])
        for loser in ["a", "b"] {
            #expect(bench.conditions(loser) == ["Accepted=False Conflicted"])
            #expect(bench.message(loser) == "Gateway infra/edge, listener plain has the older ClientPolicy infra/c")
        }
    }

    @Test("values are shared out by ready pods, rounded up")
    func divide() throws {
        let spec = "connectionLimit: {value: 10, shared: Divide}"
        for (pods, share) in [(1, 10), (3, 4), (10, 1), (50, 1), (0, 10)] {
            let result = try installation(Bench.policy("p", edge, spec), pods: pods)
            #expect(result.configuration.listeners.first?.limits.map(\.connections?.value) == [share])
            let conditions = result.statuses.clientPolicies.values.first?.ancestors.first?.conditions
            #expect(conditions?.contains { $0.reason == .replicasUnknown } == (pods == 0))
        }
        let perPod = try installation(Bench.policy("p", edge, "connectionLimit: {value: 10}"), pods: 3)
        #expect(perPod.configuration.listeners.first?.limits.map(\.connections?.value) == [10])
        let standalone = try Bench(Bench.policy("p", edge, spec))
        #expect(try standalone.listener("plain").limits.map(\.connections?.value) == [10])
        #expect(standalone.conditions("p") == ["Accepted=True Accepted"])
    }

    /// In a cluster, where a Service selects the installation's pods; so many of them are ready, and one is not.
    private func installation(_ policies: String, pods: Int) throws -> TranslationResult {
        let bench = try Bench(policies)
        var (snapshot, options) = (bench.snapshot, bench.options)
        options.standalone = false
        options.installation = .init(namespace: "system", podLabels: ["app": "sluice", "instance": "1"])
        let ofOurs = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: .init(controllerName: options.controllerName))
        snapshot.gatewayClasses[ofOurs.key] = ofOurs
        for name in ["own", "again", "stranger"] {
            var service = Service(metadata: ObjectMeta(name: name, namespace: "system"), spec: .init())
            service.spec.selector = name == "stranger" ? ["app": "other"] : ["app": "sluice"]
            snapshot.services[service.key] = service
            let ready = (0..<(name == "stranger" ? 99 : pods)).map {
                EndpointSlice.Endpoint(addresses: ["10.0.0.\($0)"], conditions: .init(ready: true))
            }
            let metadata = ObjectMeta(
                name: name, namespace: "system", labels: [EndpointSlice.serviceNameLabel: name])
            let slice = EndpointSlice(
                metadata: metadata, addressType: "IPv4",
                endpoints: ready + [.init(addresses: ["10.0.9.9"], conditions: .init(ready: false))], ports: [])
            snapshot.endpointSlices[slice.key] = slice
        }
        return translate(snapshot, options: options)
    }

    /// Two listeners of one owner on one port.
    private let pair = """
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: ListenerSet
        metadata: {name: pair, namespace: infra}
        spec:
          parentRef: {name: edge}
          listeners:
          - {name: one, protocol: TLS, port: 445, hostname: one.example.com, tls: {mode: Passthrough}}
          - {name: two, protocol: TLS, port: 445, hostname: two.example.com, tls: {mode: Passthrough}}

        """
    private let one = PolicyBench.target("ListenerSet", "pair", "one")
    private let two = PolicyBench.target("ListenerSet", "pair", "two")

    @Test("fields of a port: listeners that share one must agree")
    func ports() throws {
        let apart = try Bench(
            pair + Bench.policy("old", one, "tcpKeepalive: {idleTime: 30s}", created: 1)
                + Bench.policy("new", two, "tcpKeepalive: {idleTime: 20s}", created: 2))
        #expect(apart.conditions("new") == ["Accepted=False Conflicted"])
        #expect(apart.message("new").contains("ClientPolicy infra/old says otherwise"))
        // What is left stands alone, and does not hold for all listeners of the port.
        #expect(apart.conditions("old") == ["Accepted=False Conflicted"])
        #expect(try apart.listener("infra/pair/one").settings == apart.listener("infra/pair/two").settings)
        let same = try Bench(
            pair + Bench.policy("old", one, "tcpKeepalive: {idleTime: 30s}")
                + Bench.policy("new", two, "tcpKeepalive: {idleTime: 30s}"))
        #expect(
            same.conditions("old") == ["Accepted=True Accepted"] && same.conditions("new") == same.conditions("old"))
        // What is the default anyway is no difference.
        let own = try Bench(pair + Bench.policy("old", one, "timeout: {tcp: {connectionInspectionTimeout: 10s}}"))
        #expect(own.conditions("old") == ["Accepted=True Accepted"])
    }

    @Test("a port of several owners is the first one's: a ListenerSet has what the Gateway's listener has, or is told")
    func portsOfSeveral() throws {
        let near = Bench.target("ListenerSet", "near")
        let bench = try Bench(
            Bench.policy("young", raw, "tcpKeepalive: {idleTime: 30s}", created: 2)
                + Bench.policy("old", near, "tcpKeepalive: {idleTime: 20s}", created: 1))
        #expect(bench.conditions("young") == ["Accepted=True Accepted"])
        #expect(bench.conditions("old") == ["Accepted=False Conflicted"])
        #expect(
            bench.message("old")
                == "tcpKeepalive: port 444 is shared with listener raw of Gateway infra/edge, for which the ClientPolicy "
                + "infra/young says otherwise")
        #expect(try bench.listener("raw").settings.keepalive?.idleSeconds == 30)
        #expect(try bench.listener("infra/near/near").settings.keepalive?.idleSeconds == 30)
        let alone = try Bench(Bench.policy("p", raw, "proxyProtocol: {trustedCIDRs: [10.0.0.0/8]}"))
        #expect(alone.conditions("p") == ["Accepted=True Accepted"])
        #expect(try alone.listener("raw").settings.proxyProtocol != nil)
        #expect(
            try alone.listener("infra/near/near").settings.proxyProtocol == alone.listener("raw").settings.proxyProtocol
        )
        #expect(try alone.listener("plain").settings.proxyProtocol == nil)
        // Where the Gateway says nothing, a set says nothing for its port either.
        let set = try Bench(Bench.policy("p", near, "timeout: {tcp: {connectionInspectionTimeout: 1s}}"))
        #expect(set.conditions("p") == ["Accepted=False Conflicted"])
        #expect(try set.listener("raw").settings.inspectionTimeout == .seconds(10))
    }

    @Test("a security field that conflicts on a port lets nobody in at its own target only")
    func securityOnPorts() throws {
        let bench = try Bench(pair + Bench.policy("p", one, "proxyProtocol: {trustedCIDRs: [10.0.0.0/8]}"))
        #expect(bench.conditions("p") == ["Accepted=False Conflicted"])
        #expect(try Bench.isClosed(bench.listener("infra/pair/one").limits))
        #expect(try bench.listener("infra/pair/two").limits.isEmpty)
        #expect(try bench.listener("infra/pair/one").settings.proxyProtocol == nil)
    }

    @Test("levels that contradict each other: the wider goes on, the specific one names it")
    func contradiction() throws {
        let bench = try Bench(
            Bench.policy("wide", edge, "tls: {maxVersion: \"1.2\"}", created: 2)
                + Bench.policy("narrow", terminate, "tls: {minVersion: \"1.3\"}", created: 1))
        #expect(bench.conditions("narrow") == ["Accepted=False Invalid"])
        #expect(
            bench.message("narrow")
                == "tls: minVersion must not be greater than maxVersion (with ClientPolicy infra/wide)")
        #expect(bench.conditions("wide") == ["Accepted=True Accepted"])
        let termination = try bench.termination()
        #expect(termination.minimumVersion == .v12 && termination.maximumVersion == .v12)
    }

    @Test("targets say which policy is in force for them")
    func affected() throws {
        let bench = try Bench(
            Bench.policy("wide", edge, "connectionLimit: {value: 1}")
                + Bench.policy("one", plain, "connectionLimit: {value: 1}")
                + Bench.policy("set", Bench.target("ListenerSet", "near"), "connectionLimit: {value: 1}")
                + Bench.policy(
                    "route", route,
                    "authorization: {rules: [{name: r, action: Allow, principal: {serverNames: [a.b]}}]}"))
        let statuses = bench.result.statuses
        func texts(_ conditions: [Condition]?) -> [String] {
            (conditions ?? []).filter { $0.type == .clientPolicyAffected }.map { "\($0.status.rawValue) \($0.message)" }
        }
        let gateway = try #require(statuses.gateways[ObjectKey(namespace: "infra", name: "edge")])
        #expect(texts(gateway.conditions) == ["True ClientPolicy infra/wide"])
        #expect(gateway.listeners.map { texts($0.conditions) } == [["True ClientPolicy infra/one"], [], []])
        let set = statuses.listenerSets[ObjectKey(namespace: "infra", name: "near")]
        #expect(texts(set?.conditions) == ["True ClientPolicy infra/set"])
        let parents = statuses.tcpRoutes[ObjectKey(namespace: "infra", name: "plain")]?.parents
        #expect(
            texts(parents?.first?.conditions)
                == ["True ClientPolicy infra/route, which is not accepted: nobody is let in"])
    }
}
