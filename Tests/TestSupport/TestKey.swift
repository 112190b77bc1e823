internal import COpenSSL

/// A private key made for a test.
// Sendable because the key is never changed after init and OpenSSL's reference counts are atomic.
public final class TestKey: @unchecked Sendable {
    public enum KeyType: Hashable, Sendable {
        case rsa2048
        case rsa(bits: Int)
        case ecdsaP256
        /// By OpenSSL's name: `P-384`, `secp256k1`.
        case ecdsa(curve: String)
        case ed25519
    }

    public enum Form: Hashable, Sendable {
        case pkcs8
        /// `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
        case traditional
        /// `ENCRYPTED PRIVATE KEY`.
        case encryptedPKCS8(passphrase: String)
        /// `Proc-Type: 4,ENCRYPTED`.
        case encryptedTraditional(passphrase: String)
    }

    let pointer: OpaquePointer
    let type: KeyType

    public init(_ type: KeyType) throws {
        let made: OpaquePointer? =
            switch type {
            case .rsa2048: sluice_generate_rsa_key(2048)
            case .rsa(let bits): sluice_generate_rsa_key(UInt32(bits))
            case .ecdsaP256: sluice_generate_ec_key("P-256")
            case .ecdsa(let curve): sluice_generate_ec_key(curve)
            case .ed25519: sluice_generate_ed25519_key()
            }
        guard let made else { throw TestFailure("cannot make a key of type \(type): \(openSSLErrors())") }
        pointer = made
        self.type = type
    }

    deinit { EVP_PKEY_free(pointer) }

    public func pem(_ form: Form = .pkcs8) throws -> String {
        try pemText { output in
            switch form {
            case .pkcs8: PEM_write_bio_PKCS8PrivateKey(output, pointer, nil, nil, 0, nil, nil)
            case .traditional: PEM_write_bio_PrivateKey_traditional(output, pointer, nil, nil, 0, nil, nil)
            case .encryptedPKCS8(let phrase):
                PEM_write_bio_PKCS8PrivateKey(
                    output, pointer, EVP_aes_256_cbc(), phrase, Int32(phrase.utf8.count), nil, nil)
            case .encryptedTraditional(let phrase):
                PEM_write_bio_PrivateKey_traditional(
                    output, pointer, EVP_aes_256_cbc(), Array(phrase.utf8), Int32(phrase.utf8.count), nil, nil)
            }
        }
    }

    /// `PUBLIC KEY`.
    public func publicPEM() throws -> String { try pemText { PEM_write_bio_PUBKEY($0, pointer) } }

    /// The digest it signs with; Ed25519 has its own.
    var digest: OpaquePointer? { type == .ed25519 ? nil : EVP_sha256() }
}

func pemText(_ write: (OpaquePointer) -> Int32) throws -> String {
    guard let output = BIO_new(BIO_s_mem()) else { throw TestFailure("no memory") }
    defer { BIO_free(output) }
    guard write(output) == 1 else { throw TestFailure("cannot write PEM: \(openSSLErrors())") }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = BIO_read(output, &buffer, Int32(buffer.count))
    return String(decoding: buffer.prefix(max(0, Int(count))), as: UTF8.self)
}

/// Empties this thread's error queue and puts it into words.
func openSSLErrors() -> String {
    var reasons: [String] = []
    while true {
        let code = ERR_get_error()
        guard code != 0 else { break }
        reasons.append(ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(code)")
    }
    return reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
}
