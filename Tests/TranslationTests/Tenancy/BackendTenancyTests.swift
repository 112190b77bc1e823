import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Where a tenant's routes can lead, and where not.
@Suite("Tenancy: backends")
struct BackendTenancyTests {
    private typealias Bench = TenancyBench

    /// A backend of blue's, used by blue's route.
    private func bench(_ address: String) throws -> TenancyBench {
        try Bench(
            Bench.tcpRoute("blue/x", to: "group: sluice.dev, kind: Backend, name: b")
                + """
                ---
                apiVersion: sluice.dev/v1alpha1
                kind: Backend
                metadata: {name: b, namespace: blue}
                spec: {endpoints: [\(address)]}

                """)
    }

    @Test(
        "a Backend leads neither to the process's own ports on loopback, nor to its node's or a cloud's, however it is written",
        arguments: [
            "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0", "::", "0.1.2.3", "169.254.169.254", "fe80::1", "fd00:ec2::254",
            "100.100.100.200", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "::ffff:127.0.0.1", "224.0.0.1",
            "255.255.255.255",
        ])
    func guarded(address: String) throws {
        let bench = try bench("{ip: {address: \"\(address)\", port: 19000}}")
        #expect(bench.endpoints(bench.route("", at: 5432)).isEmpty)
        #expect(bench.route("", at: 5432)?.backends.map(\.target) == [.invalid])
        #expect(bench.said("TCPRoute", "blue/x").contains { $0.hasPrefix("ResolvedRefs=False") })
    }

    @Test("nor to a unix socket, nor to a name of this host or of a Service")
    func names() throws {
        for endpoint in [
            "{unix: {path: /run/x.sock}}", "{fqdn: {hostname: localhost, port: 1}}",
            "{fqdn: {hostname: LOCALHOST., port: 1}}", "{fqdn: {hostname: a.localhost, port: 1}}",
            "{fqdn: {hostname: app.red.svc, port: 80}}", "{fqdn: {hostname: app.red.svc.cluster.local., port: 80}}",
            "{fqdn: {hostname: App.Red.SVC.Cluster.Local, port: 80}}", "{fqdn: {hostname: 127.0.0.1, port: 80}}",
        ] {
            let bench = try bench(endpoint)
            #expect(bench.endpoints(bench.route("", at: 5432)).isEmpty, "\(endpoint)")
            #expect(bench.said("TCPRoute", "blue/x").contains { $0.hasPrefix("ResolvedRefs=False") }, "\(endpoint)")
        }
        // What other names lead to is judged after each answer: RefusedAddressTests.
        let named = try bench("{fqdn: {hostname: rebind.example.com, port: 80}}")
        let refused = try #require(named.result.configuration.backends.first?.settings.refusedAddresses)
        #expect(refused.loopback && refused.linkLocal)
    }

    @Test("nor by way of a Service of type ExternalName")
    func externalName() throws {
        let bench = try Bench(
            Bench.tcpRoute("blue/x", to: "name: alias, port: 80")
                + "---\napiVersion: v1\nkind: Service\nmetadata: {name: alias, namespace: blue}\n"
                + "spec: {type: ExternalName, externalName: app.red.svc.cluster.local, ports: [{port: 80}]}\n")
        #expect(bench.endpoints(bench.route("", at: 5432)).isEmpty)
        #expect(bench.says("TCPRoute", "blue/x", "ResolvedRefs=False InvalidKind"))
    }

    @Test(
        "an EndpointSlice does not lead to a metadata service or to an address that is no host's, and the others of it stay",
        arguments: ["169.254.169.254", "100.100.100.200", "0.1.2.3", "224.0.0.1", "fd00:ec2::254", "fd20:ce::254"])
    func slices(address: String) throws {
        let other = address.contains(":") ? "2001:db8::7" : "10.0.2.7"
        let bench = try Bench(
            Bench.tcpRoute("blue/x", to: "name: s, port: 80") + Bench.service("blue", "s", address, other))
        #expect(bench.endpoints(bench.route("", at: 5432)).count == 1)
        #expect(bench.endpoints(bench.route("", at: 5432)).allSatisfy { $0.contains(other) })
        #expect(bench.said("TCPRoute", "blue/x").contains { $0.contains("EndpointSlice blue/s-1: ") })
        // Also where the slice comes later, and goes.
        let translator = Translator(options: bench.options)
        var snapshot = bench.snapshot
        let key = ObjectKey(namespace: "blue", name: "s-1")
        let slice = try #require(snapshot.endpointSlices[key])
        snapshot.endpointSlices[key] = nil
        _ = translator.translate(snapshot)
        snapshot.endpointSlices[key] = slice
        #expect(translator.translate(snapshot).configuration == bench.result.configuration)
        #expect(translator.counts.carriedOn == 1)
    }

    @Test("in a folder of manifests, where one person writes everything, they are taken as they are")
    func standalone() throws {
        var bench = try Bench(
            Bench.tcpRoute("blue/x", to: "name: s, port: 80") + Bench.service("blue", "s", "169.254.171.1"))
        bench.options.standalone = true
        let result = translate(bench.snapshot, options: bench.options)
        #expect(result.configuration.backends.first?.endpoints.count == 1)
    }

    @Test("a slice of another namespace adds nothing to a Service, whatever its label says")
    func foreignSlice() throws {
        let bench = try Bench(
            Bench.tcpRoute("red/x", to: "name: app, port: 80")
                + Bench.slice("blue", "app-2", of: "app", ["10.0.2.66"])
                + Bench.slice("blue", "app-3", of: "red/app", ["10.0.2.67"]))
        #expect(bench.endpoints(bench.route("", at: 5432)) == ["10.0.1.1:8080"])
    }

    @Test(
        "a tenant's own slice can name a pod of another's: that is the right to write EndpointSlices, and the page says so"
    )
    func podsOfOthers() throws {
        let bench = try Bench(
            Bench.tcpRoute("blue/x", to: "name: s, port: 80") + Bench.service("blue", "s", "10.0.1.1"))
        #expect(bench.endpoints(bench.route("", at: 5432)) == ["10.0.1.1:8080"])
    }

    @Test("TLS to a tenant's backend is its owner's to ask for, and a route's author cannot take it away")
    func backendTLS() throws {
        let grant = Bench.grant(
            "red/grant", from: "group: gateway.networking.k8s.io, kind: TCPRoute, namespace: blue",
            to: "group: \"\", kind: Service, name: app")
        let authority = """
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: BackendTLSPolicy
            metadata: {name: tls, namespace: red}
            spec:
              targetRefs: [{group: "", kind: Service, name: app}]
              validation: {hostname: app.example.com, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}

            """
        let loose = Bench.policy(
            "BackendPolicy", "blue/p", on: Bench.gatewayTarget("TCPRoute", "x"), "tls: {verification: CA}",
            created: "01")
        let bench = try Bench(
            Bench.tcpRoute("blue/x", to: "name: app, namespace: red, port: 80") + grant + authority + loose)
        let backend = try #require(bench.result.configuration.backends.first)
        #expect(backend.tls?.hostname == "app.example.com")
        #expect(backend.tls?.trust != .unusable && backend.tls?.trust != .pinsOnly && backend.tls != nil)
    }
}
