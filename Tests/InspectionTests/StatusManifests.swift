import EngineModel
import FoundationEssentials
import Inspection
import KubernetesAPI
import Patterns
import Primitives
import TestSupport
import Translation
import YAML

/// Manifests as a snapshot, and what the gateway makes of it where everything can be bound. Certificates are given as
/// `FAKE:a.example.com;100` (names and notAfter) in place of PEM.
struct StatusManifests {
    var snapshot = ClusterSnapshot(asOf: 1_000_000)

    static let folder = String(#filePath.dropLast("Tests/InspectionTests/StatusManifests.swift".count))

    /// Files below the repository, or folders of them.
    init(_ paths: String...) throws {
        for path in paths {
            let path = StatusManifests.folder + path
            let isFile = path.hasSuffix(".yaml")
            let names = isFile ? [""] : try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            for name in names where isFile || name.hasSuffix(".yaml") {
                let file = isFile ? path : "\(path)/\(name)"
                try add(text: String(contentsOfFile: file, encoding: .utf8), file: file)
            }
        }
    }

    init(text: String) throws { try add(text: text, file: "test") }

    /// The tree's input. `failed`: ports that cannot be bound.
    func inspected(failed: Set<UInt16> = []) -> Inspected {
        var options = TranslationOptions()
        options.standalone = true
        let result = translate(snapshot, options: options)
        var acknowledgement = Acknowledgement(generation: 7, bindings: [:])
        for binding in result.configuration.listeners.flatMap(\.bindings) {
            let failure = BindFailure(errno: 98, message: "port \(binding.port) is in use by redis-server (pid 812)")
            acknowledgement.bindings[binding] = failed.contains(binding.port) ? .failed(failure) : .bound
        }
        let statuses = compose(
            result.statuses, acknowledgement, addresses: [IPAddress("192.0.2.1")].compactMap { $0 })
        var inspected = Inspected(
            snapshot: snapshot, configuration: result.configuration, statuses: statuses,
            acknowledgement: acknowledgement)
        inspected.notices = result.notices
        return inspected
    }

    private mutating func add(text: String, file: String) throws {
        let stream = YAMLStream(parsing: text.utf8, file: file)
        if let problem = stream.problem { throw problem }
        for document in stream.documents where !document.root.isNull {
            if let problem = document.problems.first { throw problem }
            try add(document.root, file: file)
        }
        var problems = PatternProblems()
        snapshot.patternProblems = problems.of(snapshot.backendPolicies.values.flatMap(\.patterns))
    }

    private mutating func add(_ node: YAMLNode, file: String) throws {
        func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
            let decoder = YAMLDecoder(file: file) { ($0 as? any FieldListing.Type)?.unreadFields ?? [] }
            return try decoder.decode(type, from: node).value
        }
        func put<Value: KubernetesResource>(_ path: WritableKeyPath<ClusterSnapshot, [ObjectKey: Value]>) throws {
            let value = try decoded(Value.self)
            snapshot[keyPath: path][value.key] = value
        }
        switch node["kind"]?.string {
        case "Gateway": try put(\.gateways)
        case "ListenerSet": try put(\.listenerSets)
        case "TCPRoute": try put(\.tcpRoutes)
        case "TLSRoute": try put(\.tlsRoutes)
        case "ReferenceGrant": try put(\.referenceGrants)
        case "BackendTLSPolicy": try put(\.backendTLSPolicies)
        case "Backend": try put(\.backends)
        case "ClientPolicy": try put(\.clientPolicies)
        case "BackendPolicy": try put(\.backendPolicies)
        case "Service": try put(\.services)
        case "EndpointSlice": try put(\.endpointSlices)
        case "Namespace": try put(\.namespaces)
        case "Secret":
            let secret = try decoded(Secret.self)
            snapshot.secrets[secret.key] = SecretEntry(
                metadata: secret.metadata, type: secret.type,
                keyPair: secret.data?["tls.crt"].map { .success(KeyPairFacts(fake: $0)) })
        case "ConfigMap":
            let map = try decoded(ConfigMap.self)
            snapshot.configMaps[map.key] = ConfigMapEntry(
                metadata: map.metadata, caCertificates: map.data?["ca.crt"].map { .success(TrustFacts(fake: $0)) })
        case let kind: throw TestFailure("\(file): kind \(kind ?? "none") is not known to this test")
        }
    }
}

private final class FakeMaterial: KeyMaterialStorage {}

private func fakeParts(_ text: String) -> (names: [String], notAfter: Int64) {
    let parts = text.dropFirst("FAKE:".count).split(separator: ";")
    return (
        parts.first.map { $0.split(separator: ",").map(String.init) } ?? [],
        parts.last.flatMap { Int64($0) } ?? 4_000_000_000
    )
}

extension KeyPairFacts {
    init(fake text: String) {
        let (names, notAfter) = fakeParts(text)
        self.init(
            keyType: .ecdsa(curve: "P-256"), dnsNames: names.compactMap { HostnamePattern($0) }, notBefore: 0,
            notAfter: notAfter, fingerprint: text, spkiHash: "", chainLength: 1, chainProblems: [],
            material: KeyMaterial(fingerprint: text, storage: FakeMaterial()))
    }
}

extension TrustFacts {
    init(fake text: String) {
        let (names, notAfter) = fakeParts(text)
        self.init(
            subjects: names, notAfter: notAfter, material: KeyMaterial(fingerprint: text, storage: FakeMaterial()))
    }
}
