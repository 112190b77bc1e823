internal import COpenSSL
public import Primitives

/// Turns a Secret's `tls.crt` and `tls.key` into facts and opaque material. The certificates are in PEM, leaf first; the
/// key is in PKCS #8, PKCS #1 or SEC 1, without a passphrase. No clock is read: an expired pair is no problem here, its
/// facts say when it expires. Any thread.
public func keyPairFacts(certificatePEM: [UInt8], privateKeyPEM: [UInt8]) -> Result<KeyPairFacts, CertificateProblem> {
    do throws(CertificateProblem) {
        let certificates = try Certificate.readAll(certificatePEM, file: "tls.crt")
        let type = try checkLeaf(certificates[0])
        let key = try PrivateKey.read(privateKeyPEM, file: "tls.key")
        return .success(try facts(certificates, type, key))
    } catch {
        return .failure(error)
    }
}

private func facts(_ certificates: [Certificate], _ type: PublicKeyType, _ key: PrivateKey)
    throws(CertificateProblem) -> KeyPairFacts
{
    let leaf = certificates[0]
    try checkMatch(certificates, type, key)
    let chain = Array(certificates.dropFirst())
    try checkUsable(leaf, chain, key)
    guard let notBefore = leaf.notBefore, let notAfter = leaf.notAfter else {
        throw CertificateProblem("tls.crt: the validity of the certificate \(leaf.subject) cannot be read")
    }
    let names = leaf.names
    let keyInfo = leaf.publicKeyInfo
    let storage = KeyPairStorage(leaf: leaf, chain: chain, privateKey: key)
    return KeyPairFacts(
        keyType: type.type, dnsNames: names.patterns, notBefore: notBefore, notAfter: notAfter,
        fingerprint: hex(sha256(leaf.encoding)), spkiHash: base64(sha256(keyInfo)), chainLength: certificates.count,
        chainProblems: names.problems + chainProblems(certificates),
        material: KeyMaterial(
            fingerprint: fingerprint(kind: "key pair", certificates.map(\.encoding) + [keyInfo]), storage: storage))
}

private func checkLeaf(_ leaf: Certificate) throws(CertificateProblem) -> PublicKeyType {
    guard let publicKey = leaf.publicKey else {
        throw CertificateProblem(
            "tls.crt: the key of the certificate \(leaf.subject) (\(leaf.keyAlgorithm)) is not supported")
    }
    let type = PublicKeyType(publicKey)
    if let objection = type.objection {
        throw CertificateProblem(
            "tls.crt: the key of the certificate \(leaf.subject) (\(type.name)) cannot be used: \(objection)")
    }
    return type
}

/// Whether the key belongs to the first certificate; where it does not, the message says what is wrong.
private func checkMatch(_ certificates: [Certificate], _ type: PublicKeyType, _ key: PrivateKey)
    throws(CertificateProblem)
{
    let own = key.publicKeyInfo
    let leaf = certificates[0]
    guard matches(leaf, key) else {
        if let index = certificates.firstIndex(where: { $0.publicKeyInfo == own }) {
            throw CertificateProblem(
                "tls.crt: certificate \(index + 1) of \(certificates.count) (\(certificates[index].subject)) belongs to "
                    + "tls.key but is not first; the order is: that one, then its issuer, then the issuer's issuer")
        }
        throw CertificateProblem(
            "tls.key (\(key.type.name), public key \(short(own))) does not match the certificate \(leaf.subject) in "
                + "tls.crt (\(type.name), public key \(short(leaf.publicKeyInfo)))")
    }
    guard key.signs(for: leaf) else {
        throw CertificateProblem("tls.key is damaged: what it signs does not verify with the certificate in tls.crt")
    }
}

private func matches(_ certificate: Certificate, _ key: PrivateKey) -> Bool {
    defer { ERR_clear_error() }
    return X509_check_private_key(certificate.pointer, key.pointer) == 1
}

/// The beginning of a public key's hash: enough to tell two keys apart.
private func short(_ keyInfo: [UInt8]) -> String { "sha256:" + base64(sha256(keyInfo)).prefix(12) + "…" }

/// Asks OpenSSL itself, with the settings that connections will have: it refuses keys and signatures that are too weak.
private func checkUsable(_ leaf: Certificate, _ chain: [Certificate], _ key: PrivateKey) throws(CertificateProblem) {
    ERR_clear_error()
    guard let context = SSL_CTX_new(TLS_server_method()), let stack = OPENSSL_sk_new_null() else {
        throw CertificateProblem("OpenSSL cannot be used: \(drainErrors() ?? "no memory")")
    }
    defer {
        OPENSSL_sk_free(stack)
        SSL_CTX_free(context)
    }
    for certificate in chain { OPENSSL_sk_push(stack, UnsafeRawPointer(certificate.pointer)) }
    guard SSL_CTX_use_cert_and_key(context, leaf.pointer, key.pointer, stack, 1) == 1 else {
        throw CertificateProblem("tls.crt cannot be used with tls.key: \(drainErrors() ?? "OpenSSL refuses it")")
    }
    ERR_clear_error()
}
