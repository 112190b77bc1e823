import EngineModel
import Inspection
import KubernetesAPI
import Testing
import Translation

@Suite("Explanation of what runs")
struct ExplanationTests {
    private func link(_ explanation: Explanation, _ object: String) throws -> Explanation.Link {
        try #require(explanation.links.first { $0.object == object }, "\(explanation.links.map(\.object))")
    }

    @Test("a chain without fault is good from the Gateway to each endpoint")
    func good() throws {
        let explanation = try ExplainScene().explanation
        #expect(explanation.isServed)
        #expect(
            explanation.links.map(\.object) == [
                "Gateway infra/edge", "listener infra/edge/redis", "TCPRoute infra/redis", "Service infra/redis:6379",
                "endpoint 10.0.0.1:7000", "endpoint 10.0.0.2:7000",
            ])
        #expect(explanation.links.map(\.depth) == [0, 1, 2, 3, 4, 4])
        #expect(try link(explanation, "listener infra/edge/redis").message == "TCP, bound at *:6380")
        #expect(explanation.values.contains { $0.field == "ClientPolicy.timeout.tcp.idleTimeout" && $0.value == "1h" })
    }

    @Test("one endpoint that fails its check is a warning, and all of them break the chain with the step")
    func health() throws {
        var scene = try ExplainScene(policy: ExplainScene.checked)
        scene.setHealth([nil, "step 3 (expect \"master\"): nothing that fits came in time"])
        let partial = scene.explanation
        #expect(partial.isServed)
        #expect(try link(partial, "endpoint 10.0.0.1:7000").verdict == .good)
        let failing = try link(partial, "endpoint 10.0.0.2:7000")
        #expect(failing.verdict == .warning && failing.message.contains("step 3 (expect \"master\")"))

        scene.setHealth(["step 3 (expect \"master\"): closed", "step 3 (expect \"master\"): closed"])
        let whole = scene.explanation
        #expect(!whole.isServed)
        let backend = try link(whole, "Service infra/redis:6379")
        #expect(backend.cause == "no_healthy_endpoint")
        #expect(
            backend.message
                == "every endpoint of the backend is unhealthy or ejected: none of 2 passes: step 3 (expect \"master\"): closed"
        )
        #expect(backend.advice == Cause.of(.noHealthyEndpoint)?.advice)
    }

    @Test("connections that are turned away are told with their reason, and attempts that all fail break the chain")
    func traffic() throws {
        var scene = try ExplainScene()
        scene.inspected.traffic.listeners[ExplainScene.listener] = ListenerTraffic()
        scene.inspected.traffic.listeners[ExplainScene.listener]?.rejected = [
            .proxyProtocolMissing: 2, .clientClosed: 9,
        ]
        var traffic = BackendTraffic()
        traffic.failed = ["refused": 3]
        scene.inspected.traffic.backends[ExplainScene.backend] = traffic
        let explanation = scene.explanation
        let rejected = explanation.links.filter { $0.cause == "proxy_protocol_missing" }
        #expect(rejected.count == 1 && rejected.first?.verdict == .warning)
        #expect(
            rejected.first?.message
                == "the connection came without the PROXY header that the listener requires: 2 connections since the start"
        )
        #expect(!explanation.links.contains { $0.cause == "client_closed" })
        let backend = try link(explanation, "Service infra/redis:6379")
        #expect(backend.verdict == .broken && backend.cause == "connect_refused")

        traffic.connected = 1
        scene.inspected.traffic.backends[ExplainScene.backend] = traffic
        #expect(scene.explanation.isServed)
    }

    @Test("refusals of the last ten minutes come first, and are told apart from those before")
    func recentRefusals() throws {
        var scene = try ExplainScene()
        let (listener, use) = (
            ExplainScene.listener, TrafficReport.RouteUse(listener: ExplainScene.listener, route: ExplainScene.route)
        )
        scene.inspected.traffic.listeners[listener] = ListenerTraffic()
        scene.inspected.traffic.listeners[listener]?.rejected = [
            .overload: 1, .rateLimited: 4, .authorizationDenied: 12,
        ]
        scene.inspected.traffic.routes[use] = RouteTraffic()
        scene.inspected.traffic.routes[use]?.closed = [.connectRefused: 2]
        scene.inspected.refusals = [
            .listener(listener): [.authorizationDenied: 3, .overload: 1], .route(use): [.connectRefused: 3],
        ]
        let told = scene.explanation.links.compactMap { link in
            link.cause.map { [$0, link.message.split(separator: ": ").last.map(String.init) ?? ""] }
        }
        #expect(
            told == [
                ["authz_denied", "3 connections in the last ten minutes, 12 since the start"],
                ["overload", "1 connection in the last ten minutes, 1 since the start"],
                ["rate_limited", "4 connections since the start, none in the last ten minutes"],
                // Counted a moment after the counts since the start were read.
                ["connect_refused", "3 connections in the last ten minutes, 3 since the start"],
            ])
    }

    @Test("a port that cannot be bound says what holds it")
    func unbound() throws {
        var scene = try ExplainScene()
        let failure = BindFailure(errno: 98, message: "port 6380 is in use by redis-server (pid 812)")
        for binding in scene.inspected.acknowledgement?.bindings.keys.map({ $0 }) ?? [] {
            scene.inspected.acknowledgement?.bindings[binding] = .failed(failure)
        }
        let key = ObjectKey(namespace: "infra", name: "edge")
        let condition = Condition(.programmed, .false, .pending, failure.message)
        scene.inspected.statuses.gateways[key]?.listeners[0].conditions.removeAll { $0.type == .programmed }
        scene.inspected.statuses.gateways[key]?.listeners[0].conditions.append(condition)
        let explanation = scene.explanation
        #expect(!explanation.isServed)
        #expect(try link(explanation, "listener infra/edge/redis").message.hasSuffix(failure.message))
    }

    @Test("names that cannot be looked up break the chain with what the resolver says")
    func names() throws {
        var scene = try ExplainScene()
        scene.inspected.acknowledgement?.unresolved[ExplainScene.backend] = "redis.example.com: no such name"
        let backend = try link(scene.explanation, "Service infra/redis:6379")
        #expect(backend.cause == "dns_error" && backend.message.hasSuffix("redis.example.com: no such name"))
    }

    @Test("what a listener without routes refuses with is said of it")
    func unattached() throws {
        var scene = try ExplainScene()
        scene.inspected.snapshot.tcpRoutes = [:]
        scene.inspected.configuration.listeners[0].traffic = .tcp(nil)
        let explanation = Explanation.of(kind: "gw", namespace: "infra", name: "edge", in: scene.inspected)
        #expect(explanation.links.contains { $0.cause == "no_route" && $0.verdict == .broken })
    }

    @Test("a trace names the endpoints with their health, and what all of them are refused with")
    func trace() throws {
        var scene = try ExplainScene(policy: ExplainScene.checked)
        scene.setHealth([nil, "closed"])
        let answer = TraceAnswer.of(TraceQuestion(port: 6380), in: scene.inspected)
        #expect(answer.refusal == nil)
        #expect(answer.listener == "infra/edge/redis" && answer.route == "TCPRoute infra/redis")
        #expect(answer.backends.map(\.backend) == ["Service infra/redis:6379"])
        #expect(answer.endpoints.map(\.state) == ["healthy", "unhealthy"])
        scene.setHealth(["closed", "closed"])
        #expect(TraceAnswer.of(TraceQuestion(port: 6380), in: scene.inspected).refusal == "no_healthy_endpoint")
        let nobody = TraceAnswer.of(TraceQuestion(port: 1), in: scene.inspected)
        #expect(nobody.listener == nil && nobody.links.first?.message.contains("no listener is served") == true)
    }

    @Test("in a trace a fallback has no share while a backend before it can be used")
    func tiers() throws {
        var scene = try ExplainScene(policy: ExplainScene.checked)
        guard case .tcp(var route?) = scene.inspected.configuration.listeners[0].traffic else { return }
        let spare = BackendID(kind: "Service", namespace: "infra", name: "spare", port: 1)
        scene.inspected.configuration.backends.append(
            BackendConfiguration(id: spare, endpoints: [.init(address: .unix(path: "/spare"))]))
        route.backends = [
            .init(weight: 3, target: .backend(ExplainScene.backend)), .init(weight: 1, target: .invalid),
            .init(weight: 1, target: .backend(spare), isFallback: true),
        ]
        scene.inspected.configuration.listeners[0].traffic = .tcp(route)
        scene.setHealth([nil, nil])
        let first = TraceAnswer.of(TraceQuestion(port: 6380), in: scene.inspected)
        #expect(first.backends.map(\.percent) == [75, 25])
        #expect(first.refusal == nil)
        scene.setHealth(["closed", "closed"])
        let second = TraceAnswer.of(TraceQuestion(port: 6380), in: scene.inspected)
        #expect(second.backends == [.init(backend: "Service infra/spare:1", percent: 100)])
    }
}
