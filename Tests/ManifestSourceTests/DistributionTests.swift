import KubernetesAPI
import Testing

@testable import ManifestSource

@Suite("What says which endpoint of a Service a connection gets")
struct DistributionTests {
    private func load(service: String, endpoint: String = "addresses: [10.0.0.1]") -> ManifestSnapshot {
        let manifest = """
            apiVersion: v1
            kind: Service
            metadata: {name: db}
            spec: {ports: [{port: 5432}], \(service)}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: db-1, labels: {kubernetes.io/service-name: db}}
            addressType: IPv4
            ports: [{name: "", port: 5432}]
            endpoints: [{\(endpoint)}]
            """
        var catalog = Catalog(unknownFields: .error)
        catalog.update("db.yaml", content: Array(manifest.utf8))
        return catalog.snapshot(asOf: 0).state
    }

    @Test("sessions, zones and hints are read")
    func read() throws {
        let state = load(
            service: """
                sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 600}},
                trafficDistribution: PreferSameZone, internalTrafficPolicy: Local
                """,
            endpoint: """
                addresses: [10.0.0.1], zone: eu-1a, nodeName: n1, hints: {forZones: [{name: eu-1a}], forNodes: [{name: n1}]}
                """)
        #expect(state.problems.isEmpty, "\(state.problemLines)")
        let service = try #require(state.snapshot.services.values.first).spec
        #expect(service.sessionAffinity == "ClientIP")
        #expect(service.sessionAffinityConfig?.clientIP?.timeoutSeconds == 600)
        #expect(service.trafficDistribution == "PreferSameZone")
        #expect(service.internalTrafficPolicy == "Local")
        let slice = try #require(state.snapshot.endpointSlices.values.first)
        let expected = EndpointSlice.Endpoint(
            addresses: ["10.0.0.1"], zone: "eu-1a", nodeName: "n1",
            hints: .init(forZones: [.init(name: "eu-1a")], forNodes: [.init(name: "n1")]))
        #expect(slice.endpoints == [expected])
    }

    @Test(
        "what an API server refuses is refused",
        arguments: [
            ("sessionAffinity: Cookie", "spec.sessionAffinity", "must be ClientIP or None, found \"Cookie\""),
            (
                "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 86401}}",
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds", "must be between 1 and 86400, found 86401"
            ),
            (
                "trafficDistribution: Nearest", "spec.trafficDistribution",
                "must be PreferClose or PreferSameZone or PreferSameNode, found \"Nearest\""
            ),
            ("internalTrafficPolicy: Near", "spec.internalTrafficPolicy", "must be Cluster or Local, found \"Near\""),
        ])
    func refused(service: String, field: String, message: String) {
        let problems = load(service: service).problems
        #expect(problems.map(\.field) == [field])
        #expect(problems.map(\.message) == [message])
    }
}
