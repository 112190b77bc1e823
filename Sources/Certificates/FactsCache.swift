public import Primitives

/// Facts by object and bytes, so that OpenSSL sees each certificate once, whatever else in its object changes. Holds digests
/// and facts, no bytes. Used by one thread. `Key` tells the objects apart.
public final class FactsCache<Key: Hashable> {
    private struct Known<Facts> {
        var digest: ContentDigest
        var facts: Result<Facts, CertificateProblem>
    }

    private var pairs: [Key: Known<KeyPairFacts>] = [:]
    private var trusts: [Key: Known<TrustFacts>] = [:]
    /// How often OpenSSL was asked.
    public private(set) var computations = 0

    public init() {}

    /// The facts of `tls.crt` and `tls.key`. Nil when there is neither; one without the other is a failure.
    public func keyPair(of key: Key, certificate: [UInt8]?, privateKey: [UInt8]?)
        -> Result<KeyPairFacts, CertificateProblem>?
    {
        switch (certificate, privateKey) {
        case (nil, nil): return nil
        case (nil, _?): return .failure(CertificateProblem("tls.key has no tls.crt beside it"))
        case (_?, nil): return .failure(CertificateProblem("tls.crt has no tls.key beside it"))
        case (let certificate?, let privateKey?):
            let digest = ContentDigest(certificate, privateKey)
            if let known = pairs[key], known.digest == digest { return known.facts }
            computations += 1
            let facts = keyPairFacts(certificatePEM: certificate, privateKeyPEM: privateKey)
            pairs[key] = Known(digest: digest, facts: facts)
            return facts
        }
    }

    /// The facts of `ca.crt`; nil where there is none.
    public func trust(of key: Key, pem: [UInt8]?) -> Result<TrustFacts, CertificateProblem>? {
        guard let pem else { return nil }
        let digest = ContentDigest(pem)
        if let known = trusts[key], known.digest == digest { return known.facts }
        computations += 1
        let facts = trustFacts(pem: pem)
        trusts[key] = Known(digest: digest, facts: facts)
        return facts
    }

    /// The object is gone.
    public func forget(_ key: Key) { (pairs[key], trusts[key]) = (nil, nil) }
}

/// Tells contents apart: 128 bits of two hashes that are seeded anew in each process.
public struct ContentDigest: Hashable, Sendable {
    private let first: Int
    private let second: Int
    private let count: Int

    public init(_ bytes: [UInt8], _ more: [UInt8] = []) {
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
