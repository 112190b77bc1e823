internal import COpenSSL
public import Primitives

/// The parsed pair behind a `KeyMaterial`. The pointers stay valid while the storage lives; who keeps one longer takes a
/// reference (SSL_CTX_use_certificate, SSL_CTX_add1_chain_cert and SSL_CTX_use_PrivateKey do).
// Sendable because nothing in it changes after init (the certificates' extension caches are filled there), and OpenSSL's
// reference counts are atomic.
public final class KeyPairStorage: KeyMaterialStorage, @unchecked Sendable {
    /// The certificate that the key belongs to: an `X509 *`.
    public let leaf: OpaquePointer
    /// What follows it in tls.crt, in the order of the file: `X509 *` each.
    public let chain: [OpaquePointer]
    /// An `EVP_PKEY *`; its secrets are zeroed when the last reference goes.
    public let privateKey: OpaquePointer

    /// Takes a reference of its own on each.
    init(leaf: Certificate, chain: [Certificate], privateKey: PrivateKey) {
        self.leaf = leaf.retained()
        self.chain = chain.map { $0.retained() }
        self.privateKey = privateKey.retained()
    }

    deinit {
        X509_free(leaf)
        for certificate in chain { X509_free(certificate) }
        EVP_PKEY_free(privateKey)
    }
}
