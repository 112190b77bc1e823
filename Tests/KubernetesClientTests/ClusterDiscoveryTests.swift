import HTTPClient
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestSupport
import Testing

private let routes = "tcproutes.gateway.networking.k8s.io"
private let definitions = "customresourcedefinitions.apiextensions.k8s.io"

private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "shop", name: name) }

private func definition(_ name: String, version: String) -> String {
    """
    {"metadata":{"name":"\(name)","annotations":{"gateway.networking.k8s.io/bundle-version":"\(version)",
     "gateway.networking.k8s.io/channel":"standard"}}}
    """
}

@Suite("Cluster source: discovery", .timeLimit(.minutes(1)))
struct ClusterDiscoveryTests {
    @Test("an older version with the same fields is read where v1 is not served", arguments: [true, false])
    func versions(isAggregated: Bool) throws {
        var served = FakeAPIServer.standard
        served[routes] = ["v1alpha2", "v1alpha3"]
        served["gateways.gateway.networking.k8s.io"] = ["v1beta1"]
        served["backendtlspolicies.gateway.networking.k8s.io"] = ["v1alpha2"]
        let server = FakeAPIServer(served: served)
        server.state.withLock { $0.hasAggregatedDiscovery = isAggregated }
        server.put(routes, Fixture.route("a"))
        server.put("gateways.gateway.networking.k8s.io", Fixture.gateway("edge"))
        let cluster = try RunningCluster(server)
        let state = try cluster.wait("objects") { $0.isSynced }
        #expect(state.snapshot.tcpRoutes.count == 1 && state.snapshot.gateways.count == 1)
        #expect(state.observed["TCPRoute", key("a")]?.version == "v1alpha3")
        #expect(state.observed["Gateway", key("edge")]?.version == "v1beta1")
        #expect(server.requests("backendtlspolicies.gateway.networking.k8s.io").isEmpty)
        let line = cluster.log.entries.first { $0.text("kind") == "BackendTLSPolicy" }
        #expect(line?.text("version") == "gateway.networking.k8s.io/v1alpha2", "\(cluster.log.text)")
    }

    @Test("a kind is picked up when its CRD appears, read in a newer version, and dropped when the CRD goes")
    func appearing() throws {
        var served = FakeAPIServer.standard
        served[routes] = nil
        let server = FakeAPIServer(served: served)
        server.put(definitions, definition("gatewayclasses.gateway.networking.k8s.io", version: "v1.4.0"))
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        #expect(first.snapshot.gatewayAPIBundle == GatewayAPIBundle(version: "v1.4.0", channel: "standard"))
        #expect(server.requests(routes).isEmpty)
        server.put(routes, Fixture.route("a"))
        server.put(definitions, definition("tcproutes.gateway.networking.k8s.io", version: "v1.4.0"))
        server.state.withLock { $0.served[routes] = ["v1alpha2"] }
        let second = try cluster.wait("route") { $0.snapshot.tcpRoutes.count == 1 }
        #expect(second.observed["TCPRoute", key("a")]?.version == "v1alpha2")
        server.state.withLock { $0.served[routes] = ["v1alpha2", "v1"] }
        server.put(definitions, definition("tcproutes.gateway.networking.k8s.io", version: "v1.6.1"))
        server.put(definitions, definition("gatewayclasses.gateway.networking.k8s.io", version: "v1.6.1"))
        _ = try cluster.wait("v1") { $0.observed["TCPRoute", key("a")]?.version == "v1" }
        let third = try cluster.wait("v1.6.1") { $0.snapshot.gatewayAPIBundle?.version == "v1.6.1" }
        #expect(third.snapshot.tcpRoutes == second.snapshot.tcpRoutes)
        server.state.withLock { ($0.served[routes], $0.objects[routes]) = (nil, nil) }
        server.delete(definitions, "", "tcproutes.gateway.networking.k8s.io")
        let last = try cluster.wait("no kind") {
            $0.snapshot.tcpRoutes.isEmpty && $0.observed.byKind["TCPRoute"] == [:]
        }
        #expect(last.isSynced && waitUntil { cluster.health.isSynced && cluster.health.problems.isEmpty })
    }

    @Test("where CRDs may not be watched the server is asked again after a while; that is no error")
    func polling() throws {
        var served = FakeAPIServer.standard
        served[routes] = nil
        let server = FakeAPIServer(served: served)
        server.setFault { $0.resource == "customresourcedefinitions" ? .status(403, reason: "Forbidden") : nil }
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        #expect(first.snapshot.gatewayAPIBundle == nil)
        server.state.withLock { $0.served[routes] = ["v1"] }
        server.put(routes, Fixture.route("a"))
        _ = try cluster.wait("route") { $0.snapshot.tcpRoutes.count == 1 }
        #expect(!cluster.log.entries.contains { $0.level == .error })
        #expect(cluster.health.problems.isEmpty)
    }

    @Test("a server that forgets a kind for a moment costs no object; one without it for long does")
    func forgetful() throws {
        let server = FakeAPIServer()
        server.setFault { $0.resource == "customresourcedefinitions" ? .status(403, reason: "Forbidden") : nil }
        server.put(routes, Fixture.route("a"))
        let cluster = try RunningCluster(server, factor: 0.005)
        _ = try cluster.wait("route") { $0.snapshot.tcpRoutes.count == 1 }
        server.state.withLock { $0.served[routes] = nil }
        server.closeWatches()
        _ = try #require(cluster.log.waitForEntry { $0.message.hasPrefix("the server does not name a kind") })
        server.state.withLock { $0.served[routes] = ["v1"] }
        server.put(routes, Fixture.route("b"))
        _ = try cluster.wait("b") { $0.snapshot.tcpRoutes.count == 2 }
        #expect(!cluster.log.entries.contains { $0.message == "kind is no longer watched" })
        server.state.withLock { $0.served[routes] = nil }
        server.closeWatches()
        _ = try cluster.wait("no routes") { $0.snapshot.tcpRoutes.isEmpty }
        #expect(cluster.log.entries.contains { $0.message == "kind is no longer watched" })
    }

    @Test("discovery that fails is repeated; meanwhile nothing is handed over")
    func failing() throws {
        let server = FakeAPIServer()
        server.setFault { $0.path == "/apis" ? .transport(.unreachable) : nil }
        let cluster = try RunningCluster(server)
        #expect(waitUntil { cluster.health.problems.first?.hasPrefix("discovery: ") == true })
        #expect(cluster.count == 0)
        server.setFault(nil)
        _ = try cluster.wait("sync") { $0.isSynced }
    }

    @Test("with namespaces given, only their objects are read, and nothing of cluster scope")
    func namespaces() throws {
        let server = FakeAPIServer()
        server.put(routes, Fixture.route("a"))
        server.put(routes, Fixture.route("b", namespace: "blog"))
        server.put(routes, Fixture.route("c", namespace: "secret"))
        server.put("services.", Fixture.service("db"))
        server.put("services.", Fixture.service("sluice-1", namespace: "sluice-system"))
        server.put("services.", Fixture.service("db", namespace: "secret"))
        let cluster = try RunningCluster(server, namespaces: ["shop", "blog"])
        let first = try cluster.wait("sync") { $0.isSynced }
        #expect(first.snapshot.scope == .namespaces(["blog", "shop"]))
        #expect(first.snapshot.tcpRoutes.keys.map(\.namespace).sorted() == ["blog", "shop"])
        #expect(first.snapshot.services.keys.map(\.namespace).sorted() == ["shop", "sluice-system"])
        cluster.setWatchesNodes(true)
        server.delete(routes, "blog", "b")
        server.compact()
        server.closeWatches()
        let next = try cluster.wait("b gone") { $0.snapshot.tcpRoutes.count == 1 }
        #expect(next.snapshot.tcpRoutes[key("a")] != nil)
        let paths = server.state.withLock { $0.requests.map(\.path) }
        #expect(paths.allSatisfy { $0 == "/apis" || $0.contains("/namespaces/") }, "\(Set(paths))")
    }

    @Test("nodes are read while they are asked for")
    func nodes() throws {
        let server = FakeAPIServer()
        server.put(
            "nodes.",
            """
            {"metadata":{"name":"n1"},"spec":{"podCIDR":"10.0.0.0/24"},
             "status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"}],
                       "conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"x"}]}}
            """)
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        #expect(first.snapshot.nodes.isEmpty)
        cluster.setWatchesNodes(true)
        let next = try cluster.wait("nodes") { !$0.snapshot.nodes.isEmpty }
        #expect(next.snapshot.nodes.values.first?.status?.addresses?.first?.address == "192.0.2.1")
        cluster.setWatchesNodes(false)
        _ = try cluster.wait("no nodes") { $0.snapshot.nodes.isEmpty }
    }
}
