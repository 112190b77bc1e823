import KubernetesAPI
import KubernetesClient
import Observability
import Platform
import TestAPIServer
import TestSupport
import Testing

/// The source with the real client against an API server in the test's process, over HTTP.
@Suite("Cluster source over HTTP", .timeLimit(.minutes(2)))
struct ClusterEndToEndTests {
    private struct Setup {
        let server: TestAPIServer
        let client: APIClient
        let cluster: RunningCluster

        init(
            token: String? = nil, namespaces: [String]? = nil, factor: Double = 0.02,
            _ configure: (inout TestAPIServer.Options) -> Void = { _ in }, _ fill: (TestAPIServer) throws -> Void
        ) throws {
            var options = TestAPIServer.Options()
            options.bookmarkInterval = .milliseconds(300)
            configure(&options)
            server = try TestAPIServer.start(options)
            try server.create(yaml: "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}")
            try fill(server)
            var configuration = ClientConfiguration(server: server.url)
            if let token { configuration.credentials = .token(token) }
            client = try APIClient(configuration: configuration, userAgent: "sluice/test", logger: .disabled)
            cluster = try RunningCluster(client, namespaces: namespaces, factor: factor)
        }

        func close() {
            cluster.stop()
            client.close()
            server.stop()
        }

        /// Waits until the source has the server's routes, by name and port.
        func expectRoutes(_ what: String) throws {
            func ports(_ state: ClusterState) -> [String: Int64] {
                var ports: [String: Int64] = [:]
                for (key, route) in state.snapshot.tcpRoutes {
                    ports[key.name] = route.spec.rules.first?.backendRefs?.first?.port.map(Int64.init)
                }
                return ports
            }
            var expected: [String: Int64] = [:]
            for route in server.objects("TCPRoute", in: "shop") {
                let reference = route["spec"]?["rules"]?.elements?.first?["backendRefs"]?.elements?.first
                expected[route["metadata"]?["name"]?.text ?? ""] = reference?["port"]?.integer
            }
            _ = try cluster.wait(what, timeout: .seconds(30)) { ports($0) == expected }
        }
    }

    private static func put(_ server: TestAPIServer, _ name: String, port: Int) throws {
        try server.put(
            yaml: """
                apiVersion: gateway.networking.k8s.io/v1
                kind: TCPRoute
                metadata: {name: \(name), namespace: shop}
                spec: {parentRefs: [{name: edge}], rules: [{backendRefs: [{name: db, port: \(port)}]}]}
                """)
    }

    @Test("lists and watches; a change is handed over in milliseconds", arguments: [true, false])
    func content(streams: Bool) throws {
        let setup = try Setup { options in
            options.offersStreamingLists = streams
        } _: { server in
            for index in 0..<20 { try Self.put(server, "r\(index)", port: 1000 + index) }
        }
        defer { setup.close() }
        let first = try setup.cluster.wait("sync") { $0.isSynced }
        #expect(first.snapshot.tcpRoutes.count == 20 && first.snapshot.namespaces.count > 1)
        #expect(first.snapshot.gatewayAPIBundle?.version == "v1.6.1")
        let begin = MonotonicTime.now()
        try Self.put(setup.server, "r3", port: 9)
        try setup.expectRoutes("the change")
        #expect(.now() - begin < .seconds(1))
        try setup.server.delete("TCPRoute", "shop", "r4")
        try setup.expectRoutes("the deletion")
    }

    @Test(
        "the server closes watches every 100 ms, forgets the past, fails and restarts: nothing is lost",
        arguments: 1...2)
    func faults(round: Int) throws {
        let setup = try Setup { options in
            options.offersStreamingLists = round == 1
        } _: { server in
            for index in 0..<10 { try Self.put(server, "r\(index)", port: 1000) }
        }
        defer { setup.close() }
        _ = try setup.cluster.wait("sync") { $0.isSynced }
        var closing = Faults()
        closing.closesWatchesAfter = .milliseconds(100)
        let troubles: [() throws -> Void] = [
            { setup.server.faults = closing },
            { setup.server.compact() },
            { setup.server.faults = Faults.failing(500) },
            { setup.server.faults = Faults.failing(429, retryAfter: 1, times: 3) },
            { setup.server.faults = closing },
            { setup.server.dropConnections() },
            { try setup.server.restart(keepsWatchCache: false) },
            { setup.server.faults = Faults() },
            {
                setup.server.stopListening()
                #expect(!waitUntil(deadline: .milliseconds(200)) { !setup.cluster.health.isSynced })
                try setup.server.listenAgain()
            },
        ]
        for (number, trouble) in troubles.enumerated() {
            try trouble()
            for step in 0..<10 { try Self.put(setup.server, "r\(step)", port: 2000 + number * 10 + step) }
            if number > 0 { try setup.server.delete("TCPRoute", "shop", "n\(number - 1)") }
            try Self.put(setup.server, "n\(number)", port: 1)
            _ = waitUntil(deadline: .milliseconds(150)) { false }
        }
        setup.server.faults = Faults()
        try setup.expectRoutes("everything")
        #expect(waitUntil { setup.cluster.health.problems.isEmpty }, "\(setup.cluster.health.problems)")
    }

    @Test("a watch that says nothing more is opened anew on a fresh connection")
    func stall() throws {
        let setup = try Setup(factor: 0.005) { try Self.put($0, "a", port: 1) }
        defer { setup.close() }
        _ = try setup.cluster.wait("sync") { $0.isSynced }
        var silence = Faults()
        silence.silencesWatches = true
        setup.server.faults = silence
        try Self.put(setup.server, "a", port: 2)
        let stalled = waitUntil {
            (setup.cluster.health.resources.first { $0.name == "tcproutes" }?.restarts["error"] ?? 0) > 0
        }
        #expect(stalled)
        setup.server.faults = Faults()
        try setup.expectRoutes("the change")
    }

    @Test(
        "an event that is no JSON, or speaks of another kind, leads to a new list",
        arguments: [
            #"{"apiVersion": }"#,
            #"{"type": "MODIFIED", "object": {"kind": "Pod", "metadata": {"name": "a", "namespace": "shop"}, "spec": {}}}"#,
        ])
    func garbage(_ line: String) throws {
        let setup = try Setup { try Self.put($0, "a", port: 1) }
        defer { setup.close() }
        _ = try setup.cluster.wait("sync") { $0.isSynced }
        var garbage = Faults()
        garbage.garbage = line
        setup.server.faults = garbage
        try Self.put(setup.server, "a", port: 2)
        _ = try #require(setup.cluster.log.waitForEntry { $0.message.hasPrefix("watch event cannot be read") })
        setup.server.faults = Faults()
        try Self.put(setup.server, "a", port: 3)
        try setup.expectRoutes("the change")
    }

    @Test("a kind goes and comes back with its CRD")
    func definitions() throws {
        let setup = try Setup { try Self.put($0, "a", port: 1) }
        defer { setup.close() }
        _ = try setup.cluster.wait("sync") { $0.snapshot.tcpRoutes.count == 1 }
        setup.server.removeKind("TCPRoute")
        _ = try setup.cluster.wait("no routes") { $0.snapshot.tcpRoutes.isEmpty }
        try setup.server.addGatewayKind("TCPRoute")
        try Self.put(setup.server, "b", port: 2)
        try setup.expectRoutes("the new route")
    }

    @Test("with Roles alone: namespaced kinds of two namespaces, Secrets by name")
    func roles() throws {
        let rules = [
            AccessRule(
                verbs: ["list", "watch"], groups: ["", "discovery.k8s.io", "gateway.networking.k8s.io", "sluice.dev"],
                resources: [
                    "gateways", "listenersets", "tcproutes", "tlsroutes", "referencegrants", "backendtlspolicies",
                    "backends", "backendpolicies", "clientpolicies", "gatewayparameters", "services",
                    "endpointslices",
                ], namespaces: ["shop", "sluice-system"]),
            AccessRule(
                verbs: ["list", "watch"], groups: [""], resources: ["secrets"], namespaces: ["shop"], names: ["cert"]),
        ]
        let pair = try TestPKI.selfSigned(TestCertificateRequest(dnsNames: ["a.example"]))
        let setup = try Setup(token: "t", namespaces: ["shop"]) { options in
            options.tokens["t"] = AccessToken(user: "sluice", rules: rules)
        } _: { server in
            try Self.put(server, "a", port: 1)
            try server.create(JSONText.parse(Array(Fixture.typedSecret("cert", pair).utf8)))
            try server.create(yaml: Self.gateway("edge", secret: "cert"))
            try server.create(yaml: Self.gateway("other", secret: "hidden"))
        }
        defer { setup.close() }
        let state = try setup.cluster.wait("sync") { $0.isSynced }
        #expect(state.snapshot.tcpRoutes.count == 1 && state.snapshot.namespaces.isEmpty)
        #expect(state.snapshot.secrets.keys.map(\.name) == ["cert"])
        #expect(state.snapshot.notPermitted.secrets.map(\.name) == ["hidden"])
        let denials = setup.cluster.log.entries.filter { $0.message == "a right is missing" }
        #expect(denials.map { $0.text("name") } == ["hidden"], "\(setup.cluster.log.text)")
    }

    private static func gateway(_ name: String, secret: String) -> String {
        """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: \(name), namespace: shop}
        spec:
          gatewayClassName: sluice
          listeners:
          - {name: a, port: 443, protocol: TLS, hostname: a.example, tls: {mode: Terminate, certificateRefs: [{name: \(secret)}]}}
        """
    }
}
