import FoundationEssentials
import HTTPClient
import KubernetesAPI
import Observability
import Platform
import Primitives
import SnapshotCache
import TestSupport
import Testing

@testable import KubernetesClient

@Suite("the last configuration on disk", .timeLimit(.minutes(1)))
struct ClusterCacheTests {
    private let folder: TemporaryDirectory
    let server = FakeAPIServer()
    static let routes = "tcproutes.gateway.networking.k8s.io"
    private static let gateways = "gateways.gateway.networking.k8s.io"
    /// Seconds of the source's clock that pass in a millisecond: patience is 3 s of it, or 60 ms.
    private static let factor = 0.02

    init() throws {
        folder = try TemporaryDirectory()
        server.put("namespaces.", #"{"metadata":{"name":"shop","uid":"1"}}"#)
        server.put(Self.gateways, Fixture.gateway("edge", secret: "cert"))
        server.put(
            "backendtlspolicies.gateway.networking.k8s.io",
            """
            {"metadata":{"name":"tls","namespace":"shop"},"spec":{"targetRefs":[{"group":"","kind":"Service","name":"db"}],
             "validation":{"hostname":"db","caCertificateRefs":[{"group":"","kind":"ConfigMap","name":"ca"}]}}}
            """)
        server.put("services.", Fixture.service("db"))
        server.put("configmaps.", #"{"metadata":{"name":"ca","namespace":"shop"},"data":{"ca.crt":"x"}}"#)
        server.put(Self.routes, Fixture.route("a", status: #"{"parents":[]}"#))
        server.put(Self.routes, Fixture.route("b"))
    }

    /// The cache as the next process finds it.
    func cache(key: String? = nil) -> SnapshotCache {
        var options = SnapshotCache.Options(
            directory: folder.path + "/cache",
            origin: CachedCluster.Origin(server: "test", namespace: "sluice-system", controllerName: "test"))
        (options.keyFile, options.clockFactor) = (key, Self.factor)
        return SnapshotCache(options, logger: .disabled)
    }

    final class Running {
        let cluster: RunningCluster
        let cache: SnapshotCache

        init(
            _ server: FakeAPIServer, _ cache: SnapshotCache, secrets: Bool = false, namespaces: [String]? = nil,
            factor: Double = ClusterCacheTests.factor
        ) throws {
            let loaded = cache.load()
            try cache.start()
            self.cache = cache
            cluster = try RunningCluster(server, namespaces: namespaces, factor: factor) {
                $0.cache = .init(cache, loaded: loaded, includesSecrets: secrets)
            }
        }

        /// Ends as a process that is told to.
        func end() {
            cluster.stop()
            cache.close()
        }

        deinit { end() }
    }

    private func unreachable() { server.setFault { _ in .transport(.unreachable) } }

    func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "shop", name: name) }

    func names(_ state: ClusterState) -> [String] { state.snapshot.tcpRoutes.keys.map(\.name).sorted() }

    /// A process that reads everything and ends.
    func writeCache(key: String? = nil, secrets: Bool = false) throws -> ClusterState {
        let running = try Running(server, cache(key: key), secrets: secrets)
        let state = try running.cluster.wait("both routes") { names($0) == ["a", "b"] && !$0.isFromCache }
        running.end()
        return state
    }

    @Test("it holds the objects as the server sent them, and no Secret")
    func content() throws {
        server.put("secrets.", Fixture.secret("cert", try TestPKI.makeCA().issue(dnsNames: ["a.test"])))
        _ = try writeCache()
        let cluster = try #require(cache().load())
        let byKind = Dictionary(uniqueKeysWithValues: cluster.kinds.map { ("\($0.plural).\($0.group)", $0) })
        let text = try #require(byKind[Self.routes]?.objects[.init(namespace: "shop", name: "a")])
        let value = try text.withBytes { try JSONDecoder().decode(JSONValue.self, from: Data($0)) }
        #expect(value["metadata"]?["resourceVersion"]?.text?.isEmpty == false)
        #expect(value["spec"]?["rules"] != nil && value["status"] == nil)
        #expect(byKind["configmaps."]?.objects.count == 1)
        #expect(byKind["secrets."]?.objects.isEmpty == true)
        #expect(byKind["clientpolicies.sluice.dev"]?.version == "v1alpha1", "kinds without objects too")
        #expect(abs(cluster.asOf - realtimeNanoseconds() / 1_000_000_000) < 30)
    }

    @Test("a process that reaches no server serves it, says so, and takes over what the server has, all of it at once")
    func restart() throws {
        let before = try writeCache()
        unreachable()
        let running = try Running(server, cache())
        let state = try running.cluster.wait("the cached state") { $0.isFromCache }
        #expect(state.isSynced && state.observed.byKind.isEmpty, "there is nothing to write statuses by")
        func same(_ left: ClusterSnapshot, _ right: ClusterSnapshot) -> Bool {
            var left = left
            (left.asOf, left.unread, left.secrets) = (right.asOf, right.unread, right.secrets)
            return left == right
        }
        #expect(same(state.snapshot, before.snapshot))
        #expect(state.snapshot.unread.secrets == [key("cert")] && state.snapshot.unread.configMaps.isEmpty)
        #expect(running.cluster.health.isSynced && running.cluster.health.cachedAsOf != nil)
        #expect(running.cluster.health.resources.allSatisfy { !$0.isSynced })
        #expect(running.cluster.log.entries.contains { $0.message.hasPrefix("the API server has not answered") })

        server.delete(Self.routes, "shop", "a")
        server.put(Self.routes, Fixture.route("c"))
        let handedOver = running.cluster.count
        server.setFault(nil)
        let live = try running.cluster.wait("the server's state") { !$0.isFromCache }
        #expect(names(live) == ["b", "c"])
        #expect(live.snapshot.unread == ReferencedObjects() && !live.observed.byKind.isEmpty)
        for state in running.cluster.all[handedOver...] {
            #expect(names(state) == (state.isFromCache ? ["a", "b"] : ["b", "c"]), "nothing in between is seen")
        }
        #expect(running.cluster.health.cachedAsOf == nil)
    }

    @Test("a server that takes requests and says nothing holds up neither the cached state nor the end")
    func silence() throws {
        _ = try writeCache()
        server.setFault { _ in .silence }
        let running = try Running(server, cache())
        let state = try running.cluster.wait("the cached state") { $0.isFromCache }
        #expect(state.snapshot.unread.secrets == [key("cert")])
        // Nothing but this wakes the source.
        running.cluster.setWatchesNodes(true)
        #expect(waitUntil(deadline: .seconds(5)) { !server.requests("nodes.").isEmpty }, "it goes on")
        running.end()
    }

    @Test("while the server cannot be reached nothing is written: the file says how old it is")
    func age() throws {
        _ = try writeCache()
        let written = try readFile(folder.path + "/cache/cluster.cache")
        unreachable()
        let running = try Running(server, cache())
        _ = try running.cluster.wait("the cached state") { $0.isFromCache }
        running.end()
        #expect(running.cache.status.written == 0)
        #expect(try readFile(folder.path + "/cache/cluster.cache") == written)
    }

    @Test("a server that answers is never preceded by the cache")
    func reachable() throws {
        _ = try writeCache()
        server.delete(Self.routes, "shop", "a")
        let running = try Running(server, cache())
        _ = try running.cluster.wait("the server's state") { names($0) == ["b"] }
        #expect(running.cluster.all.allSatisfy { !$0.isFromCache && names($0) == ["b"] })
    }

    @Test("Secrets only where they are asked for, and as good as read")
    func secrets() throws {
        server.put("secrets.", Fixture.secret("cert", try TestPKI.makeCA().issue(dnsNames: ["a.test"])))
        let path = try folder.write(Data(repeating: 7, count: 32).base64EncodedString(), to: "key")
        let before = try writeCache(key: path, secrets: true)
        unreachable()
        do {
            let running = try Running(server, cache(key: path), secrets: true)
            let state = try running.cluster.wait("the cached state") { $0.isFromCache }
            guard case .success(let pair)? = state.snapshot.secrets[key("cert")]?.keyPair,
                case .success(let old)? = before.snapshot.secrets[key("cert")]?.keyPair
            else { throw TestFailure("no key pair") }
            #expect(pair.fingerprint == old.fingerprint && state.snapshot.unread == ReferencedObjects())
        }
        // Whoever does not ask for them any more does not get those that are there.
        let running = try Running(server, cache(key: path))
        let state = try running.cluster.wait("the cached state") { $0.isFromCache }
        #expect(state.snapshot.secrets.isEmpty && state.snapshot.unread.secrets == [key("cert")])
    }

    @Test("bytes that cannot be used do not take the place of those that can")
    func lastGood() throws {
        server.put("secrets.", Fixture.secret("cert", try TestPKI.makeCA().issue(dnsNames: ["a.test"])))
        let path = try folder.write(Data(repeating: 7, count: 32).base64EncodedString(), to: "key")
        let running = try Running(server, cache(key: path), secrets: true)
        _ = try running.cluster.wait("the Secret") { $0.snapshot.secrets[key("cert")]?.keyPair != nil }
        server.put(
            "secrets.", #"{"metadata":{"name":"cert","namespace":"shop"},"data":{"tls.crt":"eA==","tls.key":"eA=="}}"#)
        server.put(Self.routes, #"{"metadata":{"name":"a","namespace":"shop"},"spec":{"rules":7}}"#)
        _ = try running.cluster.wait("both faults") {
            $0.snapshot.secrets[key("cert")]?.staleReason != nil && !$0.faults.isEmpty
        }
        running.end()
        unreachable()
        let next = try Running(server, cache(key: path), secrets: true)
        let state = try next.cluster.wait("the cached state") { $0.isFromCache }
        guard case .success? = state.snapshot.secrets[key("cert")]?.keyPair else { throw TestFailure("no key pair") }
        #expect(names(state) == ["a", "b"] && state.faults.isEmpty)
    }

    @Test("where one kind alone is not answered, the others go on after a while, and nothing is written from that")
    func partial() throws {
        _ = try writeCache()
        unreachable()
        let running = try Running(server, cache())
        _ = try running.cluster.wait("the cached state") { $0.isFromCache }
        server.put(Self.routes, Fixture.route("c"))
        server.setFault { $0.resource == "services" ? .status(500) : nil }
        let state = try running.cluster.wait("the new route") { names($0) == ["a", "b", "c"] }
        #expect(state.isFromCache && state.snapshot.services[key("db")] != nil)
        running.end()
        #expect(running.cache.status.written == 0)
    }

    @Test("namespaces that are not watched any more are not served")
    func namespaces() throws {
        server.put(Self.routes, Fixture.route("elsewhere", namespace: "other"))
        let first = try Running(server, cache())
        _ = try first.cluster.wait("all routes") { names($0) == ["a", "b", "elsewhere"] }
        first.end()
        unreachable()
        let running = try Running(server, cache(), namespaces: ["other"])
        let state = try running.cluster.wait("the cached state") { $0.isFromCache }
        #expect(names(state) == ["elsewhere"] && state.snapshot.gateways.isEmpty)
    }

    @Test("a right that is refused at the start does not take away what was served")
    func denied() throws {
        _ = try writeCache()
        server.setFault { $0.resource == "tcproutes" ? .status(403, reason: "Forbidden") : nil }
        let running = try Running(server, cache())
        let state = try running.cluster.wait("the cached state") { $0.isFromCache }
        #expect(names(state) == ["a", "b"])
        #expect(running.cluster.log.entries.contains { $0.message == "a right is missing" })
    }
}
