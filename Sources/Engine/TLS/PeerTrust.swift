internal import COpenSSL
internal import Certificates
internal import EngineModel
internal import Primitives

/// The CA certificates that peers are verified by, in the form a context takes. Owns one `X509_STORE *`.
final class PeerTrust: @unchecked Sendable {
    // Sendable because the store is filled in init; OpenSSL locks what verifying changes in it.
    let store: OpaquePointer
    /// One certificate per subject, borrowed from `bundles`.
    private var subjects: [OpaquePointer] = []
    private let bundles: [TrustFacts]
    /// What clients are told of whom they may come from is left out above this: a CertificateRequest holds 64 KiB.
    private static let namesLimit = 32 << 10
    /// Certificates between the client's and a CA.
    private static let depth: Int32 = 10

    init(_ bundles: [TrustFacts]) throws(TLSSetupError) {
        guard let store = X509_STORE_new() else { throw TLSSetupError("no trust store") }
        (self.store, self.bundles) = (store, bundles)
        var names: Set<[UInt8]> = []
        for bundle in bundles {
            guard let trust = bundle.material.storage as? TrustStorage else {
                throw TLSSetupError("CA bundle \(bundle.material) is not loaded")
            }
            for certificate in trust.certificates {
                guard X509_STORE_add_cert(store, certificate) == 1 else { throw TLSSetupError("CA certificate") }
                if names.insert(PeerTrust.subject(of: certificate)).inserted { subjects.append(certificate) }
            }
        }
        if names.reduce(0, { $0 + $1.count + 2 }) > PeerTrust.namesLimit { subjects = [] }
    }

    deinit { X509_STORE_free(store) }

    /// All of them, borrowed: `X509 *` each.
    var authorities: [OpaquePointer] {
        bundles.flatMap { ($0.material.storage as? TrustStorage)?.certificates ?? [] }
    }

    /// Peers of `context` are verified by these.
    func install(in context: OpaquePointer) throws(TLSSetupError) {
        guard sluice_context_set_trust(context, store) == 1 else { throw TLSSetupError("trust store") }
    }

    /// Asks the clients of `context` for certificates and says whose.
    func install(in context: OpaquePointer, mode: ClientValidation.Mode) throws(TLSSetupError) {
        try install(in: context)
        for certificate in subjects where SSL_CTX_add_client_CA(context, certificate) != 1 {
            throw TLSSetupError("CA names")
        }
        guard sluice_context_ask_for_certificate(context, mode == .validOnly ? 1 : 0, PeerTrust.depth) == 1 else {
            throw TLSSetupError("client validation")
        }
    }

    /// In DER.
    private static func subject(of certificate: OpaquePointer) -> [UInt8] {
        guard let name = X509_get_subject_name(certificate) else { return [] }
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        guard X509_NAME_get0_der(name, &bytes, &count) == 1 else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
