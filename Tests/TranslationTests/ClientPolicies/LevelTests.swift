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

    @Test("fields of a port: listeners that share one must agree")
    func ports() throws {
        let near = Bench.target("ListenerSet", "near")
        let apart = try Bench(
            Bench.policy("old", raw, "tcpKeepalive: {idleTime: 30s}", created: 1)
                + Bench.policy("new", near, "tcpKeepalive: {idleTime: 20s}", created: 2))
        #expect(apart.conditions("new") == ["Accepted=False Conflicted"])
        #expect(apart.message("new").contains("ClientPolicy infra/old says otherwise"))
        // What is left stands alone, and does not hold for all listeners of the port.
        #expect(apart.conditions("old") == ["Accepted=False Conflicted"])
        #expect(try apart.listener("raw").settings == apart.listener("infra/near/near").settings)
        let same = try Bench(
            Bench.policy("old", raw, "tcpKeepalive: {idleTime: 30s}")
                + Bench.policy("new", near, "tcpKeepalive: {idleTime: 30s}"))
        #expect(
            same.conditions("old") == ["Accepted=True Accepted"] && same.conditions("new") == same.conditions("old"))
        // What is the default anyway is no difference.
        let own = try Bench(Bench.policy("old", raw, "timeout: {tcp: {connectionInspectionTimeout: 10s}}"))
        #expect(own.conditions("old") == ["Accepted=True Accepted"])
    }

    @Test("a security field that conflicts on a port lets nobody in at its own target only")
    func securityOnPorts() throws {
        let bench = try Bench(Bench.policy("p", raw, "proxyProtocol: {trustedCIDRs: [10.0.0.0/8]}"))
        #expect(bench.conditions("p") == ["Accepted=False Conflicted"])
        #expect(try Bench.isClosed(bench.listener("raw").limits))
        #expect(try bench.listener("infra/near/near").limits.isEmpty)
        #expect(try bench.listener("raw").settings.proxyProtocol == nil)
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
