internal import KubernetesAPI
internal import Primitives

/// A reference that leads to nothing that can be used.
struct ReferenceFailure: Error {
    let verdict: Verdict
    init(_ reason: Condition.Reason, _ message: String) { verdict = Verdict(reason, message) }
}

/// CA certificates that can be used, and what deserves to be said about them.
struct CARead {
    let trust: TrustFacts
    let remarks: [String]
}

/// Why an object gives no CA certificate.
struct CAProblem: Error {
    let message: String
}

/// The CA certificates of a ConfigMap or Secret, from its `ca.crt`.
func caCertificates(_ kind: String, _ key: ObjectKey, in snapshot: ClusterSnapshot) -> Result<CARead, CAProblem> {
    let name = "\(kind) \(key)"
    let entry: (facts: Result<TrustFacts, CertificateProblem>?, stale: String?)? =
        kind == "Secret"
        ? snapshot.secrets[key].map { ($0.caCertificates, $0.staleReason) }
        : snapshot.configMaps[key].map { ($0.caCertificates, $0.staleReason) }
    guard let entry else { return .failure(CAProblem(message: absence(of: kind, key, in: snapshot))) }
    switch entry.facts {
    case nil: return .failure(CAProblem(message: "\(name) has no ca.crt"))
    case .failure(let problem): return .failure(CAProblem(message: "\(name): \(problem.message)"))
    case .success(let facts):
        var remarks: [String] = []
        if let stale = entry.stale {
            remarks.append("\(name): the last good CA certificates are used, because \(stale)")
        }
        if snapshot.asOf >= facts.notAfter { remarks.append("\(name): a CA certificate has expired") }
        return .success(CARead(trust: facts, remarks: remarks))
    }
}

/// Why a Secret or ConfigMap that is referred to is not known.
func absence(of kind: String, _ key: ObjectKey, in snapshot: ClusterSnapshot) -> String {
    let isSecret = kind == "Secret"
    if (isSecret ? snapshot.unread.secrets : snapshot.unread.configMaps).contains(key) {
        return "\(kind) \(key) could not be read: the API server has not answered, and the cache does not have it"
    }
    let denied = isSecret ? snapshot.notPermitted.secrets : snapshot.notPermitted.configMaps
    guard denied.contains(key) else { return "\(kind) \(key) does not exist" }
    return "\(kind) \(key) may not be read: the right to list and watch it in namespace \(key.namespace) is missing"
}

/// A key pair that can be used, and what deserves to be said about it.
struct KeyPairRead {
    let pair: KeyPairFacts
    let remarks: [String]
}

/// The key pair that an object of Gateway API's `kind` in `namespace` refers to in its field `field`. What is invalid has
/// the reason `invalid`.
func keyPair(
    _ reference: SecretObjectReference, field: String, of kind: String, in namespace: String,
    invalid: Condition.Reason, _ snapshot: ClusterSnapshot, grants: GrantIndex
) -> Result<KeyPairRead, ReferenceFailure> {
    guard reference.effectiveGroup.isEmpty, reference.effectiveKind == "Secret" else {
        let group = reference.effectiveGroup.isEmpty ? "" : ".\(reference.effectiveGroup)"
        return .failure(
            .init(
                invalid,
                "\(field) \(reference.name): kind \(reference.effectiveKind)\(group) is not supported (supported: Secret)"
            ))
    }
    let target = ObjectKey(namespace: reference.namespace ?? namespace, name: reference.name)
    guard grants.permits(kind, in: namespace, toGroup: "", toKind: "Secret", target) else {
        return .failure(
            .init(
                .refNotPermitted,
                "Secret \(target): no ReferenceGrant in \(target.namespace) lets \(kind)s of \(namespace) use it"))
    }
    guard let secret = snapshot.secrets[target] else {
        return .failure(.init(invalid, absence(of: "Secret", target, in: snapshot)))
    }
    switch secret.keyPair {
    case nil: return .failure(.init(invalid, "Secret \(target) has no tls.crt and tls.key"))
    case .failure(let problem): return .failure(.init(invalid, "Secret \(target): \(problem.message)"))
    case .success(let facts):
        let remarks = certificateRemarks(facts, target, secret.staleReason, asOf: snapshot.asOf)
        return .success(KeyPairRead(pair: facts, remarks: remarks))
    }
}

/// What deserves to be known about a certificate that is used all the same.
private func certificateRemarks(
    _ facts: KeyPairFacts, _ secret: ObjectKey, _ staleReason: String?, asOf: Int64
) -> [String] {
    var remarks: [String] = []
    if let staleReason {
        remarks.append("Secret \(secret): the last good certificate is served, because \(staleReason)")
    }
    if asOf >= facts.notAfter {
        remarks.append("Secret \(secret): the certificate has expired")
    } else if asOf < facts.notBefore {
        remarks.append("Secret \(secret): the certificate is not valid yet")
    }
    return remarks + facts.chainProblems.map { "Secret \(secret): \($0)" }
}
