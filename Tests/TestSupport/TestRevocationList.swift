internal import COpenSSL
internal import Glibc

/// A certificate revocation list of a test authority.
public struct TestRevocationList: Sendable {
    public let pem: String
    public let der: [UInt8]
}

extension TestCA {
    /// Revokes certificates that it issued itself. `lastUpdate` and `nextUpdate` are seconds relative to now; `nextUpdate` nil
    /// leaves the field out.
    public func revocationList(
        revoking certificates: [TestCertificate] = [], lastUpdate: Int = -60, nextUpdate: Int? = 24 * 3600
    ) throws -> TestRevocationList {
        guard let list = X509_CRL_new() else { throw TestFailure("no memory") }
        defer { X509_CRL_free(list) }
        X509_CRL_set_version(list, 1)
        X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate.pointer))
        let now = time(nil)
        try set(now + lastUpdate) { X509_CRL_set1_lastUpdate(list, $0) }
        if let nextUpdate { try set(now + nextUpdate) { X509_CRL_set1_nextUpdate(list, $0) } }
        for revoked in certificates { try add(revoked, to: list, at: now + lastUpdate) }
        X509_CRL_sort(list)
        guard X509_CRL_sign(list, key.pointer, key.digest) > 0 else {
            throw TestFailure("cannot sign: \(openSSLErrors())")
        }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_CRL(list, &bytes)
        guard count > 0, let bytes else { throw TestFailure("cannot encode: \(openSSLErrors())") }
        defer { sluice_openssl_free(bytes) }
        return try TestRevocationList(
            pem: pemText { PEM_write_bio_X509_CRL($0, list) },
            der: Array(UnsafeBufferPointer(start: bytes, count: Int(count))))
    }

    private func add(_ certificate: TestCertificate, to list: OpaquePointer, at moment: Int) throws {
        guard let entry = X509_REVOKED_new(), let source = BIO_new_mem_buf(certificate.leafPEM, -1) else {
            throw TestFailure("no memory")
        }
        defer { BIO_free(source) }
        guard let parsed = PEM_read_bio_X509(source, nil, nil, nil) else {
            throw TestFailure("cannot read: \(openSSLErrors())")
        }
        defer { X509_free(parsed) }
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(parsed))
        try set(moment) { X509_REVOKED_set_revocationDate(entry, $0) }
        guard X509_CRL_add0_revoked(list, entry) == 1 else { throw TestFailure("cannot add: \(openSSLErrors())") }
    }

    private func set(_ moment: Int, _ body: (UnsafeMutablePointer<ASN1_TIME>) -> Int32) throws {
        guard let value = ASN1_TIME_set(nil, moment) else { throw TestFailure("no memory") }
        defer { ASN1_TIME_free(value) }
        guard body(value) == 1 else { throw TestFailure("cannot set a time: \(openSSLErrors())") }
    }
}
