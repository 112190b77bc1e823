import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// What Services and EndpointSlices say of zones, nodes and sessions, without a policy.
@Suite("Zones and sessions of Services")
struct TopologyTests {
    private typealias Bench = BackendBench

    /// Endpoints 10.0.0.1, 10.0.0.2, … of Service `db` as they are given; what becomes of them for us in zone `z1` on node `n1`.
    private func preferences(
        _ endpoints: [EndpointSlice.Endpoint], distribution: String? = nil, policy: String = "", zone: String? = "z1",
        node: String? = "n1"
    ) throws -> [UInt8] {
        let bench = try Bench(policy)
        var (snapshot, options) = (bench.snapshot, bench.options)
        (options.zone, options.node) = (zone, node)
        let key = ObjectKey(namespace: "infra", name: "db")
        snapshot.services[key]?.spec.trafficDistribution = distribution
        snapshot.endpointSlices[key]?.endpoints = endpoints.enumerated().map { index, endpoint in
            var endpoint = endpoint
            endpoint.addresses = ["10.0.0.\(index + 1)"]
            return endpoint
        }
        let backends = translate(snapshot, options: options).configuration.backends
        return backends.first { $0.id.name == "db" }?.endpoints.map(\.preference) ?? []
    }

    private func endpoint(
        zones: [String]? = nil, nodes: [String]? = nil, in zone: String? = nil, on node: String? = nil,
        ready: Bool = true
    ) -> EndpointSlice.Endpoint {
        let hints = EndpointSlice.Hints(
            forZones: zones?.map { .init(name: $0) }, forNodes: nodes?.map { .init(name: $0) })
        return .init(
            addresses: [], conditions: .init(ready: ready, serving: true, terminating: !ready), zone: zone,
            nodeName: node,
            hints: zones == nil && nodes == nil ? nil : hints)
    }

    @Test("hints of zones: those for ours first")
    func zones() throws {
        #expect(try preferences([endpoint(zones: ["z1"]), endpoint(zones: ["z2"])]) == [0, 1])
        #expect(try preferences([endpoint(zones: ["z2", "z1"]), endpoint(zones: ["z2"])]) == [0, 1])
    }

    @Test("hints count only where every ready endpoint has them and one is for us")
    func unusableHints() throws {
        #expect(try preferences([endpoint(zones: ["z1"]), endpoint()]) == [0, 0])
        #expect(try preferences([endpoint(zones: ["z3"]), endpoint(zones: ["z2"])]) == [0, 0])
        #expect(try preferences([endpoint(zones: ["z1"]), endpoint(zones: ["z2"])], zone: nil) == [0, 0])
        // One that is not ready is none.
        #expect(try preferences([endpoint(zones: ["z1"]), endpoint(zones: ["z2"]), endpoint(ready: false)]) == [0, 1])
        #expect(try preferences([endpoint(zones: ["z2"], ready: false)]) == [0])
    }

    @Test("hints of nodes go before those of zones")
    func nodes() throws {
        let all = [
            endpoint(zones: ["z1"], nodes: ["n1"]), endpoint(zones: ["z1"], nodes: ["n2"]),
            endpoint(zones: ["z2"], nodes: ["n3"]),
        ]
        #expect(try preferences(all) == [0, 1, 2])
        #expect(try preferences(all, node: "n9") == [0, 0, 1])
        #expect(try preferences(all, zone: nil) == [0, 1, 1])
    }

    @Test("trafficDistribution without hints: where endpoints are")
    func distribution() throws {
        let all = [
            endpoint(in: "z2", on: "n2"), endpoint(in: "z1", on: "n1"), endpoint(in: "z1", on: "n3"), endpoint(),
        ]
        #expect(try preferences(all) == [0, 0, 0, 0])
        #expect(try preferences(all, distribution: "PreferClose") == [1, 0, 0, 1])
        #expect(try preferences(all, distribution: "PreferSameZone") == [1, 0, 0, 1])
        #expect(try preferences(all, distribution: "PreferSameNode") == [2, 0, 1, 2])
        #expect(try preferences(all, distribution: "PreferClose", zone: "z9", node: nil) == [0, 0, 0, 0])
        // Hints that are there go before.
        #expect(
            try preferences(
                [endpoint(zones: ["z1"], in: "z2"), endpoint(zones: ["z2"], in: "z1")], distribution: "PreferClose")
                == [0, 1])
    }

    @Test("zoneAware takes the place of hints")
    func zoneAware() throws {
        let policy = Bench.policy("p", Bench.db, "loadBalancer: {zoneAware: {preferLocal: {}}}")
        #expect(try preferences([endpoint(zones: ["z1"]), endpoint(zones: ["z2"])], policy: policy) == [0, 0])
        let bench = try Bench(policy, zone: "z2")
        #expect(try bench.backend().endpoints.map(\.zone) == ["z1", "z2"])
        // As when endpoints change.
        let translator = Translator(options: bench.options)
        var snapshot = bench.snapshot
        _ = translator.translate(snapshot)
        let hinted = [endpoint(zones: ["z1"]), endpoint(zones: ["z2"])].enumerated().map { index, endpoint in
            var endpoint = endpoint
            endpoint.addresses = ["10.0.0.\(index)"]
            return endpoint
        }
        snapshot.endpointSlices[ObjectKey(namespace: "infra", name: "db")]?.endpoints = hinted
        let result = translator.translate(snapshot)
        #expect(translator.counts.carriedOn == 1)
        #expect(result.configuration == translate(snapshot, options: bench.options).configuration)
    }

    @Test("the zone of our node, as endpoints of the installation's own Services tell")
    func ownZone() throws {
        let bench = try Bench(Bench.policy("p", Bench.db, "loadBalancer: {zoneAware: {preferLocal: {}}}"))
        var (snapshot, options) = (bench.snapshot, bench.options)
        options.standalone = false
        options.node = "n1"
        options.installation = .init(namespace: "system", podLabels: ["app": "sluice"])
        let ofOurs = GatewayClass(
            metadata: ObjectMeta(name: "sluice"), spec: .init(controllerName: options.controllerName))
        snapshot.gatewayClasses[ofOurs.key] = ofOurs
        var service = Service(metadata: ObjectMeta(name: "own", namespace: "system"), spec: .init())
        service.spec.selector = ["app": "sluice"]
        snapshot.services[service.key] = service
        let label = [EndpointSlice.serviceNameLabel: "own"]
        func slice(_ zone: String) -> EndpointSlice {
            EndpointSlice(
                metadata: ObjectMeta(name: "own", namespace: "system", labels: label), addressType: "IPv4",
                endpoints: [
                    .init(addresses: ["10.9.0.1"], zone: "z7", nodeName: "n2"),
                    .init(addresses: ["10.9.0.2"], zone: zone, nodeName: "n1"),
                ])
        }
        let translator = Translator(options: options)
        for zone in ["z1", "z2"] {
            snapshot.endpointSlices[service.key] = slice(zone)
            let backends = translator.translate(snapshot).configuration.backends
            #expect(backends.first { $0.id.name == "db" }?.settings.loadBalancing.zones?.zone == zone)
        }
        #expect(translator.counts.whole == 2)
    }

    @Test("sessionAffinity ClientIP, unless a policy says how endpoints are chosen")
    func affinity() throws {
        func method(_ policies: String) throws -> LoadBalancing.Method? {
            let bench = try Bench(policies)
            var snapshot = bench.snapshot
            snapshot.services[ObjectKey(namespace: "infra", name: "db")]?.spec.sessionAffinity = "ClientIP"
            let backends = translate(snapshot, options: bench.options).configuration.backends
            return backends.first { $0.id.name == "db" }?.settings.loadBalancing.method
        }
        let hash = ConsistentHash(source: SourcePrefix(v4: 32, v6: 128))
        #expect(try method("") == .consistentHash(hash))
        #expect(try method(Bench.policy("p", Bench.db, "retry: {numRetries: 1}")) == .consistentHash(hash))
        #expect(try method(Bench.policy("p", Bench.db, "loadBalancer: {type: Random}")) == .random)
    }
}
