import ManifestSource
import TestSupport
import Testing

/// A valid manifest, a change to it, and what the API server would say (`field: message`).
struct ValidationCase: Sendable, CustomTestStringConvertible {
    var base: String
    var old: String
    var new: String
    var expected: [String]
    var testDescription: String { "\(old) → \(new)" }

    init(_ base: String, _ old: String, _ new: String, _ expected: String...) {
        (self.base, self.old, self.new, self.expected) = (base, old, new, expected)
    }
}

private let gatewayBase = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: Gateway
    metadata: {name: edge, labels: {app.kubernetes.io/name: edge}, annotations: {example.com/Note: any text}}
    spec:
      gatewayClassName: sluice
      addresses: [{value: 192.0.2.1}, {type: Hostname, value: a.example}]
      infrastructure: {labels: {a: b}, parametersRef: {group: sluice.dev, kind: GatewayParameters, name: p}}
      tls:
        frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}, perPort: [{port: 443, tls: {}}]}
      listeners:
      - {name: tcp, port: 5432, protocol: TCP}
      - {name: tls, port: 443, protocol: TLS, hostname: "*.a.example", tls: {certificateRefs: [{name: c}]}}
      - {name: pass, port: 443, protocol: TLS, hostname: b.example, tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}}
    """

private let routeBase = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: TLSRoute
    metadata: {name: r, namespace: shop}
    spec:
      parentRefs: [{name: edge, sectionName: tls}, {name: edge, sectionName: pass}, {name: other, namespace: infra, port: 443}]
      hostnames: [a.example, "*.b.example"]
      rules:
      - backendRefs: [{name: s, port: 80, weight: 3}, {group: sluice.dev, kind: Backend, name: b, weight: 0}]
    """

private let policyBase = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: BackendTLSPolicy
    metadata: {name: p}
    spec:
      targetRefs: [{group: "", kind: Service, name: s, sectionName: db}]
      validation:
        hostname: db.example
        caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]
        subjectAltNames: [{type: Hostname, hostname: db.example}, {type: URI, uri: "spiffe://a/b"}]
    """

private let grantBase = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: ReferenceGrant
    metadata: {name: g}
    spec: {from: [{group: gateway.networking.k8s.io, kind: TCPRoute, namespace: x}], to: [{group: "", kind: Service}]}
    """

private let serviceBase = """
    apiVersion: v1
    kind: Service
    metadata: {name: s}
    spec: {ports: [{name: a, port: 80}, {name: b, port: 81, appProtocol: kubernetes.io/h2c}]}
    """

private let sliceBase = """
    apiVersion: discovery.k8s.io/v1
    kind: EndpointSlice
    metadata: {name: s-1, labels: {kubernetes.io/service-name: s}}
    addressType: IPv4
    endpoints: [{addresses: [127.0.0.1]}, {addresses: [10.0.0.1], conditions: {ready: false}}]
    ports: [{name: a, port: 8080}, {name: b, port: 8081}]
    """

private let longName = String(repeating: "a", count: 254)

private let cases: [ValidationCase] = [
    ValidationCase(
        gatewayBase, "name: edge,", "name: Edge,",
        "metadata.name: must consist of lower-case letters, digits, '-' and '.', and each part must begin and end with a "
            + "letter or digit, found \"Edge\""),
    ValidationCase(
        gatewayBase, "name: edge,", "name: \(longName),", "metadata.name: must have at most 253 characters, has 254"),
    ValidationCase(
        gatewayBase, "name: edge,", "name: edge, namespace: a.b,",
        "metadata.namespace: must consist of lower-case letters, digits and '-', and begin and end with a letter or digit, "
            + "found \"a.b\""),
    ValidationCase(
        gatewayBase, "app.kubernetes.io/name: edge", "-a: edge",
        "metadata.labels[-a]: the key must be a name of at most 63 letters, digits, '-', '_' and '.', with or without a "
            + "domain and '/' before it"),
    ValidationCase(
        gatewayBase, "name: edge}", "name: \"a b\"}",
        "metadata.labels[app.kubernetes.io/name]: must consist of letters, digits, '-', '_' and '.', and begin and end "
            + "with a letter or digit, found \"a b\""),
    ValidationCase(
        gatewayBase, "gatewayClassName: sluice", "gatewayClassName: ''",
        "spec.gatewayClassName: must not be empty"),
    ValidationCase(
        gatewayBase, "gatewayClassName: sluice", "x: y",
        "spec.gatewayClassName: is required"),
    ValidationCase(
        gatewayBase, "port: 5432", "port: 0", "spec.listeners[0].port: must be between 1 and 65535, found 0"),
    ValidationCase(
        gatewayBase, "port: 5432", "port: 65536",
        "spec.listeners[0].port: must be between 1 and 65535, found 65536"),
    ValidationCase(
        gatewayBase, "{name: tcp, port: 5432", "{name: tls, port: 5432",
        "spec.listeners: Listener name must be unique within the Gateway"),
    ValidationCase(
        gatewayBase, "hostname: b.example", "hostname: \"*.a.example\"",
        "spec.listeners: Combination of port, protocol and hostname must be unique for each listener"),
    ValidationCase(
        gatewayBase, "protocol: TCP", "protocol: TCP, hostname: a.example",
        "spec.listeners: hostname must not be specified for protocols ['TCP', 'UDP']"),
    ValidationCase(
        gatewayBase, "protocol: TCP", "protocol: TCP, tls: {mode: Passthrough}",
        "spec.listeners: tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']"),
    ValidationCase(
        gatewayBase, "protocol: TCP", "protocol: TLS",
        "spec.listeners: tls mode must be set for protocol TLS"),
    ValidationCase(
        gatewayBase, "protocol: TCP", "protocol: HTTPS, tls: {mode: Passthrough}",
        "spec.listeners: tls mode must be Terminate for protocol HTTPS"),
    ValidationCase(
        gatewayBase, "protocol: TCP", "protocol: -x",
        "spec.listeners[0].protocol: must be a protocol such as TCP or TLS, or a domain and a name such as "
            + "example.com/proto, found \"-x\""),
    ValidationCase(
        gatewayBase, "tls: {certificateRefs: [{name: c}]}", "tls: {mode: Terminate}",
        "spec.listeners[1].tls: certificateRefs or options must be specified when mode is Terminate"),
    ValidationCase(
        gatewayBase, "mode: Passthrough", "mode: Pass",
        "spec.listeners[2].tls.mode: must be Terminate or Passthrough, found \"Pass\""),
    ValidationCase(
        gatewayBase, "from: All", "from: Any",
        "spec.listeners[2].allowedRoutes.namespaces.from: must be All or Selector or Same, found \"Any\""),
    ValidationCase(
        gatewayBase, "hostname: b.example", "hostname: \"a.*.example\"",
        "spec.listeners[2].hostname: must be a host name in lower case, such as a.example.com or *.example.com, found "
            + "\"a.*.example\""),
    ValidationCase(
        gatewayBase, "{value: 192.0.2.1}", "{value: 192.0.2.256}",
        "spec.addresses[0].value: must be an IPv4 or IPv6 address, found \"192.0.2.256\""),
    ValidationCase(
        gatewayBase, "{value: 192.0.2.1}", "{value: 192.0.2.1}, {type: IPAddress, value: 192.0.2.1}",
        "spec.addresses: IPAddress values must be unique"),
    ValidationCase(
        gatewayBase, "kind: GatewayParameters", "kind: 1a",
        "spec.infrastructure.parametersRef.kind: must consist of letters, digits and '-', and begin with a letter, found "
            + "\"1a\""),
    ValidationCase(
        gatewayBase, "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]", "caCertificateRefs: []",
        "spec.tls.frontend.default.validation.caCertificateRefs: must have at least 1 item"),
    ValidationCase(
        gatewayBase, "[{port: 443, tls: {}}]", "[{port: 443, tls: {}}, {port: 443, tls: {}}]",
        "spec.tls.frontend.perPort: Port for TLS configuration must be unique within the Gateway"),
    ValidationCase(
        routeBase, "hostnames: [a.example, \"*.b.example\"]", "hostnames: []",
        "spec.hostnames: must have at least 1 item"),
    ValidationCase(routeBase, "hostnames: [a.example, \"*.b.example\"]", "", "spec.hostnames: is required"),
    ValidationCase(routeBase, "a.example", "192.0.2.1", "spec.hostnames: Hostnames cannot contain an IP"),
    ValidationCase(
        routeBase, "{name: edge, sectionName: pass}", "{name: edge}",
        "spec.parentRefs: sectionName must be specified when parentRefs includes 2 or more references to the same parent"
    ),
    ValidationCase(
        routeBase, "sectionName: pass", "sectionName: tls",
        "spec.parentRefs: sectionName must be unique when parentRefs includes 2 or more references to the same parent"),
    ValidationCase(
        routeBase, "name: s, port: 80", "name: s",
        "spec.rules[0].backendRefs[0]: Must have port for Service reference"),
    ValidationCase(
        routeBase, "weight: 3", "weight: 1000001",
        "spec.rules[0].backendRefs[0].weight: must be between 0 and 1000000, found 1000001"),
    ValidationCase(
        routeBase, "weight: 3}", "weight: 3}, {name: t, port: x}",
        "spec.rules[0].backendRefs[1].port: expected an integer, found \"x\""),
    ValidationCase(
        routeBase, "- backendRefs: [", "- {name: two, backendRefs: [{name: s, port: 1}]}\n  - backendRefs: [",
        "spec.rules: must have at most 1 items, has 2"),
    ValidationCase(
        routeBase, "group: sluice.dev", "group: sluice/dev",
        "spec.rules[0].backendRefs[1].group: must consist of lower-case letters, digits, '-' and '.', and each part must "
            + "begin and end with a letter or digit, found \"sluice/dev\""),
    ValidationCase(
        policyBase, "caCertificateRefs: [{group: \"\", kind: ConfigMap, name: ca}]", "",
        "spec.validation: must specify either CACertificateRefs or WellKnownCACertificates"),
    ValidationCase(
        policyBase, "hostname: db.example\n", "hostname: db.example\n    wellKnownCACertificates: System\n",
        "spec.validation: must not contain both CACertificateRefs and WellKnownCACertificates"),
    ValidationCase(
        policyBase, "{type: Hostname, hostname: db.example}", "{type: Hostname}",
        "spec.validation.subjectAltNames[0]: SubjectAltName element must contain Hostname, if Type is set to Hostname"),
    ValidationCase(
        policyBase, "uri: \"spiffe://a/b\"", "uri: spiffe",
        "spec.validation.subjectAltNames[1].uri: must be an absolute URI, such as spiffe://example.com/workload, found "
            + "\"spiffe\""),
    ValidationCase(
        policyBase, "sectionName: db}", "sectionName: db}, {group: \"\", kind: Service, name: s}",
        "spec.targetRefs: sectionName must be specified when targetRefs includes 2 or more references to the same target"
    ),
    ValidationCase(
        grantBase, "from: [{group: gateway.networking.k8s.io, kind: TCPRoute, namespace: x}]", "from: []",
        "spec.from: must have at least 1 item"),
    ValidationCase(
        grantBase, "namespace: x", "namespace: X",
        "spec.from[0].namespace: must consist of lower-case letters, digits and '-', and begin and end with a letter or "
            + "digit, found \"X\""),
    ValidationCase(serviceBase, "name: b, ", "", "spec.ports[1].name: is required where there are several ports"),
    ValidationCase(serviceBase, "name: b", "name: a", "spec.ports[1].name: is given to two ports"),
    ValidationCase(serviceBase, "port: 81", "port: 80", "spec.ports[1]: port 80 and protocol TCP are given twice"),
    ValidationCase(serviceBase, "port: 81", "port: -1", "spec.ports[1].port: must be between 1 and 65535, found -1"),
    ValidationCase(
        serviceBase, "port: 81", "port: 81, protocol: tcp",
        "spec.ports[1].protocol: must be TCP or UDP or SCTP, found \"tcp\""),
    ValidationCase(
        sliceBase, "addressType: IPv4", "addressType: ipv4",
        "addressType: must be IPv4 or IPv6 or FQDN, found \"ipv4\""),
    ValidationCase(
        sliceBase, "[10.0.0.1]", "[10.0.0.01]",
        "endpoints[1].addresses[0]: must be an IPv4 address, found \"10.0.0.01\""),
    ValidationCase(sliceBase, "[10.0.0.1]", "[]", "endpoints[1].addresses: must have at least 1 item"),
    ValidationCase(
        sliceBase, "{addresses: [127.0.0.1]}",
        Array(repeating: "{addresses: [127.0.0.1]}", count: 1000).joined(separator: ","),
        "endpoints: must have at most 1000 items, has 1001"),
    ValidationCase(sliceBase, "name: b", "name: a", "ports[1].name: is given to two ports"),
]

@Suite("What the API server would refuse")
struct ValidationTests {
    private func problems(_ text: String) throws -> [String] {
        let folder = try TemporaryDirectory()
        let file = try folder.write(text, to: "m.yaml")
        return ManifestSource.load([file], unknownFields: .warning).problems.filter { $0.severity == .error }
            .map { problem in
                #expect(problem.line > 0 && problem.object != nil)
                return "\(problem.field): \(problem.message)"
            }
    }

    @Test("what is valid", arguments: [gatewayBase, routeBase, policyBase, grantBase, serviceBase, sliceBase])
    func valid(text: String) throws {
        #expect(try problems(text) == [])
    }

    @Test("one fault each", arguments: cases)
    func invalid(item: ValidationCase) throws {
        let changed = item.base.replacing(item.old, with: item.new, maxReplacements: 1)
        #expect(changed != item.base)
        #expect(try problems(changed) == item.expected)
    }

    @Test("Secrets and ConfigMaps")
    func data() throws {
        let head = "kind: Secret\napiVersion: v1\nmetadata: {name: s}\n"
        let pair = try problems(head + "type: kubernetes.io/tls\ndata: {tls.crt: YQ==}\n")
        #expect(pair == ["data[tls.crt]: tls.crt has no tls.key beside it", "data[tls.key]: is required"])
        #expect(
            try problems(head + "data: {a/b: YQ==}\n")
                == ["data[a/b]: the key must consist of letters, digits, '-', '_' and '.'"])
        let map = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: s}\n"
        #expect(
            try problems(map + "data: {a: b}\nbinaryData: {a: YQ==}\n") == ["binaryData[a]: is also given in data"])
    }
}
