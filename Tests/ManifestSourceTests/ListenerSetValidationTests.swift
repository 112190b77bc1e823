import KubernetesAPI
import ManifestSource
import TestSupport
import Testing

private let base = """
    apiVersion: gateway.networking.k8s.io/v1
    kind: ListenerSet
    metadata: {name: s, namespace: apps}
    spec:
      parentRef: {name: edge, namespace: infra}
      listeners:
      - {name: tcp, port: 5432, protocol: TCP}
      - {name: tls, port: 443, protocol: TLS, hostname: a.example, tls: {certificateRefs: [{name: c, namespace: vault}]}}
      - {name: pass, port: 443, protocol: TLS, hostname: b.example, tls: {mode: Passthrough}}
    """

private let cases: [ValidationCase] = [
    ValidationCase(base, "parentRef: {name: edge, namespace: infra}", "x: y", "spec.parentRef: is required"),
    ValidationCase(base, "{name: edge,", "{name: \"\",", "spec.parentRef.name: must not be empty"),
    ValidationCase(
        base, "namespace: infra", "namespace: Infra",
        "spec.parentRef.namespace: must consist of lower-case letters, digits and '-', and begin and end with a letter or "
            + "digit, found \"Infra\""),
    ValidationCase(
        base, "{name: edge,", "{kind: -x, name: edge,",
        "spec.parentRef.kind: must consist of letters, digits and '-', and begin with a letter, found \"-x\""),
    ValidationCase(
        base, "port: 5432", "port: 70000", "spec.listeners[0].port: must be between 1 and 65535, found 70000"),
    ValidationCase(
        base, "{name: tcp, port: 5432", "{name: tls, port: 5432",
        "spec.listeners: Listener name must be unique within the Gateway"),
    ValidationCase(
        base, "hostname: b.example", "hostname: a.example",
        "spec.listeners: Combination of port, protocol and hostname must be unique for each listener"),
    ValidationCase(
        base, "protocol: TCP", "protocol: TLS", "spec.listeners: tls mode must be set for protocol TLS"),
    ValidationCase(
        base, "protocol: TCP", "protocol: TCP, hostname: a.example",
        "spec.listeners: hostname must not be specified for protocols ['TCP', 'UDP']"),
]

@Suite("What the API server would refuse in a ListenerSet")
struct ListenerSetValidationTests {
    private func problems(_ text: String) throws -> [String] {
        let folder = try TemporaryDirectory()
        let file = try folder.write(text, to: "m.yaml")
        return ManifestSource.load([file], unknownFields: .warning).problems.filter { $0.severity == .error }
            .map { "\($0.field): \($0.message)" }
    }

    @Test("what is valid is read")
    func valid() throws {
        #expect(try problems(base) == [])
        let folder = try TemporaryDirectory()
        let file = try folder.write(base, to: "m.yaml")
        let sets = ManifestSource.load([file], unknownFields: .error).snapshot.listenerSets
        #expect(sets.values.map { $0.spec.listeners.map(\.name) } == [["tcp", "tls", "pass"]])
    }

    @Test("one fault each", arguments: cases)
    func invalid(item: ValidationCase) throws {
        let changed = item.base.replacing(item.old, with: item.new, maxReplacements: 1)
        #expect(changed != item.base)
        #expect(try problems(changed) == item.expected)
    }

    @Test("which ListenerSets a Gateway allows")
    func allowedListeners() throws {
        let gateway = """
            apiVersion: gateway.networking.k8s.io/v1
            kind: Gateway
            metadata: {name: edge}
            spec:
              gatewayClassName: sluice
              allowedListeners: {namespaces: {from: Nobody}}
              listeners: [{name: tcp, port: 5432, protocol: TCP}]
            """
        #expect(
            try problems(gateway) == [
                "spec.allowedListeners.namespaces.from: must be All or None or Same or Selector, found \"Nobody\""
            ])
    }
}
