internal import FoundationEssentials
internal import Primitives

/// The files in a Secret or ConfigMap, decoded.
public struct CertificateContent {
    /// By key: certificates, keys, lists, and whatever else stands there.
    public private(set) var files: [String: [UInt8]] = [:]
    /// Values that are no base64, whatever their key.
    public private(set) var problems: [FieldProblem] = []

    /// Every value is checked, as the API server does.
    public init(_ secret: Secret) {
        decode(secret.data, field: "data")
        for (name, text) in secret.stringData ?? [:] { files[name] = Array(text.utf8) }
    }

    /// Every value is checked, as the API server does.
    public init(_ configMap: ConfigMap) {
        decode(configMap.binaryData, field: "binaryData")
        for (name, text) in configMap.data ?? [:] { files[name] = Array(text.utf8) }
    }

    private mutating func decode(_ data: [String: String]?, field: String) {
        for (name, text) in (data ?? [:]).sorted(by: { $0.key < $1.key }) {
            // As Go's decoder does, which Kubernetes uses: line ends are skipped, nothing else.
            guard let bytes = Data(base64Encoded: text.filter { !$0.isNewline }) else {
                problems.append(
                    FieldProblem("\(field)[\(name)]", "is not base64 (use stringData for plain text)"))
                continue
            }
            files[name] = Array(bytes)
        }
    }
}

extension SecretEntry {
    /// The same entry with the last good facts where the new bytes cannot be used.
    public func keepingGoodFacts(of last: SecretEntry?) -> SecretEntry {
        guard let last else { return self }
        var (entry, reasons) = (self, [String]())
        entry.keyPair = kept(keyPair, last.keyPair, &reasons)
        entry.caCertificates = kept(caCertificates, last.caCertificates, &reasons)
        if !reasons.isEmpty { entry.staleReason = reasons.joined(separator: "; ") }
        return entry
    }
}

extension ConfigMapEntry {
    /// The same entry with the last good certificates where the new bytes cannot be used. Lists are as they are now: what is
    /// kept of a policy whose lists are bad is the policy (Translation).
    public func keepingGoodFacts(of last: ConfigMapEntry?) -> ConfigMapEntry {
        guard let last else { return self }
        var (entry, reasons) = (self, [String]())
        entry.caCertificates = kept(caCertificates, last.caCertificates, &reasons)
        if !reasons.isEmpty { entry.staleReason = reasons.joined(separator: "; ") }
        return entry
    }
}

private func kept<Facts>(
    _ new: Result<Facts, CertificateProblem>?, _ old: Result<Facts, CertificateProblem>?, _ reasons: inout [String]
) -> Result<Facts, CertificateProblem>? {
    guard case .failure(let problem)? = new, case .success? = old else { return new }
    reasons.append(problem.description)
    return old
}

extension ClusterSnapshot {
    /// The next moment after ``asOf``, in seconds since 1970, at which a certificate or revocation list
    /// begins or ceases to be valid.
    public var nextValidityChange: Int64? { validityChanges.filter { $0 > asOf }.min() }

    /// Whether other certificates and revocation lists are valid at `moment`, in seconds since 1970, than at ``asOf``; which may
    /// be the later one, where the clock was set back.
    public func validityDiffers(at moment: Int64) -> Bool {
        let (first, last) = (min(asOf, moment), max(asOf, moment))
        return validityChanges.contains { first < $0 && $0 <= last }
    }

    /// Whether it holds certificates or revocation lists, which begin or cease to be valid at some time.
    public var dependsOnTime: Bool { !validityChanges.isEmpty }

    private var validityChanges: [Int64] {
        var moments: [Int64] = []
        for entry in secrets.values {
            if case .success(let pair)? = entry.keyPair { moments += [pair.notBefore, pair.notAfter + 1] }
            if case .success(let trust)? = entry.caCertificates { moments.append(trust.notAfter + 1) }
            moments += entry.revocationLists.values.compactMap(\.expiry)
        }
        for entry in configMaps.values {
            if case .success(let trust)? = entry.caCertificates { moments.append(trust.notAfter + 1) }
            moments += entry.revocationLists.values.compactMap(\.expiry)
        }
        return moments
    }
}

extension Result<RevocationFacts, CertificateProblem> {
    /// The first second at which one of the lists has expired.
    fileprivate var expiry: Int64? {
        if case .success(let facts) = self { facts.nextUpdate.map { $0 + 1 } } else { nil }
    }
}
