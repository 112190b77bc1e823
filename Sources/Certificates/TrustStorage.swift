internal import COpenSSL
public import Primitives

/// The parsed CA certificates behind a `KeyMaterial`. The pointers stay valid while the storage lives; X509_STORE_add_cert
/// takes a reference of its own.
// Sendable because nothing in it changes after init (the certificates' extension caches are filled there), and OpenSSL's
// reference counts are atomic.
public final class TrustStorage: KeyMaterialStorage, @unchecked Sendable {
    /// `X509 *` each, in the order of the file.
    public let certificates: [OpaquePointer]

    /// Takes a reference of its own on each.
    init(_ certificates: [Certificate]) { self.certificates = certificates.map { $0.retained() } }

    deinit { for certificate in certificates { X509_free(certificate) } }
}
