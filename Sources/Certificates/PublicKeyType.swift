internal import COpenSSL
internal import Primitives

/// What kind of key an `EVP_PKEY *` is, and whether TLS can use it.
struct PublicKeyType {
    let type: KeyPairFacts.KeyType
    /// For messages: `RSA 2048`, `ECDSA P-256`.
    let name: String
    /// Why TLS cannot use it; nil where it can.
    let objection: String?

    init(_ key: OpaquePointer) {
        let identifier = EVP_PKEY_get_base_id(key)
        switch identifier {
        case EVP_PKEY_RSA, EVP_PKEY_RSA_PSS:
            let bits = Int(EVP_PKEY_get_bits(key))
            let isPSS = identifier == EVP_PKEY_RSA_PSS
            type = isPSS ? .other("RSA-PSS") : .rsa(bits: bits)
            name = (isPSS ? "RSA-PSS " : "RSA ") + String(bits)
            objection = bits < 2048 ? "RSA keys below 2048 bits are refused by TLS libraries" : nil
        case EVP_PKEY_EC:
            let curve = PublicKeyType.curve(key)
            type = .ecdsa(curve: curve)
            name = "ECDSA \(curve)"
            objection = ["P-256", "P-384", "P-521"].contains(curve) ? nil : "TLS clients do not know this curve"
        case EVP_PKEY_ED25519: (type, name, objection) = (.other("Ed25519"), "Ed25519", nil)
        case EVP_PKEY_ED448: (type, name, objection) = (.other("Ed448"), "Ed448", nil)
        default:
            name = EVP_PKEY_get0_type_name(key).map { String(cString: $0) } ?? "of an unknown type"
            type = .other(name)
            objection = "TLS needs RSA, ECDSA (P-256, P-384, P-521), Ed25519 or Ed448"
        }
    }

    /// NIST's name where there is one, else OpenSSL's.
    private static func curve(_ key: OpaquePointer) -> String {
        var buffer = [CChar](repeating: 0, count: 80)
        var length = 0
        guard EVP_PKEY_get_group_name(key, &buffer, buffer.count, &length) == 1 else {
            ERR_clear_error()
            return "with explicit curve parameters"
        }
        let name = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return switch name {
        case "prime256v1", "secp256r1": "P-256"
        case "secp384r1": "P-384"
        case "secp521r1": "P-521"
        default: name
        }
    }
}
