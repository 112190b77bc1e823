internal import COpenSSL
internal import Platform
public import Primitives

/// What revocation lists say of a certificate.
public enum RevocationStatus: Hashable, Sendable {
    /// No list of its issuer is there.
    case notCovered
    case good
    case revoked
    /// The issuer's newest list has run out: nothing can be said, so nothing is to be accepted.
    case expired
}

/// One list: owns an `X509_CRL *`.
// Sendable because the list is only read after init (its entries are sorted there); what was learnt of it is behind a lock.
final class RevocationList: @unchecked Sendable {
    let pointer: OpaquePointer
    let issuer: String
    let thisUpdate: Int64
    /// Nil: it never runs out.
    let nextUpdate: Int64?
    /// Whether it is signed by a key, by the digest of that key: a signature is made over the whole list, which may be long.
    private let signers = Locked<[[UInt8]: Bool]>([:])
    private static let signersLimit = 64

    init(owning pointer: OpaquePointer, place: String) throws(CertificateProblem) {
        self.pointer = pointer
        issuer = distinguishedName(X509_CRL_get_issuer(pointer))
        let (this, next) = (epochSeconds(X509_CRL_get0_lastUpdate(pointer)), X509_CRL_get0_nextUpdate(pointer))
        (thisUpdate, nextUpdate) = (this ?? 0, next.flatMap { epochSeconds($0) })
        let problem = sluice_crl_problem(pointer).map { String(cString: $0) }
        // Sorts the entries, once.
        if let serial = ASN1_INTEGER_new() {
            X509_CRL_get0_by_serial(pointer, nil, serial)
            ASN1_INTEGER_free(serial)
        }
        ERR_clear_error()
        if let problem { throw CertificateProblem("\(place) cannot be used: \(problem)") }
        guard this != nil, next == nil || nextUpdate != nil else {
            throw CertificateProblem("\(place): the times of the list of \(issuer) cannot be read")
        }
    }

    deinit { X509_CRL_free(pointer) }

    var encoding: [UInt8] { encoded { i2d_X509_CRL(pointer, $0) } }

    /// Whether it speaks of a certificate: made by the same issuer, with the issuer's key.
    func covers(_ certificate: OpaquePointer, issuedBy issuer: OpaquePointer) -> Bool {
        defer { ERR_clear_error() }
        guard sluice_crl_is_about(pointer, certificate) == 1, sluice_may_sign_lists(issuer) == 1 else { return false }
        return isSigned(by: issuer)
    }

    /// Any thread; the first time takes as long as the list is.
    @discardableResult func isSigned(by issuer: OpaquePointer) -> Bool {
        let key = sha256(encoded { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(issuer), $0) })
        if let known = signers.withLock({ $0[key] }) { return known }
        let isSigned = X509_get0_pubkey(issuer).map { X509_CRL_verify(pointer, $0) == 1 } ?? false
        signers.withLock { signers in
            if signers.count >= RevocationList.signersLimit { signers.removeAll() }
            signers[key] = isSigned
        }
        return isSigned
    }

    func revokes(_ certificate: OpaquePointer) -> Bool {
        // 2: an entry that takes back an earlier one.
        X509_CRL_get0_by_serial(pointer, nil, X509_get0_serialNumber(certificate)) == 1
    }
}

/// The lists behind a `KeyMaterial`.
public final class RevocationStorage: KeyMaterialStorage {
    private let lists: [RevocationList]
    public var count: Int { lists.count }

    init(_ lists: [RevocationList]) { self.lists = lists }

    /// What the newest list of the issuer says. `certificate` and `issuer` are `X509 *`, and the one is known to have been
    /// issued by the other; `now` is in seconds since 1970. Any thread; the first question for an issuer checks the
    /// signatures of its lists.
    public func status(of certificate: OpaquePointer, issuedBy issuer: OpaquePointer, at now: Int64) -> RevocationStatus
    {
        let covering = lists.filter { $0.covers(certificate, issuedBy: issuer) }
        guard let newest = covering.map(\.thisUpdate).max() else { return .notCovered }
        let current = covering.filter { $0.thisUpdate == newest }
        if current.contains(where: { $0.revokes(certificate) }) { return .revoked }
        return current.contains { $0.nextUpdate.map { $0 <= now } ?? false } ? .expired : .good
    }

    /// Checks the signatures of `authority`'s lists now rather than in a handshake; `X509 *`.
    public func prepare(for authority: OpaquePointer) {
        let name = X509_get_subject_name(authority)
        for list in lists where X509_NAME_cmp(X509_CRL_get_issuer(list.pointer), name) == 0 {
            list.isSigned(by: authority)
        }
        ERR_clear_error()
    }
}
