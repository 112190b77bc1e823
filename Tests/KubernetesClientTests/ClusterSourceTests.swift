import HTTPClient
import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import Primitives
import TestSupport
import Testing

private let routes = "tcproutes.gateway.networking.k8s.io"
private let gateways = "gateways.gateway.networking.k8s.io"

private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "shop", name: name) }

@Suite("Cluster source", .timeLimit(.minutes(1)))
struct ClusterSourceTests {
    @Test("the first state has every kind; changes follow", arguments: [true, false])
    func content(streams: Bool) throws {
        let server = FakeAPIServer()
        server.state.withLock { ($0.hasStreamingLists, $0.pageSize) = (streams, 2) }
        for index in 0..<5 { server.put(routes, Fixture.route("r\(index)")) }
        server.put("services.", Fixture.service("db"))
        server.put("namespaces.", #"{"metadata":{"name":"shop","labels":{"tier":"a"}}}"#)
        server.put(
            "endpointslices.discovery.k8s.io",
            """
            {"metadata":{"name":"db-1","namespace":"shop","labels":{"kubernetes.io/service-name":"db"}},
             "addressType":"IPv4","endpoints":[{"addresses":["10.0.0.1"]}],"ports":[{"port":5432}]}
            """)
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("all") { $0.isSynced }
        #expect(first.snapshot.tcpRoutes.count == 5 && first.snapshot.services.count == 1)
        #expect(first.snapshot.endpointSlices.count == 1 && first.snapshot.asOf > 0 && first.snapshot.scope == .cluster)
        #expect(first.snapshot.namespaces[ObjectKey(namespace: "", name: "shop")]?.metadata.labels == ["tier": "a"])
        #expect(cluster.count == 1)
        server.put(routes, Fixture.route("r9"))
        server.delete(routes, "shop", "r0")
        server.put(routes, Fixture.route("r1", port: "6379"))
        let next = try cluster.wait("changes") { $0.snapshot.tcpRoutes[key("r9")] != nil }
        _ = try cluster.wait("deletion") { $0.snapshot.tcpRoutes[key("r0")] == nil }
        let last = try cluster.wait("port") {
            $0.snapshot.tcpRoutes[key("r1")]?.spec.rules[0].backendRefs?[0].port == 6379
        }
        #expect(last.snapshot.tcpRoutes.count == 5 && next.snapshot.services == first.snapshot.services)
    }

    @Test("a change of status alone changes what is observed and not the snapshot")
    func statusOnly() throws {
        let server = FakeAPIServer()
        server.put(routes, Fixture.route("a"))
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("route") { $0.snapshot.tcpRoutes[key("a")] != nil }
        #expect(first.observed["TCPRoute", key("a")]?.status == nil)
        server.put(routes, Fixture.route("a", status: #"{"parents":[{"controllerName":"other"}]}"#))
        let next = try cluster.wait("status") { $0.observed["TCPRoute", key("a")]?.status != nil }
        #expect(next.snapshot == first.snapshot)
        let observed = try #require(next.observed["TCPRoute", key("a")])
        #expect(observed.uid == "uid-a" && observed.generation == 1 && observed.version == "v1")
        #expect(observed.status?["parents"]?.elements?.first?["controllerName"]?.text == "other")
        #expect(observed.resourceVersion != first.observed["TCPRoute", key("a")]?.resourceVersion)
    }

    @Test("an object that does not parse keeps its last good version, and is named; the others go on")
    func unreadable() throws {
        let server = FakeAPIServer()
        server.put(routes, Fixture.route("a"))
        server.put(routes, Fixture.route("never", port: "\"x\""))
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("route") { $0.snapshot.tcpRoutes[key("a")] != nil }
        #expect(first.faults.map(\.key) == [key("never")] && first.snapshot.tcpRoutes.count == 1)
        server.put(routes, Fixture.route("a", port: "{}"))
        server.put(routes, Fixture.route("b"))
        let next = try cluster.wait("b") { $0.snapshot.tcpRoutes[key("b")] != nil && $0.faults.count == 2 }
        #expect(next.snapshot.tcpRoutes[key("a")] == first.snapshot.tcpRoutes[key("a")])
        #expect(next.faults.first?.field == "spec.rules[0].backendRefs[0].port")
        let line = try #require(
            cluster.log.waitForEntry { $0.text("object") == "TCPRoute shop/a" })
        #expect(
            line.text("field") == "spec.rules[0].backendRefs[0].port"
                && line.text("problem") == "must be a whole number")
        server.closeWatches()
        server.compact()
        server.put(routes, Fixture.route("c"))
        let again = try cluster.wait("c") { $0.snapshot.tcpRoutes[key("c")] != nil }
        #expect(again.snapshot.tcpRoutes[key("a")] != nil && again.faults.count == 2)
        server.put(routes, Fixture.route("a", port: "1"))
        server.delete(routes, "shop", "never")
        let good = try cluster.wait("no faults") { $0.faults.isEmpty }
        #expect(good.snapshot.tcpRoutes[key("a")]?.spec.rules[0].backendRefs?[0].port == 1)
    }

    @Test("compaction lists anew while the old content serves; what was deleted meanwhile goes")
    func compaction() throws {
        let server = FakeAPIServer()
        for index in 0..<3 { server.put(routes, Fixture.route("r\(index)")) }
        let cluster = try RunningCluster(server)
        _ = try cluster.wait("routes") { $0.snapshot.tcpRoutes.count == 3 }
        server.setFault { _ in .status(500) }
        server.closeWatches(.failed(TransportError(.interrupted, "cut")))
        server.delete(routes, "shop", "r0")
        server.put(routes, Fixture.route("r7"))
        server.compact()
        let health = waitUntil { cluster.health.resources.contains { $0.name == "tcproutes" && $0.problem != nil } }
        #expect(health && cluster.count == 1)
        server.setFault(nil)
        let next = try cluster.wait("r7") { $0.snapshot.tcpRoutes[key("r7")] != nil }
        #expect(next.snapshot.tcpRoutes.keys.map(\.name).sorted() == ["r1", "r2", "r7"])
        let restarts = waitUntil {
            let resource = cluster.health.resources.first { $0.name == "tcproutes" }
            return resource?.restarts["expired"] == 1 && resource?.problem == nil
        }
        #expect(restarts, "\(cluster.health)")
    }

    @Test("a burst of changes is handed over in few states, and none waits longer than the debounce allows")
    func debounce() throws {
        let server = FakeAPIServer()
        let cluster = try RunningCluster(server) { options in
            (options.quiet, options.longestDelay) = (.milliseconds(10), .milliseconds(50))
        }
        _ = try cluster.wait("sync") { $0.isSynced }
        let begin = MonotonicTime.now()
        for index in 0..<300 { server.put(routes, Fixture.route("r\(index)")) }
        _ = try cluster.wait("routes") { $0.snapshot.tcpRoutes.count == 300 }
        let elapsed = (.now() - begin).wholeMilliseconds
        #expect(cluster.count <= elapsed / 10 + 3, "\(cluster.count) states in \(elapsed) ms")
    }

    @Test("a kind that may not be listed keeps the source unsynced, and the right is named")
    func denied() throws {
        let server = FakeAPIServer()
        server.setFault { request in
            guard request.resource == "referencegrants" else { return nil }
            return .status(403, reason: "Forbidden", message: "cannot list resource referencegrants")
        }
        let cluster = try RunningCluster(server)
        let line = try #require(cluster.log.waitForEntry { $0.message == "a right is missing" })
        #expect(line.text("resource") == "referencegrants" && line.level == .error)
        #expect(line.text("problem") == "may not list: cannot list resource referencegrants")
        #expect(waitUntil { !cluster.health.problems.isEmpty })
        #expect(!cluster.health.isSynced && cluster.count == 0)
        server.setFault(nil)
        _ = try cluster.wait("sync") { $0.isSynced }
        #expect(waitUntil { cluster.health.isSynced && cluster.health.problems.isEmpty })
        var text = PrometheusText()
        text.append(cluster.health)
        #expect(text.text.contains(#"sluice_watch_synced{resource="referencegrants"} 1"#))
        #expect(text.text.contains(#"sluice_watch_restarts_total{resource="gateways",reason="eof"} 0"#))
    }
}

@Suite("Cluster source: Secrets by name", .timeLimit(.minutes(1)))
struct ClusterReferenceTests {
    @Test("only Secrets that are referred to are asked for, and the first state has them")
    func byName() throws {
        let server = FakeAPIServer()
        let pair = try TestPKI.selfSigned(TestCertificateRequest(dnsNames: ["a.example"]))
        server.put("secrets.", Fixture.secret("cert", pair))
        server.put("secrets.", Fixture.secret("other", pair))
        server.put(gateways, Fixture.gateway("edge", secret: "cert"))
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        #expect(cluster.count == 1 && first.snapshot.secrets.keys.sorted() == [key("cert")])
        let entry = try #require(first.snapshot.secrets[key("cert")])
        #expect(entry.type == "kubernetes.io/tls" && entry.metadata.annotations == nil)
        guard case .success(let facts)? = entry.keyPair else { throw TestFailure("\(entry)") }
        #expect(facts.dnsNames == [HostnamePattern("a.example")])
        for request in server.requests("secrets.") {
            #expect(request.path == "/api/v1/namespaces/shop/secrets")
            #expect(request.query.contains { $0 == ("fieldSelector", "metadata.name=cert") })
        }
        server.put(gateways, Fixture.gateway("edge"))
        _ = try cluster.wait("no Secret") { $0.snapshot.secrets.isEmpty }
    }

    @Test("what is no object's name is not asked for, and holds up nothing", arguments: ["a,b", "x=y", "A", ".."])
    func impossibleName(name: String) throws {
        let server = FakeAPIServer()
        server.put(gateways, Fixture.gateway("edge", secret: name))
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        #expect(first.snapshot.gateways.count == 1 && first.snapshot.secrets.isEmpty)
        #expect(server.requests("secrets.").isEmpty)
    }

    @Test("a Secret that becomes bad keeps its last good facts; a good one replaces them")
    func staleFacts() throws {
        let server = FakeAPIServer()
        let pair = try TestPKI.selfSigned(TestCertificateRequest(dnsNames: ["a.example"]))
        let other = try TestPKI.selfSigned(TestCertificateRequest(dnsNames: ["b.example"]))
        server.put("secrets.", Fixture.secret("cert", pair))
        server.put(gateways, Fixture.gateway("edge", secret: "cert"))
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        server.put(
            "secrets.", #"{"metadata":{"name":"cert","namespace":"shop"},"data":{"tls.crt":"eA==","tls.key":"eA=="}}"#)
        let bad = try cluster.wait("reason") { $0.snapshot.secrets[key("cert")]?.staleReason != nil }
        #expect(bad.snapshot.secrets[key("cert")]?.keyPair == first.snapshot.secrets[key("cert")]?.keyPair)
        server.put("secrets.", Fixture.secret("cert", other))
        let good = try cluster.wait("other") {
            if case .success(let facts)? = $0.snapshot.secrets[key("cert")]?.keyPair {
                return facts.dnsNames == [HostnamePattern("b.example")]
            }
            return false
        }
        #expect(good.snapshot.secrets[key("cert")]?.staleReason == nil)
    }

    @Test("a certificate's end is a new state of the same objects")
    func validity() throws {
        let server = FakeAPIServer()
        var request = TestCertificateRequest(dnsNames: ["a.example"])
        request.notAfter = 2
        server.put("secrets.", Fixture.secret("cert", try TestPKI.selfSigned(request)))
        server.put(gateways, Fixture.gateway("edge", secret: "cert"))
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        let end = try #require(first.snapshot.nextValidityChange)
        let next = try cluster.wait("the end") { $0.snapshot.asOf >= end }
        #expect(next.snapshot.secrets == first.snapshot.secrets && cluster.count == 2)
    }

    @Test("a Secret that is absent or not permitted is an answer, said once", arguments: [true, false])
    func absent(isDenied: Bool) throws {
        let server = FakeAPIServer()
        server.put(gateways, Fixture.gateway("edge", secret: "cert"))
        server.setFault { request in
            isDenied && request.resource == "secrets" ? .status(403, reason: "Forbidden") : nil
        }
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("sync") { $0.isSynced }
        #expect(first.snapshot.secrets.isEmpty)
        #expect(first.snapshot.notPermitted.secrets == (isDenied ? [key("cert")] : []))
        server.put(routes, Fixture.route("a"))
        _ = try cluster.wait("route") { $0.snapshot.tcpRoutes.count == 1 }
        #expect(cluster.log.entries.filter { $0.message == "a right is missing" }.count == (isDenied ? 1 : 0))
        #expect(server.requests("secrets.").count <= 8)
        let pair = try TestPKI.selfSigned(TestCertificateRequest(dnsNames: ["a.example"]))
        server.setFault(nil)
        server.put("secrets.", Fixture.secret("cert", pair))
        _ = try cluster.wait("Secret") { $0.snapshot.secrets.count == 1 }
    }

    @Test(
        "more than 100 Secrets of a namespace are watched together where that is permitted", arguments: [true, false])
    func together(isPermitted: Bool) throws {
        let server = FakeAPIServer()
        let names = (0..<101).map { "s\($0)" }
        for name in names + ["unused"] {
            server.put("secrets.", #"{"metadata":{"name":"\#(name)","namespace":"shop"}}"#)
        }
        server.put(gateways, Fixture.gateway("edge", secrets: names))
        server.setFault { request in
            guard request.resource == "secrets", !isPermitted else { return nil }
            return request.query.contains { $0.name == "fieldSelector" } ? nil : .status(403, reason: "Forbidden")
        }
        let cluster = try RunningCluster(server)
        let first = try cluster.wait("Secrets") { $0.snapshot.secrets.count == 101 }
        #expect(first.snapshot.secrets[key("unused")] == nil)
        let single = server.requests("secrets.").filter { $0.query.contains { $0.name == "fieldSelector" } }
        #expect(single.count == (isPermitted ? 0 : 101))
        server.put(gateways, Fixture.gateway("edge", secrets: names + ["unused"]))
        _ = try cluster.wait("one more") { $0.snapshot.secrets.count == 102 }
        let gaps = cluster.all.filter { state in
            let listener = state.snapshot.gateways[key("edge")]?.spec.listeners.first
            return listener?.tls?.certificateRefs?.count == 102 && state.snapshot.secrets.count < 102
        }
        #expect(gaps.isEmpty, "nobody is told of a Secret that is missing only because it was not asked for yet")
        server.put(gateways, Fixture.gateway("edge", secrets: ["s1"]))
        _ = try cluster.wait("one left") { $0.snapshot.secrets.count == 1 }
        server.put("secrets.", #"{"metadata":{"name":"s1","namespace":"shop"},"type":"new"}"#)
        _ = try cluster.wait("a change of it") { $0.snapshot.secrets[key("s1")]?.type == "new" }
    }
}
