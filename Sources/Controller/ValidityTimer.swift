public import KubernetesAPI
internal import Primitives

extension ClusterSnapshot {
    /// The next moment after `asOf`, in seconds since 1970, at which a certificate begins or ceases to be valid: the
    /// translation may say something else from then on. Nil where none comes.
    public var nextValidityChange: Int64? {
        var moments: [Int64] = []
        for secret in secrets.values {
            if case .success(let pair) = secret.keyPair { moments += [pair.notBefore, pair.notAfter + 1] }
            if case .success(let trust) = secret.caCertificates { moments.append(trust.notAfter + 1) }
        }
        for configMap in configMaps.values {
            if case .success(let trust) = configMap.caCertificates { moments.append(trust.notAfter + 1) }
        }
        return moments.filter { $0 > asOf }.min()
    }
}
