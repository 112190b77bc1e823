internal import COpenSSL
internal import Certificates
internal import EngineModel

/// Public keys of which an endpoint's certificate must have one.
final class BackendPins: Sendable {
    /// The verify result of a certificate that has none of them; OpenSSL answers it with the alert certificate_unknown.
    static let verifyResult: Int32 = 50_101
    /// Base64 of a SHA-256.
    private static let hashLength = 44

    private let hashes: [[UInt8]]
    /// Whether the key is all that counts: neither who issued the certificate nor its names and dates are looked at.
    private let areAlone: Bool

    init(_ hashes: Set<String>, areAlone: Bool) throws(TLSSetupError) {
        guard !hashes.isEmpty else { throw TLSSetupError("no public key is pinned") }
        for hash in hashes where hash.utf8.count != BackendPins.hashLength {
            throw TLSSetupError("\(hash) is no SHA-256 in base64")
        }
        self.hashes = hashes.map { Array($0.utf8) }
        self.areAlone = areAlone
    }

    /// Endpoints of `context`, which must not outlive this while it connects, are held against it at every full handshake.
    func install(in context: OpaquePointer) {
        SSL_CTX_set_cert_verify_callback(
            context,
            { verification, argument in
                guard let verification, let argument else { return 0 }
                let own = Unmanaged<BackendPins>.fromOpaque(argument).takeUnretainedValue()
                return own.verify(verification) ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func verify(_ verification: OpaquePointer) -> Bool {
        guard areAlone || X509_verify_cert(verification) > 0 else { return false }
        let isPinned = X509_STORE_CTX_get0_cert(verification).map(contain) ?? false
        if !isPinned {
            X509_STORE_CTX_set_error(verification, BackendPins.verifyResult)
        } else if areAlone {
            X509_STORE_CTX_set_error(verification, X509_V_OK)
        }
        return isPinned
    }

    /// Whether an `X509 *` has one of the keys. Looks at all of them, and at all bytes of each.
    func contain(_ certificate: OpaquePointer) -> Bool {
        let own = Array(publicKeyHash(of: certificate).utf8)
        guard own.count == BackendPins.hashLength else { return false }
        var found = 0
        for hash in hashes where CRYPTO_memcmp(hash, own, own.count) == 0 { found += 1 }
        return found > 0
    }
}
