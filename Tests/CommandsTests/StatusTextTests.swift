import Inspection
import Testing

@testable import Commands

@Suite("Text of a status")
struct StatusTextTests {
    private func condition(_ type: String, _ status: String, _ reason: String, _ message: String = "") -> ConditionNode
    {
        let isProblem = ["Accepted", "Programmed", "ResolvedRefs"].contains(type) == (status == "False")
        return ConditionNode(type: type, status: status, reason: reason, message: message, isProblem: isProblem)
    }

    private var good: [ConditionNode] {
        [condition("Accepted", "True", "Accepted"), condition("Programmed", "True", "Programmed")]
    }

    private func tree() -> StatusTree {
        var tree = StatusTree()
        tree.time = 1_700_000_000_000
        var edge = GatewayNode(namespace: "infra", name: "edge")
        (edge.addresses, edge.conditions) = (["192.0.2.1"], good)
        var db = ListenerNode(name: "db", port: 5432, mode: "TCP")
        (db.conditions, db.routes) = (good, ["TCPRoute apps/db"])
        db.bindings = [BindingNode(address: "*:5432", isBound: true)]
        var traffic = ListenerTrafficNode()
        (traffic.active, traffic.accepted, traffic.rejected) = (2, 10, ["no_route": 3])
        db.traffic = traffic
        var tls = ListenerNode(name: "tls", port: 443, mode: "TLS Terminate")
        tls.hostname = "*.example.com"
        tls.conditions = [
            condition("Accepted", "True", "Accepted"),
            condition("Programmed", "False", "PortUnavailable", "port 443 is in use by nginx (pid 7)"),
        ]
        tls.bindings = [BindingNode(address: "*:443", isBound: false, problem: "port 443 is in use by nginx (pid 7)")]
        edge.listeners = [db, tls]
        tree.gateways = [edge]
        tree.routes = routes()
        tree.backends = backends()
        var policy = PolicyNode(kind: "ClientPolicy", namespace: "infra", name: "stray")
        policy.targets = ["Gateway infra/nobody"]
        tree.policies = [policy]
        tree.certificates = [
            CertificateNode(
                object: "Secret infra/edge-tls", usage: "listener", usedBy: ["Gateway infra/edge/tls"],
                names: ["a.example.com"], notAfter: 1_700_000_000 + 9 * 86_400),
            CertificateNode(
                object: "Secret apps/fine", usage: "listener", usedBy: ["Gateway infra/edge/tls"],
                names: ["b.example.com"], notAfter: 1_700_000_000 + 90 * 86_400),
        ]
        tree.warnings = ["accepting is paused"]
        return tree
    }

    private func routes() -> [RouteNode] {
        var route = RouteNode(kind: "TCPRoute", namespace: "apps", name: "db")
        route.parents = [RouteParentNode(parent: "Gateway infra/edge/db", conditions: good)]
        route.backends = [
            BackendReferenceNode(
                rule: 0, backend: "Service apps/db:5432", weight: 3, isFallback: false, isResolved: true),
            BackendReferenceNode(
                rule: 0, backend: "Service apps/gone:1", weight: 1, isFallback: false, isResolved: false),
        ]
        var counts = RouteTrafficNode()
        (counts.active, counts.opened, counts.requestBytes, counts.responseBytes) = (2, 7, 512, 3 << 20)
        (counts.setups, counts.setupNanoseconds) = (2, 3_000_000)
        route.traffic = counts
        var lost = RouteNode(kind: "TCPRoute", namespace: "apps", name: "lost")
        lost.parents = [RouteParentNode(parent: "Gateway infra/nowhere", conditions: [])]
        return [route, lost]
    }

    private func backends() -> [BackendNode] {
        var backend = BackendNode(kind: "Service", namespace: "apps", name: "db", port: 5432)
        backend.hasHealthChecks = true
        var bad = EndpointNode(address: "10.0.0.2:5432", zone: "b", state: "unhealthy")
        bad.failure = "step 3: expected \"role:master\"\n\u{1b}[2J"
        backend.endpoints = [EndpointNode(address: "10.0.0.1:5432", zone: "a", state: "healthy"), bad]
        return [backend, BackendNode(kind: "Service", namespace: "apps", name: "gone", port: 1)]
    }

    @Test("a line for each object with its mark, and below it what is wrong")
    func text() {
        #expect(
            StatusText(tree()).text == """
                ✓ Gateway infra/edge  192.0.2.1
                  ✓ listener db  TCP :5432
                    ✓ TCPRoute apps/db
                      ! Service apps/db:5432  weight 3  1 of 2 healthy
                        ✗ 10.0.0.2:5432  unhealthy: step 3: expected "role:master"  [2J
                      ✗ Service apps/gone:1  weight 1  cannot be used
                  ✗ listener tls  TLS Terminate :443  *.example.com
                    Programmed=False PortUnavailable: port 443 is in use by nginx (pid 7)

                Routes that no listener serves
                  ! TCPRoute apps/lost  of Gateway infra/nowhere
                    Gateway infra/nowhere is not there, or not ours

                Policies
                  ! ClientPolicy infra/stray  for Gateway infra/nobody
                    holds for nothing that is served

                Certificates
                  ! Secret infra/edge-tls  listener  a.example.com  expires on 2023-11-23, in 9 days
                    used by Gateway infra/edge/tls

                Warnings
                  ! accepting is paused

                1 gateway, 2 listeners, 2 routes, 2 backends: 8 things to look at

                """)
    }

    @Test("wide adds numbers, addresses and every endpoint")
    func wide() {
        let text = StatusText(tree(), isWide: true).text
        for line in [
            "  ✓ listener db  TCP :5432  at *:5432  2 open, 10 accepted, 3 rejected\n",
            "    ✓ TCPRoute apps/db  2 open of 7, 512 B in, 3.0 MiB out, 1.5 ms to set up\n",
            "        ✓ 10.0.0.1:5432  healthy  zone a\n",
            "  ✓ Secret apps/fine  listener  b.example.com  expires on 2024-02-12, in 90 days\n",
        ] { #expect(text.contains(line), "\(line)\(text)") }
    }

    @Test("colours are for terminals")
    func colours() {
        #expect(!StatusText(tree()).text.contains("\u{1b}"))
        let text = StatusText(tree(), colours: true).text
        #expect(text.contains("\u{1b}[32m✓\u{1b}[0m Gateway") && text.contains("\u{1b}[31m✗\u{1b}[0m listener tls"))
    }

    @Test("an empty tree says so")
    func empty() {
        #expect(StatusText(StatusTree()).text == "0 gateways, 0 listeners, 0 routes, 0 backends: nothing is wrong\n")
    }

    @Test("one object is shown with what it leads to and comes from")
    func filters() {
        func kept(_ kind: StatusFilter.Object.Kind, _ namespace: String, _ name: String) -> StatusTree {
            tree().filtered(StatusFilter(object: .init(kind: kind, namespace: namespace, name: name)))
        }
        let route = kept(.tcproute, "apps", "db")
        #expect(route.routes.map(\.name) == ["db"] && route.backends.map(\.name) == ["db", "gone"])
        #expect(route.gateways.flatMap(\.listeners).map(\.name) == ["db"])
        #expect(route.policies == [] && route.certificates == [] && route.warnings == [])
        #expect(kept(.tlsroute, "apps", "db").routes == [])
        let gateway = kept(.gateway, "infra", "edge")
        #expect(gateway.gateways[0].listeners.count == 2 && gateway.routes.map(\.name) == ["db"])
        #expect(gateway.certificates.count == 2)
        #expect(kept(.gateway, "infra", "nowhere").routes.map(\.name) == ["lost"])
        let backend = kept(.service, "apps", "db")
        #expect(backend.backends.map(\.name) == ["db"] && backend.routes.flatMap(\.backends).count == 1)
        #expect(kept(.policy, "infra", "stray").policies.count == 1)
        let lost = kept(.route, "apps", "lost")
        #expect(lost.gateways == [] && lost.routes.map(\.name) == ["lost"])
    }

    @Test("a namespace is shown with what stands above and below its objects")
    func namespaces() {
        let apps = tree().filtered(StatusFilter(namespace: "apps"))
        #expect(apps.gateways.flatMap(\.listeners).map(\.name) == ["db"])
        #expect(apps.routes.count == 2 && apps.backends.count == 2 && apps.policies == [])
        #expect(apps.certificates.map(\.object) == ["Secret apps/fine"])
        let infra = tree().filtered(StatusFilter(namespace: "infra"))
        #expect(infra.gateways.flatMap(\.listeners).count == 2 && infra.routes.map(\.name) == ["db"])
        #expect(infra.policies.count == 1)
        #expect(tree().filtered(StatusFilter(namespace: "none")).gateways == [])
    }
}
