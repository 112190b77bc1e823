internal import Certificates
internal import FoundationEssentials
internal import KubernetesAPI
internal import Primitives
internal import YAML

/// The reading of one object: where it stands, and what was found wrong with it on the way.
struct ObjectReading {
    let file: String
    let identity: ObjectIdentity
    /// Where the object stands in a List, such as `items[3]`; empty otherwise.
    let prefix: String
    let unknownFields: ManifestProblem.Severity
    let facts: FactsCache
    private(set) var problems: [ManifestProblem] = []
    /// Whether a problem makes the object unusable.
    private(set) var isRefused = false
    private var node: YAMLNode?

    init(
        file: String, identity: ObjectIdentity, prefix: String, unknownFields: ManifestProblem.Severity,
        facts: FactsCache
    ) {
        self.file = file
        self.identity = identity
        self.prefix = prefix
        self.unknownFields = unknownFields
        self.facts = facts
    }

    mutating func refuse(_ problem: YAMLProblem) {
        isRefused = true
        add(.error, problem)
    }

    /// Decodes and checks an object, and gives a namespaced one its namespace.
    mutating func decode<Resource: ValidatedResource>(_ type: Resource.Type, from node: YAMLNode)
        throws(YAMLProblem) -> Resource
    {
        self.node = node
        let decoder = YAMLDecoder(file: file) { ($0 as? any FieldListing.Type)?.unreadFields ?? [] }
        let decoded = try decoder.decode(type, from: node, prefix: prefix)
        for problem in decoded.unknownFields { add(unknownFields, problem) }
        var resource = decoded.value
        for problem in resource.fieldProblems() { refuse(problem) }
        resource.metadata.namespace = identity.key.namespace.isEmpty ? nil : identity.key.namespace
        return resource
    }

    /// What a snapshot keeps of a Secret.
    mutating func entry(of secret: Secret) -> SecretEntry {
        let names = ["tls.crt", "tls.key", "ca.crt"]
        var content = decoded(secret.data, field: "data", names: names)
        for (name, text) in secret.stringData ?? [:] where names.contains(name) { content[name] = Array(text.utf8) }
        var entry = SecretEntry(metadata: secret.metadata, type: secret.type)
        entry.keyPair = facts.keyPair(of: identity, certificate: content["tls.crt"], key: content["tls.key"])
        entry.caCertificates = facts.trust(of: identity, pem: content["ca.crt"])
        if case .failure(let problem)? = entry.keyPair { report(problem, "data[tls.crt]") }
        if case .failure(let problem)? = entry.caCertificates { report(problem, "data[ca.crt]") }
        return entry
    }

    /// What a snapshot keeps of a ConfigMap.
    mutating func entry(of configMap: ConfigMap) -> ConfigMapEntry {
        var content = decoded(configMap.binaryData, field: "binaryData", names: ["ca.crt"])
        if let text = configMap.data?["ca.crt"] { content["ca.crt"] = Array(text.utf8) }
        var entry = ConfigMapEntry(metadata: configMap.metadata)
        entry.caCertificates = facts.trust(of: identity, pem: content["ca.crt"])
        if case .failure(let problem)? = entry.caCertificates { report(problem, "data[ca.crt]") }
        return entry
    }

    /// Every value is checked, as the API server does; those of interest are returned.
    private mutating func decoded(_ data: [String: String]?, field: String, names: [String]) -> [String: [UInt8]] {
        var content: [String: [UInt8]] = [:]
        for (name, text) in (data ?? [:]).sorted(by: { $0.key < $1.key }) {
            // As Go's decoder does, which Kubernetes uses: line ends are skipped, nothing else.
            guard let bytes = Data(base64Encoded: text.filter { !$0.isNewline }) else {
                refuse(FieldProblem("\(field)[\(name)]", "is not base64 (use stringData for plain text)"))
                continue
            }
            if names.contains(name) { content[name] = Array(bytes) }
        }
        return content
    }

    private mutating func refuse(_ problem: FieldProblem) {
        isRefused = true
        let field = prefix.isEmpty ? problem.field : "\(prefix).\(problem.field)"
        add(.error, YAMLProblem(line: line(of: problem.field), field: field, message: problem.message))
    }

    /// Bytes that are no usable certificate do not make an object unusable: its users are told.
    private mutating func report(_ problem: CertificateProblem, _ field: String) {
        let path = prefix.isEmpty ? field : "\(prefix).\(field)"
        add(.error, YAMLProblem(line: line(of: field), field: path, message: problem.message))
    }

    private func line(of field: String) -> Int { node?.nearestNode(atField: field).line ?? 0 }

    private mutating func add(_ severity: ManifestProblem.Severity, _ problem: YAMLProblem) {
        problems.append(
            ManifestProblem(
                severity, file: file, line: problem.line, object: identity.description, field: problem.field,
                message: problem.message))
    }
}
