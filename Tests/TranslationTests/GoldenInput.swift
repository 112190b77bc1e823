import KubernetesAPI
import Patterns
import Primitives
import Translation
import YAML

/// Manifests of one golden case as a snapshot, with what surrounds them.
///
/// A document of kind `Surroundings` (first or anywhere) sets options, time and the engine's answer. Secrets and
/// ConfigMaps hold placeholders instead of PEM: `FAKE:dns=a.example.com,*.b.com;key=ecdsa;notAfter=100;chain=text` for a
/// pair (in `tls.crt`), `FAKE:subject` for a CA (in `ca.crt`), `BAD:message` for what cannot be used. The annotation
/// `test/stale` stands for newer bytes that are bad.
struct GoldenInput {
    var snapshot = ClusterSnapshot(asOf: 1_000_000)
    var surroundings = Surroundings()
    var expectations: [Expectations] = []

    /// What holds of the snapshot, or of the snapshot without some objects.
    struct Expectations: Codable {
        /// Such as `ReferenceGrant apps/grant`.
        var without: [String]?
        var expect: [String]
    }

    struct Surroundings: Codable {
        var standalone: Bool?
        var controllerName: String?
        var reservedPorts: [UInt16]?
        /// Gateways are exposed by Services, in the namespace `sluice-system`, whose ports are these: first and last.
        var servicePorts: [UInt16]?
        var asOf: Int64?
        /// Binding to `bound` or `failed ERRNO MESSAGE`; absent: the engine has not answered.
        var acknowledgement: [String: String]?
        var localAddresses: [String]?
        /// The version of the Gateway API CRDs.
        var bundle: String?
        /// The only namespaces that are known.
        var scope: [String]?
        /// Where the process runs.
        var zone: String?
        var node: String?
        /// By pattern: why it cannot be used.
        var patternProblems: [String: String]?
    }

    var options: TranslationOptions {
        var options = TranslationOptions()
        options.standalone = surroundings.standalone ?? true
        options.controllerName = surroundings.controllerName ?? options.controllerName
        (options.zone, options.node) = (surroundings.zone, surroundings.node)
        options.reservedPorts = Set(surroundings.reservedPorts ?? [])
        if let ports = surroundings.servicePorts, let first = ports.first, let last = ports.last {
            options.exposure = .service
            options.installation = TranslationOptions.Installation(
                namespace: "sluice-system", podLabels: ["app": "sluice"])
            options.installation?.ports = first...last
        }
        return options
    }

    init(parsing text: String, file: String) throws {
        let stream = YAMLStream(parsing: text.utf8, file: file)
        if let problem = stream.problem { throw problem }
        for document in stream.documents {
            if let problem = document.problems.first { throw problem }
            guard !document.root.isNull else { continue }
            try add(document.root, file: file)
        }
        if let asOf = surroundings.asOf { snapshot.asOf = asOf }
        snapshot.patternProblems = surroundings.patternProblems ?? [:]
        if let scope = surroundings.scope { snapshot.scope = .namespaces(scope) }
        var problems = PatternProblems()
        snapshot.patternProblems = problems.of(snapshot.backendPolicies.values.flatMap(\.patterns))
        snapshot.gatewayAPIBundle = surroundings.bundle.map { GatewayAPIBundle(version: $0, channel: "standard") }
    }

    private mutating func add(_ node: YAMLNode, file: String) throws {
        func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
            let decoder = YAMLDecoder(file: file) { ($0 as? any FieldListing.Type)?.unreadFields ?? [] }
            let result = try decoder.decode(type, from: node)
            if let unknown = result.unknownFields.first { throw unknown }
            return result.value
        }
        func put<Value: KubernetesResource>(_ path: WritableKeyPath<ClusterSnapshot, [ObjectKey: Value]>) throws {
            let value = try decoded(Value.self)
            guard snapshot[keyPath: path].updateValue(value, forKey: value.key) == nil else {
                throw InputProblem(text: "\(file): \(Value.resourceKind.kind) \(value.key) is given twice")
            }
        }
        switch node["kind"]?.string {
        case "Surroundings":
            surroundings = try YAMLDecoder(file: file) { _ in ["kind"] }.decode(Surroundings.self, from: node).value
        case "Expectations":
            expectations.append(
                try YAMLDecoder(file: file) { _ in ["kind"] }.decode(Expectations.self, from: node).value)
        case "GatewayClass": try put(\.gatewayClasses)
        case "Gateway": try put(\.gateways)
        case "ListenerSet": try put(\.listenerSets)
        case "TCPRoute": try put(\.tcpRoutes)
        case "TLSRoute": try put(\.tlsRoutes)
        case "ReferenceGrant": try put(\.referenceGrants)
        case "BackendTLSPolicy": try put(\.backendTLSPolicies)
        case "Backend": try put(\.backends)
        case "GatewayParameters": try put(\.gatewayParameters)
        case "ClientPolicy": try put(\.clientPolicies)
        case "BackendPolicy": try put(\.backendPolicies)
        case "Node": try put(\.nodes)
        case "Service": try put(\.services)
        case "EndpointSlice": try put(\.endpointSlices)
        case "Namespace": try put(\.namespaces)
        case "Secret":
            let secret = try decoded(Secret.self)
            snapshot.secrets[secret.key] = SecretEntry(secret)
        case "ConfigMap":
            let map = try decoded(ConfigMap.self)
            snapshot.configMaps[map.key] = ConfigMapEntry(
                metadata: map.metadata, caCertificates: fakeTrust(map.data?["ca.crt"]),
                staleReason: map.metadata.annotations?["test/stale"])
        case let kind: throw InputProblem(text: "\(file): kind \(kind ?? "none") is not known to this test")
        }
    }
}

struct InputProblem: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

/// Stands for keys; there are none.
final class FakeMaterial: KeyMaterialStorage {}

extension SecretEntry {
    init(_ secret: Secret) {
        let stale = secret.metadata.annotations?["test/stale"]
        let pair: Result<KeyPairFacts, CertificateProblem>? =
            secret.data?["tls.crt"].map { fakePair($0) }
            ?? (secret.data?["tls.key"] == nil ? nil : .failure(CertificateProblem("tls.crt is missing")))
        self.init(
            metadata: secret.metadata, type: secret.type, keyPair: pair,
            caCertificates: fakeTrust(secret.data?["ca.crt"]), staleReason: stale)
    }
}

private func fakePair(_ text: String) -> Result<KeyPairFacts, CertificateProblem> {
    guard text.hasPrefix("FAKE:") else { return .failure(CertificateProblem(String(text.dropFirst("BAD:".count)))) }
    var fields: [String: String] = [:]
    for part in text.dropFirst("FAKE:".count).split(separator: ";") {
        let halves = part.split(separator: "=", maxSplits: 1)
        fields[String(halves[0])] = String(halves[1])
    }
    let names = (fields["dns"] ?? "").split(separator: ",").compactMap { HostnamePattern($0) }
    return .success(
        KeyPairFacts(
            keyType: fields["key"] == "ecdsa" ? .ecdsa(curve: "P-256") : .rsa(bits: 2048), dnsNames: names,
            notBefore: fields["notBefore"].flatMap { Int64($0) } ?? 0,
            notAfter: fields["notAfter"].flatMap { Int64($0) } ?? 4_000_000_000, fingerprint: "", spkiHash: "",
            chainLength: 1,
            chainProblems: fields["chain"].map { [$0] } ?? [],
            material: KeyMaterial(fingerprint: text, storage: FakeMaterial())))
}

private func fakeTrust(_ text: String?) -> Result<TrustFacts, CertificateProblem>? {
    guard let text else { return nil }
    guard text.hasPrefix("FAKE:") else { return .failure(CertificateProblem(String(text.dropFirst("BAD:".count)))) }
    let parts = text.dropFirst("FAKE:".count).split(separator: ";")
    return .success(
        TrustFacts(
            subjects: [String(parts[0])], notAfter: parts.dropFirst().first.flatMap { Int64($0) } ?? 4_000_000_000,
            material: KeyMaterial(fingerprint: text, storage: FakeMaterial())))
}
