internal import Certificates
internal import KubernetesAPI
internal import Primitives

/// The files under `secrets/NAMESPACE/NAME`: a mounted certificate volume. With a key pair it counts as that Secret; with
/// `ca.crt` alone as the Secret and the ConfigMap of that name, because either may be what the volume was made of.
struct CertificateVolume {
    static let fileNames = ["tls.crt", "tls.key", "ca.crt"]

    var key: ObjectKey
    /// Contents by name; a file that is not there is left out.
    var contents: [String: [UInt8]]

    /// The volume that a file belongs to, by its path below the root of the tree; nil when it belongs to none.
    static func key(ofFile path: String) -> ObjectKey? {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "secrets", fileNames.contains(String(parts[3])) else { return nil }
        return ObjectKey(namespace: String(parts[1]), name: String(parts[2]))
    }

    /// `pairProblem`: the pair is not usable, which passes when its files are being replaced one by one.
    func parse(path: String, facts: FactsCache<ObjectIdentity>) -> (content: ParsedFile, pairProblem: Bool) {
        var content = ParsedFile()
        let secret = ObjectIdentity(kind: "Secret", key: key)
        let metadata = ObjectMeta(name: key.name, namespace: key.namespace)
        let pair = facts.keyPair(of: secret, certificate: contents["tls.crt"], privateKey: contents["tls.key"])
        let trust = facts.trust(of: secret, pem: contents["ca.crt"])
        func report(_ message: String, in file: String) {
            content.problems.append(
                ManifestProblem(.error, file: "\(path)/\(file)", object: secret.description, message: message))
        }
        for problem in metadata.problems(of: Secret.resourceKind) {
            content.problems.append(
                ManifestProblem(.error, file: path, object: secret.description, message: problem.message))
        }
        guard content.problems.isEmpty else { return (content, false) }
        var pairProblem = false
        if case .failure(let problem)? = pair {
            pairProblem = true
            report(problem.message, in: "tls.crt")
        }
        if case .failure(let problem)? = trust { report(problem.message, in: "ca.crt") }
        let entry = SecretEntry(
            metadata: metadata, type: pair == nil ? nil : "kubernetes.io/tls", keyPair: pair, caCertificates: trust)
        content.claims.append(Claim(identity: secret, place: "secret", line: 0, object: .secret(entry)))
        if pair == nil {
            let identity = ObjectIdentity(kind: "ConfigMap", key: key)
            let entry = ConfigMapEntry(metadata: metadata, caCertificates: trust)
            content.claims.append(Claim(identity: identity, place: "configMap", line: 0, object: .configMap(entry)))
        }
        return (content, pairProblem)
    }
}
