internal import COpenSSL
internal import Certificates

/// What listeners speak where nobody says otherwise. OpenSSL's own defaults are a client's: they have key exchange without forward
/// secrecy, CBC, and groups so large that a client's share of 8 KiB costs us ten milliseconds of a core (CVE-2022-40735).
enum TLSDefaults {
    /// Of TLS 1.2: forward secrecy and authenticated encryption. In OpenSSL's order; all of TLS 1.3's suites are such.
    static let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"

    /// Elliptic curves alone; those that this OpenSSL knows (ML-KEM from 3.5 on).
    static let groups: [String] = {
        let wanted = ["X25519MLKEM768", "X25519", "P-256", "X448", "P-384", "P-521"]
        let unknown = unknownTLSNames(ciphers: [], groups: wanted, signatureAlgorithms: []).groups
        return wanted.filter { !unknown.contains($0) }
    }()

    /// What clients may sign with, and we: SHA-256 or better, no DSA.
    static let signatureAlgorithms = [
        "ECDSA+SHA256", "ECDSA+SHA384", "ECDSA+SHA512", "ed25519", "ed448", "rsa_pss_pss_sha256", "rsa_pss_pss_sha384",
        "rsa_pss_pss_sha512", "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384", "rsa_pss_rsae_sha512", "RSA+SHA256",
        "RSA+SHA384", "RSA+SHA512",
    ]

    /// For a listener's context, before what was configured for it.
    static func apply(to context: OpaquePointer) throws(TLSSetupError) {
        guard SSL_CTX_set_cipher_list(context, ciphers) == 1 else { throw TLSSetupError("default ciphers") }
        try setGroups(of: context, groups)
        try setSignatureAlgorithms(of: context, signatureAlgorithms)
    }
}
