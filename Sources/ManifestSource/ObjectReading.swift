internal import Certificates
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
    let facts: FactsCache<ObjectIdentity>
    private(set) var problems: [ManifestProblem] = []
    /// Whether a problem makes the object unusable.
    private(set) var isRefused = false
    private var node: YAMLNode?

    init(
        file: String, identity: ObjectIdentity, prefix: String, unknownFields: ManifestProblem.Severity,
        facts: FactsCache<ObjectIdentity>
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
        let content = checked(CertificateContent(secret))
        var entry = SecretEntry(metadata: secret.metadata, type: secret.type)
        entry.keyPair = facts.keyPair(of: identity, certificate: content["tls.crt"], privateKey: content["tls.key"])
        entry.caCertificates = facts.trust(of: identity, pem: content["ca.crt"])
        entry.revocationLists = facts.revocationLists(of: identity, files: content)
        if case .failure(let problem)? = entry.keyPair { report(problem, "data[tls.crt]") }
        if case .failure(let problem)? = entry.caCertificates { report(problem, "data[ca.crt]") }
        return entry
    }

    /// What a snapshot keeps of a ConfigMap.
    mutating func entry(of configMap: ConfigMap) -> ConfigMapEntry {
        let content = checked(CertificateContent(configMap))
        var entry = ConfigMapEntry(metadata: configMap.metadata)
        entry.caCertificates = facts.trust(of: identity, pem: content["ca.crt"])
        // Whether a key is meant to be a list is known to those who refer to it: they say what is wrong with it.
        entry.revocationLists = facts.revocationLists(of: identity, files: content)
        entry.addressLists = facts.addressLists(of: identity, files: content)
        if case .failure(let problem)? = entry.caCertificates { report(problem, "data[ca.crt]") }
        return entry
    }

    private mutating func checked(_ content: CertificateContent) -> [String: [UInt8]] {
        for problem in content.problems { refuse(problem) }
        return content.files
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
