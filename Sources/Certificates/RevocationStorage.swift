internal import COpenSSL
public import Primitives

/// The parsed certificate revocation lists behind a `KeyMaterial`. The pointers stay valid while the storage lives;
/// X509_STORE_add_crl takes a reference of its own.
// Sendable because nothing in it changes after init but the order of a list's entries, which OpenSSL sorts under the list's own
// lock; OpenSSL's reference counts are atomic.
public final class RevocationStorage: KeyMaterialStorage, @unchecked Sendable {
    /// `X509_CRL *` each, in the order of the file.
    public let lists: [OpaquePointer]

    /// Takes over the references.
    init(owning lists: [OpaquePointer]) { self.lists = lists }

    deinit { for list in lists { X509_CRL_free(list) } }
}
