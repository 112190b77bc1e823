internal import COpenSSL
internal import Glibc

/// Builds and owns one `X509 *`.
// Sendable because the certificate is never changed after init and OpenSSL's reference counts are atomic.
final class SignedCertificate: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ request: TestCertificateRequest, key: TestKey, issuer: SignedCertificate?, issuerKey: TestKey) throws {
        guard let certificate = X509_new() else { throw TestFailure("no memory") }
        pointer = certificate
        X509_set_version(certificate, 2)
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), UInt64.random(in: 1...UInt64(Int64.max)))
        let now = time(nil)
        ASN1_TIME_set(X509_getm_notBefore(certificate), now + request.notBefore)
        ASN1_TIME_set(X509_getm_notAfter(certificate), now + request.notAfter)
        X509_set_pubkey(certificate, key.pointer)
        if let name = request.commonName {
            X509_NAME_add_entry_by_txt(
                X509_get_subject_name(certificate), "CN", utf8String, name, -1, -1, 0)
        }
        X509_set_issuer_name(certificate, X509_get_subject_name(issuer?.pointer ?? certificate))
        try addExtensions(request, issuer: issuer)
        guard X509_sign(certificate, issuerKey.pointer, issuerKey.digest) > 0 else {
            throw TestFailure("cannot sign: \(openSSLErrors())")
        }
    }

    deinit { X509_free(pointer) }

    func pem() throws -> String { try pemText { PEM_write_bio_X509($0, pointer) } }

    private func addExtensions(_ request: TestCertificateRequest, issuer: SignedCertificate?) throws {
        try add(NID_subject_key_identifier, "hash", issuer)
        try add(NID_authority_key_identifier, "keyid", issuer)
        try add(NID_basic_constraints, request.isCA ? "critical,CA:TRUE" : "critical,CA:FALSE", issuer)
        try add(NID_key_usage, request.isCA ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature", issuer)
        if let usage = request.extendedKeyUsage { try add(NID_ext_key_usage, usage, issuer) }
        if let url = request.issuerURL { try add(NID_info_access, "caIssuers;URI:\(url)", issuer) }
        if let url = request.revocationURL { try add(NID_crl_distribution_points, "URI:\(url)", issuer) }
        try addNames(request)
    }

    private func add(_ identifier: Int32, _ value: String, _ issuer: SignedCertificate?) throws {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer?.pointer ?? pointer, pointer, nil, nil, 0)
        guard let item = X509V3_EXT_nconf_nid(nil, &context, identifier, value) else {
            throw TestFailure("cannot make the extension \(value): \(openSSLErrors())")
        }
        X509_add_ext(pointer, item, -1)
        X509_EXTENSION_free(item)
    }

    private func addNames(_ request: TestCertificateRequest) throws {
        guard !(request.dnsNames + request.ips + request.uris + request.emails).isEmpty else { return }
        guard let names = OPENSSL_sk_new_null() else { throw TestFailure("no memory") }
        defer { GENERAL_NAMES_free(names) }
        for (type, values) in [(GEN_DNS, request.dnsNames), (GEN_URI, request.uris), (GEN_EMAIL, request.emails)] {
            for value in values {
                guard let string = ASN1_STRING_type_new(V_ASN1_IA5STRING) else { throw TestFailure("no memory") }
                ASN1_STRING_set(string, value, Int32(value.utf8.count))
                push(names, type, string)
            }
        }
        for ip in request.ips {
            guard let octets = a2i_IPADDRESS(ip) else { throw TestFailure("\(ip) is no IP address") }
            push(names, GEN_IPADD, octets)
        }
        guard X509_add1_ext_i2d(pointer, NID_subject_alt_name, UnsafeMutableRawPointer(names), 0, 0) == 1 else {
            throw TestFailure("cannot add subjectAltName: \(openSSLErrors())")
        }
    }

    private func push(_ names: OpaquePointer, _ type: Int32, _ value: UnsafeMutablePointer<ASN1_STRING>) {
        guard let name = GENERAL_NAME_new() else { return }
        GENERAL_NAME_set0_value(name, type, value)
        OPENSSL_sk_push(names, name)
    }
}

/// `MBSTRING_UTF8`, a macro that Swift does not import.
private let utf8String: Int32 = 0x1000

/// SHA-256 of a certificate's DER in lower-case hex.
func certificateFingerprint(_ certificate: OpaquePointer) -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    X509_digest(certificate, EVP_sha256(), &digest, &length)
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
