internal import COpenSSL
internal import EngineModel

/// Who the client of a connection is, by a certificate that was verified in its handshake or in the one its session comes
/// from; nil without one.
func verifiedIdentity(of ssl: OpaquePointer) -> ClientIdentity? {
    guard let certificate = SSL_get0_peer_certificate(ssl), SSL_get_verify_result(ssl) == Int(X509_V_OK) else {
        return nil
    }
    return ClientIdentity(certificate: certificate)
}

extension ClientIdentity {
    /// What an `X509 *` says. A name that is not ASCII, or that holds a NUL, is none.
    init(certificate: OpaquePointer) {
        defer { ERR_clear_error() }
        self.init(spkiHash: hashOfKey(certificate), issuerCommonNames: namesOfIssuer(certificate))
        guard let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return }
        let names = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(names) }
        for index in 0..<max(0, OPENSSL_sk_num(names)) {
            guard let entry = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self) else {
                continue
            }
            switch entry.pointee.type {
            case GEN_DNS:
                if let name = text(entry.pointee.d.dNSName) { dnsNames.append(name.lowercased()) }
            case GEN_URI:
                if let name = text(entry.pointee.d.uniformResourceIdentifier) { uris.append(name) }
            case GEN_EMAIL:
                if let name = text(entry.pointee.d.rfc822Name) { emails.append(name) }
            default: continue
            }
        }
    }
}

private func text(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String? {
    guard let string, let data = ASN1_STRING_get0_data(string) else { return nil }
    let bytes = UnsafeBufferPointer(start: data, count: Int(max(0, ASN1_STRING_length(string))))
    guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0 && $0 < 0x80 }) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
}

/// SHA-256 of the SubjectPublicKeyInfo, base64; empty where it cannot be written.
private func hashOfKey(_ certificate: OpaquePointer) -> String {
    var encoding: UnsafeMutablePointer<UInt8>?
    let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoding)
    guard count > 0, let encoding else { return "" }
    defer { sluice_openssl_free(encoding) }
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(encoding, Int(count), &digest)
    var text = [UInt8](repeating: 0, count: 45)
    let length = EVP_EncodeBlock(&text, digest, Int32(digest.count))
    return String(decoding: text.prefix(Int(max(0, length))), as: UTF8.self)
}

private func namesOfIssuer(_ certificate: OpaquePointer) -> [String] {
    guard let issuer = X509_get_issuer_name(certificate) else { return [] }
    var names: [String] = []
    var index = X509_NAME_get_index_by_NID(issuer, NID_commonName, -1)
    while index >= 0 {
        if let name = utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, index))) { names.append(name) }
        index = X509_NAME_get_index_by_NID(issuer, NID_commonName, index)
    }
    return names
}

private func utf8(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String? {
    guard let string else { return nil }
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = ASN1_STRING_to_UTF8(&bytes, string)
    guard count >= 0, let bytes else { return nil }
    defer { sluice_openssl_free(bytes) }
    let text = UnsafeBufferPointer(start: bytes, count: Int(count))
    guard !text.isEmpty, !text.contains(0) else { return nil }
    return String(decoding: text, as: UTF8.self)
}
