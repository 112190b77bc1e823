internal import COpenSSL
internal import Glibc

/// A certificate revocation list of a test authority.
public struct TestRevocationList: Sendable {
    public let pem: String
    public let der: [UInt8]
}

/// What a revocation list says. Times are seconds relative to now.
public struct TestRevocationRequest: Sendable {
    /// Leaves that the list names.
    public var revoked: [TestCertificate] = []
    /// Whether it names the CA's intermediate.
    public var revokesIntermediate = false
    /// Whether the intermediate is who makes it.
    public var ofIntermediate = false
    public var lastUpdate = -3600
    /// Nil: it never runs out.
    public var nextUpdate: Int? = 24 * 3600
    /// The extension issuingDistributionPoint in OpenSSL's text: `critical,fullname:URI:http://crl.test/a`.
    public var distributionPoint: String?
    /// Whether it says that it is a delta list.
    public var isDelta = false

    public init(revoking revoked: TestCertificate...) { self.revoked = revoked }
}

extension TestCA {
    /// Revokes certificates that it issued itself. `lastUpdate` and `nextUpdate` are seconds relative to now; `nextUpdate` nil
    /// leaves the field out.
    public func revocationList(
        revoking certificates: [TestCertificate] = [], lastUpdate: Int = -60, nextUpdate: Int? = 24 * 3600
    ) throws -> TestRevocationList {
        var request = TestRevocationRequest()
        (request.revoked, request.lastUpdate, request.nextUpdate) = (certificates, lastUpdate, nextUpdate)
        return try revocationList(request)
    }

    /// In PEM.
    public func revocationPEM(_ request: TestRevocationRequest = TestRevocationRequest()) throws -> String {
        try revocationList(request).pem
    }

    public func revocationList(_ request: TestRevocationRequest) throws -> TestRevocationList {
        guard let list = X509_CRL_new() else { throw TestFailure("no memory") }
        defer { X509_CRL_free(list) }
        let (issuer, key) = request.ofIntermediate ? (intermediate, intermediateKey) : (certificate, self.key)
        X509_CRL_set_version(list, 1)
        X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer.pointer))
        try setTime(request.lastUpdate) { X509_CRL_set1_lastUpdate(list, $0) }
        if let next = request.nextUpdate { try setTime(next) { X509_CRL_set1_nextUpdate(list, $0) } }
        for certificate in request.revoked { try revoke(try serial(ofPEM: certificate.leafPEM), in: list) }
        if request.revokesIntermediate {
            try revoke(ASN1_INTEGER_dup(X509_get0_serialNumber(intermediate.pointer)), in: list)
        }
        if let point = request.distributionPoint { try add(NID_issuing_distribution_point, point, to: list) }
        if request.isDelta { try add(NID_delta_crl, "critical,DER:02:01:01", to: list) }
        X509_CRL_sort(list)
        guard X509_CRL_sign(list, key.pointer, key.digest) > 0 else {
            throw TestFailure("cannot sign the list: \(openSSLErrors())")
        }
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = i2d_X509_CRL(list, &bytes)
        guard count > 0, let bytes else { throw TestFailure("cannot encode: \(openSSLErrors())") }
        defer { sluice_openssl_free(bytes) }
        return try TestRevocationList(
            pem: pemText { PEM_write_bio_X509_CRL($0, list) },
            der: Array(UnsafeBufferPointer(start: bytes, count: Int(count))))
    }

    private func setTime(_ seconds: Int, _ body: (UnsafeMutablePointer<ASN1_TIME>) -> Int32) throws {
        guard let moment = ASN1_TIME_set(nil, time(nil) + seconds) else { throw TestFailure("no memory") }
        defer { ASN1_TIME_free(moment) }
        guard body(moment) == 1 else { throw TestFailure(openSSLErrors()) }
    }

    private func revoke(_ serial: UnsafeMutablePointer<ASN1_INTEGER>?, in list: OpaquePointer) throws {
        guard let serial, let entry = X509_REVOKED_new() else { throw TestFailure("no memory") }
        defer { ASN1_INTEGER_free(serial) }
        X509_REVOKED_set_serialNumber(entry, serial)
        try setTime(-60) { X509_REVOKED_set_revocationDate(entry, $0) }
        X509_CRL_add0_revoked(list, entry)
    }

    private func serial(ofPEM pem: String) throws -> UnsafeMutablePointer<ASN1_INTEGER>? {
        let bytes = Array(pem.utf8)
        return try bytes.withUnsafeBytes { buffer in
            guard let source = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else {
                throw TestFailure("no memory")
            }
            defer { BIO_free(source) }
            guard let certificate = PEM_read_bio_X509(source, nil, nil, nil) else { throw TestFailure(openSSLErrors()) }
            defer { X509_free(certificate) }
            return ASN1_INTEGER_dup(X509_get0_serialNumber(certificate))
        }
    }

    private func add(_ identifier: Int32, _ value: String, to list: OpaquePointer) throws {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate.pointer, nil, nil, list, 0)
        guard let item = X509V3_EXT_nconf_nid(nil, &context, identifier, value) else {
            throw TestFailure("cannot make the extension \(value): \(openSSLErrors())")
        }
        X509_CRL_add_ext(list, item, -1)
        X509_EXTENSION_free(item)
    }
}
