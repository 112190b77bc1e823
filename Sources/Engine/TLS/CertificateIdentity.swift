internal import COpenSSL
internal import EngineModel

/// Who a client is by its certificate, an `X509 *`: what its subjectAltName holds, byte for byte, its key and its issuer.
/// Whether it verified is another question.
func clientIdentity(of certificate: OpaquePointer) -> ClientIdentity {
    defer { ERR_clear_error() }
    var identity = ClientIdentity(
        spkiHash: publicKeyHash(of: certificate), issuerCommonNames: commonNames(X509_get_issuer_name(certificate)))
    guard let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return identity }
    let names = OpaquePointer(raw)
    defer { GENERAL_NAMES_free(names) }
    for index in 0..<max(0, OPENSSL_sk_num(names)) {
        guard let name = OPENSSL_sk_value(names, index)?.assumingMemoryBound(to: GENERAL_NAME.self),
            [GEN_DNS, GEN_URI, GEN_EMAIL].contains(name.pointee.type), let text = text(of: name.pointee.d.ia5)
        else { continue }
        switch name.pointee.type {
        case GEN_DNS: identity.dnsNames.append(lowercased(text))
        case GEN_URI: identity.uris.append(text)
        case GEN_EMAIL: identity.emails.append(text)
        default: break
        }
    }
    return identity
}

/// Who the client of a connection is, by a certificate that was verified in its handshake or in the one its session comes
/// from; nil without one.
func verifiedIdentity(of ssl: OpaquePointer) -> ClientIdentity? {
    guard let certificate = SSL_get0_peer_certificate(ssl), SSL_get_verify_result(ssl) == Int(X509_V_OK) else {
        return nil
    }
    return clientIdentity(of: certificate)
}

/// SHA-256 of the SubjectPublicKeyInfo of an `X509 *`, base64.
func publicKeyHash(of certificate: OpaquePointer) -> String {
    var encoding: UnsafeMutablePointer<UInt8>?
    let count = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &encoding)
    guard count > 0, let encoding else { return "" }
    defer { sluice_openssl_free(encoding) }
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(encoding, Int(count), &digest)
    var text = [UInt8](repeating: 0, count: 45)
    let length = EVP_EncodeBlock(&text, digest, 32)
    return String(decoding: text.prefix(max(0, Int(length))), as: UTF8.self)
}

/// The common names of an `X509_NAME *`, the first one first.
func commonNames(_ name: OpaquePointer?) -> [String] {
    guard let name else { return [] }
    var found: [String] = []
    var index = X509_NAME_get_index_by_NID(name, NID_commonName, -1)
    while index >= 0 {
        var utf8: UnsafeMutablePointer<UInt8>?
        if let entry = X509_NAME_get_entry(name, index), let value = X509_NAME_ENTRY_get_data(entry) {
            let count = ASN1_STRING_to_UTF8(&utf8, value)
            if count >= 0, let utf8 {
                found.append(String(decoding: UnsafeBufferPointer(start: utf8, count: Int(count)), as: UTF8.self))
                sluice_openssl_free(utf8)
            }
        }
        index = X509_NAME_get_index_by_NID(name, NID_commonName, index)
    }
    return found
}

/// Only what is UTF-8: other bytes would be made equal to others that they are not.
private func text(of string: UnsafeMutablePointer<ASN1_IA5STRING>?) -> String? {
    guard let string, let data = ASN1_STRING_get0_data(string) else { return nil }
    return String(validating: UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(string))), as: UTF8.self)
}

/// ASCII letters only, as DNS has them.
private func lowercased(_ text: String) -> String {
    String(decoding: text.utf8.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
}
