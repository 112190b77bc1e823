import EngineModel
import FoundationEssentials
import Inspection
import KubernetesAPI
import Primitives
import TestSupport
import Testing
import Translation

/// Manifests in, trees out: `SLUICE_UPDATE_GOLDEN=1 swift test --filter InspectionTests` writes the answers anew; they are to be
/// read before they are committed.
@Suite("Status tree")
struct StatusTreeTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var path: String
        var failed: Set<UInt16> = []
        var testDescription: String { name }
    }

    private static let golden = "Tests/InspectionTests/Golden"
    static let cases = [
        Case(name: "redis", path: "examples/redis"), Case(name: "quickstart", path: "examples/quickstart"),
        Case(name: "tiers", path: "examples/tiers"),
        Case(name: "fleet", path: "\(golden)/fleet.in.yaml", failed: [1883]),
    ]

    @Test("manifests give the expected tree", arguments: cases)
    func matches(golden: Case) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let tree = StatusTree(try StatusManifests(golden.path).inspected(failed: golden.failed))
        let text = String(decoding: try encoder.encode(tree), as: UTF8.self) + "\n"
        let file = StatusManifests.folder + StatusTreeTests.golden + "/\(golden.name).out.json"
        if ProcessInfo.processInfo.environment["SLUICE_UPDATE_GOLDEN"] == "1" {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
        } else {
            #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
        }
    }

    private func fleet() throws -> Inspected {
        try StatusManifests("\(StatusTreeTests.golden)/fleet.in.yaml").inspected(failed: [1883])
    }

    private func fleetTree() throws -> StatusTree { StatusTree(try fleet()) }

    @Test(
        "a gateway has its own listeners and those of its ListenerSets, with where they are bound and what they serve")
    func listeners() throws {
        let tree = try fleetTree()
        #expect(tree.gateways.map(\.name) == ["edge"])
        let gateway = try #require(tree.gateways.first)
        #expect(gateway.listeners.map(\.name) == ["db", "secure", "broken", "apps/team/mqtt"])
        #expect(gateway.listeners.map(\.mode) == ["TCP", "TLS Terminate", "TLS Terminate", "TCP"])
        #expect(gateway.listeners[0].routes == ["TCPRoute apps/db"])
        #expect(gateway.listeners[0].bindings == [BindingNode(address: "*:5432", isBound: true)])
        #expect(gateway.listeners[1].routes == ["TLSRoute apps/web"])
        #expect(gateway.listeners[2].conditions.contains { $0.type == "ResolvedRefs" && $0.isProblem })
        let binding = try #require(gateway.listeners[3].bindings.first)
        #expect(!binding.isBound && binding.problem?.contains("redis-server") == true)
        #expect(gateway.listeners[3].conditions.contains { $0.type == "Programmed" && $0.isProblem })
    }

    @Test("every route is there, with what each of its parents says; one that is not ours says nothing")
    func routes() throws {
        let tree = try fleetTree()
        let routes = Dictionary(tree.routes.map { ($0.name, $0) }) { first, _ in first }
        #expect(tree.routes.map(\.name) == ["db", "late", "lost", "mqtt", "web"])
        let db = try #require(routes["db"])
        #expect(db.parents.map(\.parent) == ["Gateway infra/edge/db"])
        #expect(db.parents[0].conditions.contains { $0.type == "Accepted" && !$0.isProblem })
        #expect(db.backends.map(\.backend) == ["Service apps/db:5432", "Service apps/gone:5432", "Backend apps/spare"])
        #expect(db.backends.map(\.weight) == [3, 1, 1])
        #expect(db.backends.map(\.isResolved) == [true, false, true])
        #expect(db.backends.map(\.isFallback) == [false, false, true])
        let late = try #require(routes["late"])
        #expect(late.parents[0].conditions.contains { $0.type == "sluice.dev/Superseded" && $0.isProblem })
        #expect(routes["mqtt"]?.parents.map(\.parent) == ["ListenerSet apps/team"])
        #expect(routes["lost"]?.parents.map(\.parent) == ["Gateway infra/nowhere"])
        #expect(routes["web"]?.hostnames == ["a.example.com", "b.example.com"])
    }

    @Test("endpoints stand as their checks say; names stand for what the resolver found")
    func backends() throws {
        var inspected = try fleet()
        let id = BackendID(kind: "Service", namespace: "apps", name: "db", port: 5432)
        func report(_ address: String, _ state: EndpointHealthReport.State, _ failure: String?) -> EndpointHealthReport
        {
            EndpointHealthReport(
                address: address, state: state,
                lastCheck: .init(time: 1_700_000_000_000, duration: .milliseconds(2), failure: failure), ejections: 0)
        }
        inspected.health[id] = BackendHealthReport(
            backend: id,
            endpoints: [
                report("10.0.0.1:5432", .healthy, nil), report("10.0.0.2:5432", .unhealthy, "connect: refused"),
            ])
        let spare = BackendID(kind: "Backend", namespace: "apps", name: "spare", port: 0)
        inspected.acknowledgement?.unresolved[spare] = "spare.example.com has no address"
        let tree = StatusTree(inspected)
        let backends = Dictionary(tree.backends.map { ($0.name, $0) }) { first, _ in first }
        #expect(tree.backends.map(\.name) == ["spare", "db", "gone", "web"])
        let db = try #require(backends["db"])
        #expect(db.hasHealthChecks)
        #expect(db.endpoints.map(\.address) == ["10.0.0.1:5432", "10.0.0.2:5432", "10.0.0.3:5432"])
        #expect(db.endpoints.map(\.state) == ["healthy", "unhealthy", "serving"])
        #expect(db.endpoints.map(\.failure) == [nil, "connect: refused", nil])
        #expect(db.endpoints.map(\.zone) == ["a", "b", "b"])
        #expect(db.endpoints[0].checkedAt == 1_700_000_000_000)
        #expect(backends["spare"]?.endpoints.map(\.failure) == ["spare.example.com has no address"])
        #expect(backends["gone"]?.endpoints == [] && backends["web"]?.endpoints == [])
    }

    @Test("policies name their targets and the gateways they hold for; certificates come by the end of their life")
    func policiesAndCertificates() throws {
        let tree = try fleetTree()
        #expect(tree.policies.map(\.name) == ["checks", "idle", "stray"])
        #expect(tree.policies[0].targets == ["Service apps/db"])
        #expect(tree.policies[1].targets == ["Gateway infra/edge/db"])
        #expect(tree.policies[1].ancestors.map(\.parent) == ["Gateway infra/edge/db"])
        #expect(tree.policies[1].ancestors[0].conditions.contains { $0.type == "Accepted" && !$0.isProblem })
        #expect(
            tree.certificates == [
                CertificateNode(
                    object: "Secret infra/edge-tls", usage: "listener", usedBy: ["Gateway infra/edge/secure"],
                    names: ["a.example.com", "b.example.com"], notAfter: 2_000_000)
            ])
        #expect(tree.warnings.contains { $0.contains("GatewayClass somebody-elses is not ours") })
    }

    @Test("traffic stands with what it is of; that of a route is added up over its listeners")
    func traffic() throws {
        var inspected = try fleet()
        let route = RouteID(kind: "TCPRoute", namespace: "apps", name: "db")
        for (name, opened) in [("db", 3), ("old", 2)] {
            let listener = ListenerID(gatewayNamespace: "infra", gateway: "edge", listener: name)
            var counts = ListenerTraffic()
            (counts.accepted, counts.rejected) = (UInt64(opened), [.noRoute: 1])
            inspected.traffic.listeners[listener] = counts
            var traffic = RouteTraffic()
            (traffic.opened, traffic.closed) = (UInt64(opened), [.idleTimeout: 1])
            inspected.traffic.routes[.init(listener: listener, route: route)] = traffic
        }
        let tree = StatusTree(inspected)
        #expect(tree.gateways[0].listeners[0].traffic?.accepted == 3)
        #expect(tree.gateways[0].listeners[0].traffic?.rejected == ["no_route": 1])
        #expect(tree.gateways[0].listeners[1].traffic == nil)
        #expect(tree.routes[0].traffic?.opened == 5 && tree.routes[0].traffic?.closed == ["idle_timeout": 2])
        #expect(tree.routes[1].traffic == nil)
    }

    @Test("conditions say since when they hold, as whoever keeps that says")
    func times() throws {
        let times = ConditionTimes { kind, key, part, conditions in
            conditions.map { condition in
                guard kind == "TCPRoute", key.name == "db", case .parent(let reference) = part else { return nil }
                return reference.sectionName == "db" && condition.type == .accepted ? 42 : nil
            }
        }
        let tree = StatusTree(try fleet(), times: times)
        let db = try #require(tree.routes.first)
        #expect(db.parents[0].conditions.filter { $0.since == 42 }.map(\.type) == ["Accepted"])
        #expect(tree.routes[1].parents[0].conditions.allSatisfy { $0.since == nil })
    }

    @Test("a tree survives JSON")
    func roundTrip() throws {
        let tree = try fleetTree()
        let decoded = try JSONDecoder().decode(StatusTree.self, from: try JSONEncoder().encode(tree))
        #expect(decoded == tree)
    }
}
