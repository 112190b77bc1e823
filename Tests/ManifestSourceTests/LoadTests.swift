import KubernetesAPI
import ManifestSource
import Primitives
import TestSupport
import Testing

@Suite("Loading manifests")
struct LoadTests {
    private let folder: TemporaryDirectory
    init() throws { folder = try TemporaryDirectory() }

    private func load(_ severity: ManifestProblem.Severity = .error) -> ManifestSnapshot {
        ManifestSource.load([folder.path], unknownFields: severity, asOf: 7)
    }

    private func problems(_ severity: ManifestProblem.Severity = .error) -> [String] {
        load(severity).problemLines.map { String($0.dropFirst(folder.path.count + 1)) }
    }

    @Test("every kind, in YAML and JSON, several documents, lists, subfolders")
    func kinds() throws {
        try folder.write(gateway("a") + "---\n" + gateway("b", namespace: "infra"), to: "a.yaml")
        try folder.write(
            """
            {"apiVersion": "v1", "kind": "List", "items": [
              {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"ports": [{"port": 1}]}},
              {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "infra", "labels": {"x": "y"}}}]}
            """, to: "sub/deep/more.json")
        try folder.write(
            """
            apiVersion: gateway.networking.k8s.io/v1
            kind: GatewayClass
            metadata: {name: sluice}
            spec: {controllerName: sluice.dev/gateway-controller}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TCPRoute
            metadata: {name: r}
            spec: {rules: [{backendRefs: [{name: s, port: 1}]}]}
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: TLSRoute
            metadata: {name: r}
            spec: {hostnames: [a.example], rules: [{backendRefs: [{name: s, port: 1}]}]}
            ---
            apiVersion: gateway.networking.k8s.io/v1beta1
            kind: ReferenceGrant
            metadata: {name: g}
            spec:
              from: [{group: gateway.networking.k8s.io, kind: TCPRoute, namespace: x}]
              to: [{group: "", kind: Service}]
            ---
            apiVersion: gateway.networking.k8s.io/v1
            kind: BackendTLSPolicy
            metadata: {name: p}
            spec:
              targetRefs: [{group: "", kind: Service, name: s}]
              validation: {hostname: s.example, wellKnownCACertificates: System}
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: Backend
            metadata: {name: b}
            spec: {endpoints: [{ip: {address: 127.0.0.1, port: 1}}]}
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}
            addressType: IPv4
            endpoints: [{addresses: [127.0.0.1]}]
            ports: [{port: 1}]
            ---
            apiVersion: v1
            kind: Secret
            metadata: {name: plain}
            data: {password: aGVsbG8=}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {a: b}
            """, to: "rest.yml")
        let state = load()
        #expect(state.problemLines.isEmpty)
        let snapshot = state.snapshot
        #expect(snapshot.asOf == 7)
        #expect(state.gatewayNames == ["default/a", "infra/b"])
        #expect(snapshot.gateways[ObjectKey(namespace: "default", name: "a")]?.metadata.namespace == "default")
        #expect(snapshot.gatewayClasses.keys.map(\.description) == ["sluice"])
        let key = ObjectKey(namespace: "default", name: "r")
        #expect(snapshot.tcpRoutes[key]?.spec.rules.first?.backendRefs?.first?.port == 1)
        #expect(snapshot.tlsRoutes[key]?.spec.hostnames == ["a.example"])
        #expect(snapshot.referenceGrants.count == 1)
        #expect(snapshot.backendTLSPolicies.count == 1)
        #expect(snapshot.backends.count == 1)
        #expect(snapshot.endpointSlices.count == 1)
        #expect(snapshot.services.count == 1)
        #expect(snapshot.labels(ofNamespace: "infra")["x"] == "y")
        let secret = try #require(snapshot.secrets[ObjectKey(namespace: "default", name: "plain")])
        #expect(secret.keyPair == nil && secret.caCertificates == nil && secret.staleReason == nil)
        #expect(snapshot.configMaps.count == 1)
    }

    @Test("names that begin with a dot, other endings and other kinds are left out; kinds are named")
    func skipped() throws {
        try folder.write(gateway("a"), to: ".hidden.yaml")
        try folder.write(gateway("a"), to: "..2026/a.yaml")
        try folder.write(gateway("a"), to: ".git/a.yaml")
        try folder.write(gateway("a"), to: "a.yaml.bak")
        try folder.write("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\n", to: "d.yaml")
        try folder.write("# nothing\n---\n", to: "e.yaml")
        let state = load()
        #expect(state.gatewayNames == [])
        #expect(state.problems == [])
        #expect(
            state.unknownKinds == [UnknownKind(apiVersion: "apps/v1", kind: "Deployment"): "\(folder.path)/d.yaml"])
    }

    @Test("one bad object among good ones: file, line and field, and the others apply")
    func oneBad() throws {
        try folder.write(
            gateway("a") + "---\n" + gateway("b").replacing("port: 80", with: "port: abc") + "---\n" + gateway("c"),
            to: "g.yaml")
        let state = load()
        #expect(state.gatewayNames == ["default/a", "default/c"])
        #expect(
            problems() == [
                "g.yaml:20: Gateway default/b: spec.listeners[0].port: expected an integer, found \"abc\""
            ])
    }

    @Test(
        "what is wrong with an object's frame is said",
        arguments: [
            ("kind: Gateway\n", "g.yaml:1: apiVersion: is required"),
            ("apiVersion: v1\n", "g.yaml:1: kind: is required"),
            ("apiVersion: v1\nkind: [a]\n", "g.yaml:2: kind: expected a string, found a list"),
            ("apiVersion: v1\nkind: Service\n", "g.yaml:1: metadata: is required"),
            ("apiVersion: v1\nkind: Service\nmetadata: {}\n", "g.yaml:3: metadata.name: is required"),
            (
                "apiVersion: v1\nkind: Service\nmetadata: {name: 1}\n",
                "g.yaml:3: metadata.name: expected a string, found 1"
            ),
            ("- a\n", "g.yaml:1: expected an object, found a list"),
            (
                "apiVersion: gateway.networking.k8s.io/v1alpha2\nkind: TCPRoute\nmetadata: {name: a}\n",
                "g.yaml:1: TCPRoute default/a: apiVersion: gateway.networking.k8s.io/v1alpha2 is not served for TCPRoute; "
                    + "use gateway.networking.k8s.io/v1"
            ),
            ("apiVersion: v1\nkind: List\nitems:\n- kind: Service\n", "g.yaml:4: items[0].apiVersion: is required"),
            ("apiVersion: v1\nkind: List\nitems: 3\n", "g.yaml:3: items: expected a list, found 3"),
            ("a: [\n", "g.yaml:2: did not find expected node content while parsing a flow node"),
            (
                "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  a: '%%'\n",
                "g.yaml:5: Secret default/s: data[a]: is not base64 (use stringData for plain text)"
            ),
            (
                "apiVersion: v1\nkind: Service\nmetadata: {name: s, name: t}\nspec: {}\n",
                "g.yaml:3: Service default/s: the key \"name\" is given twice (first in line 3)"
            ),
        ])
    func frames(text: String, expected: String) throws {
        try folder.write(text, to: "g.yaml")
        #expect(problems() == [expected])
    }

    @Test("unknown fields are errors or warnings, and the object counts")
    func unknownFields() throws {
        try folder.write(gateway("a").replacing("- name: tcp", with: "- nam: x\n    name: tcp"), to: "g.yaml")
        let expected =
            "g.yaml:8: Gateway default/a: spec.listeners[0].nam: unknown field \"nam\", did you mean \"name\"?"
        #expect(problems() == [expected])
        #expect(load().problems.map(\.severity) == [.error])
        #expect(load(.warning).problems.map(\.severity) == [.warning])
        #expect(load().gatewayNames == ["default/a"])
    }

    @Test("an object in two files: both are named, the first by path stays")
    func duplicates() throws {
        try folder.write(gateway("a", port: 1), to: "b.yaml")
        try folder.write(gateway("a", port: 2), to: "a/z.yaml")
        try folder.write(gateway("a", port: 3) + "---\n" + gateway("c") + "---\n" + gateway("c"), to: "c.yaml")
        let state = load()
        #expect(state.port("a") == 2)
        let root = folder.path
        #expect(
            problems() == [
                "b.yaml:1: Gateway default/a: is already defined in \(root)/a/z.yaml:1, which stays",
                "c.yaml:1: Gateway default/a: is already defined in \(root)/a/z.yaml:1, which stays",
                "c.yaml:23: Gateway default/c: is already defined in \(root)/c.yaml:12, which stays",
            ])
    }

    @Test("several paths are one set; a path that is not there is a problem")
    func paths() throws {
        let one = try folder.write(gateway("a"), to: "one.yaml")
        try folder.write(gateway("a"), to: "two/a.yaml")
        let state = ManifestSource.load([one, "\(folder.path)/two/", "\(folder.path)/none"])
        #expect(state.gatewayNames == ["default/a"])
        #expect(
            state.problemLines == [
                "\(folder.path)/none: cannot be read: No such file or directory",
                "\(folder.path)/two/a.yaml:1: Gateway default/a: is already defined in \(one):1, which stays",
            ])
    }

    @Test("links are followed, circles are not")
    func links() throws {
        let other = try TemporaryDirectory()
        try other.write(gateway("a"), to: "a.yaml")
        try folder.link("sub", to: other.path)
        try other.link("back", to: folder.path)
        try folder.link("b.yaml", to: "nothing")
        #expect(load().gatewayNames == ["default/a"])
        #expect(
            problems() == ["sub/back: is skipped: leads back to a folder above it"])
    }

    @Test("whatever a file holds, loading ends")
    func garbage() throws {
        let text = Array((gateway("a") + "---\n" + gateway("b")).utf8)
        for index in 0..<300 {
            var changed = text
            for _ in 0..<3 { changed[Int.random(in: 0..<changed.count)] = UInt8.random(in: 0...255) }
            if index % 3 == 0 { changed = Array(changed.prefix(Int.random(in: 0...changed.count))) }
            try folder.write(changed, to: "g.yaml")
            _ = load()
        }
    }
}
