internal import Certificates
internal import KubernetesAPI
internal import Primitives

/// Facts by object and bytes, so that OpenSSL sees each certificate once, whatever else in its file changes. Holds digests
/// and facts, no bytes. Used by one thread.
final class FactsCache {
    private struct Known<Facts> {
        var digest: Digest
        var facts: Result<Facts, CertificateProblem>
    }

    private var pairs: [ObjectIdentity: Known<KeyPairFacts>] = [:]
    private var trusts: [ObjectIdentity: Known<TrustFacts>] = [:]
    /// How often OpenSSL was asked.
    private(set) var computations = 0

    /// Nil when there is neither; one without the other is a failure.
    func keyPair(of identity: ObjectIdentity, certificate: [UInt8]?, key: [UInt8]?)
        -> Result<KeyPairFacts, CertificateProblem>?
    {
        switch (certificate, key) {
        case (nil, nil): return nil
        case (nil, _?): return .failure(CertificateProblem("tls.key has no tls.crt beside it"))
        case (_?, nil): return .failure(CertificateProblem("tls.crt has no tls.key beside it"))
        case (let certificate?, let key?):
            let digest = Digest(certificate, key)
            if let known = pairs[identity], known.digest == digest { return known.facts }
            computations += 1
            let facts = keyPairFacts(certificatePEM: certificate, privateKeyPEM: key)
            pairs[identity] = Known(digest: digest, facts: facts)
            return facts
        }
    }

    func trust(of identity: ObjectIdentity, pem: [UInt8]?) -> Result<TrustFacts, CertificateProblem>? {
        guard let pem else { return nil }
        let digest = Digest(pem, [])
        if let known = trusts[identity], known.digest == digest { return known.facts }
        computations += 1
        let facts = trustFacts(pem: pem)
        trusts[identity] = Known(digest: digest, facts: facts)
        return facts
    }

    /// The object is gone.
    func forget(_ identity: ObjectIdentity) { (pairs[identity], trusts[identity]) = (nil, nil) }
}

/// Tells contents apart: 128 bits of two hashes that are seeded anew in each process.
struct Digest: Hashable {
    private let first: Int
    private let second: Int
    private let count: Int

    init(_ bytes: [UInt8], _ more: [UInt8] = []) {
        (first, second) = (Self.hash(bytes, more, salt: 1), Self.hash(bytes, more, salt: 2))
        count = bytes.count + more.count
    }

    private static func hash(_ bytes: [UInt8], _ more: [UInt8], salt: UInt8) -> Int {
        var hasher = Hasher()
        hasher.combine(salt)
        hasher.combine(bytes.count)
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
        more.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
