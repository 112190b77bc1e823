internal import COpenSSL

/// Names of TLS parameters that the linked OpenSSL does not know, or that cannot be used with it.
public struct UnknownTLSNames: Hashable, Sendable {
    public var ciphers: [String] = []
    public var groups: [String] = []
    public var signatureAlgorithms: [String] = []

    public var isEmpty: Bool { ciphers.isEmpty && groups.isEmpty && signatureAlgorithms.isEmpty }
}

/// Which of these are not names as OpenSSL has them: suites of TLS 1.2 (`ECDHE-RSA-AES128-GCM-SHA256`; no lists or classes of
/// suites, nothing without encryption or certificates), groups (`X25519`, `P-256`) and signature algorithms
/// (`rsa_pss_rsae_sha256`, `ECDSA+SHA256`). Depends on the linked library only. Any thread.
public func unknownTLSNames(
    ciphers: [String] = [], groups: [String] = [], signatureAlgorithms: [String] = []
) -> UnknownTLSNames {
    defer { ERR_clear_error() }
    return UnknownTLSNames(
        ciphers: ciphers.filter { !isCipher($0) }, groups: groups.filter { !isGroup($0) },
        signatureAlgorithms: signatureAlgorithms.filter { !isSignatureAlgorithm($0) })
}

private func isCipher(_ name: String) -> Bool {
    guard isPlain(name), let context = sluice_client_context() else { return false }
    defer { SSL_CTX_free(context) }
    guard sluice_context_set_versions(context, TLS1_2_VERSION, TLS1_2_VERSION) == 1,
        SSL_CTX_set_cipher_list(context, name) == 1, let ssl = SSL_new(context)
    else { return false }
    defer { SSL_free(ssl) }
    // What the library's security level allows, without the suites of shared secrets and passwords.
    guard let supported = SSL_get1_supported_ciphers(ssl) else { return false }
    defer { OPENSSL_sk_free(supported) }
    guard OPENSSL_sk_num(supported) == 1, let value = OPENSSL_sk_value(supported, 0) else { return false }
    let cipher = OpaquePointer(value)
    return SSL_CIPHER_get_name(cipher).map { String(cString: $0) } == name
        && SSL_CIPHER_get_auth_nid(cipher) != NID_auth_null && SSL_CIPHER_get_cipher_nid(cipher) != NID_undef
}

private func isGroup(_ name: String) -> Bool {
    guard isPlain(name), name.lowercased() != "default", let context = sluice_client_context() else { return false }
    defer { SSL_CTX_free(context) }
    return sluice_context_set_groups(context, name) == 1
}

private func isSignatureAlgorithm(_ name: String) -> Bool {
    guard isPlain(name), let context = sluice_client_context() else { return false }
    defer { SSL_CTX_free(context) }
    return sluice_context_set_signature_algorithms(context, name) == 1
}

/// One name without the signs by which OpenSSL's lists join, prefer and exclude.
private func isPlain(_ name: String) -> Bool {
    guard let first = name.utf8.first, isLetterOrDigit(first) else { return false }
    return name.utf8.allSatisfy { isLetterOrDigit($0) || [0x2d, 0x5f, 0x2b].contains($0) }
}

private func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
}
