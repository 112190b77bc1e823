public import Primitives

/// Facts by object and bytes, so that OpenSSL sees each certificate once, whatever else in its object changes. Holds digests
/// and facts, no bytes. Used by one thread. `Key` tells the objects apart.
public final class FactsCache<Key: Hashable> {
    private struct Known<Facts, Problem: Error> {
        var digest: ContentDigest
        var facts: Result<Facts, Problem>
    }

    private var pairs: [Key: Known<KeyPairFacts, CertificateProblem>] = [:]
    private var trusts: [Key: Known<TrustFacts, CertificateProblem>] = [:]
    /// By file.
    private var revocations: [Key: [String: Known<RevocationFacts, CertificateProblem>]] = [:]
    private var lists: [Key: [String: Known<AddressList, AddressListProblem>]] = [:]
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

    /// Revocation lists by file, of all files that could hold one: any but those of key pairs and CA certificates.
    public func revocationLists(of key: Key, files: [String: [UInt8]])
        -> [String: Result<RevocationFacts, CertificateProblem>]
    {
        facts(of: files, known: &revocations[key]) { file, bytes in
            computations += 1
            return revocationFacts(bytes, file: file)
        }
    }

    /// Lists of addresses by file, of all files that could be one: any but those of key pairs and CA certificates.
    public func addressLists(of key: Key, files: [String: [UInt8]])
        -> [String: Result<AddressList, AddressListProblem>]
    {
        facts(of: files, known: &lists[key]) { _, bytes in
            Result { () throws(AddressListProblem) in try AddressList(utf8: bytes) }
        }
    }

    private func facts<Facts, Problem>(
        of files: [String: [UInt8]], known: inout [String: Known<Facts, Problem>]?,
        _ make: (String, [UInt8]) -> Result<Facts, Problem>
    ) -> [String: Result<Facts, Problem>] {
        var now: [String: Known<Facts, Problem>] = [:]
        for (file, bytes) in files where !["tls.crt", "tls.key", "ca.crt"].contains(file) {
            let digest = ContentDigest(bytes)
            if let last = known?[file], last.digest == digest {
                now[file] = last
            } else {
                now[file] = Known(digest: digest, facts: make(file, bytes))
            }
        }
        known = now.isEmpty ? nil : now
        return now.mapValues(\.facts)
    }

    /// The object is gone.
    public func forget(_ key: Key) {
        (pairs[key], trusts[key], revocations[key], lists[key]) = (nil, nil, nil, nil)
    }
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
