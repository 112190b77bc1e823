internal import COpenSSL
internal import Primitives

/// One parsed private key: owns a reference on its `EVP_PKEY *`.
final class PrivateKey {
    let pointer: OpaquePointer
    var type: PublicKeyType { PublicKeyType(pointer) }

    private init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }

    func retained() -> OpaquePointer {
        EVP_PKEY_up_ref(pointer)
        return pointer
    }

    /// Its public half as SubjectPublicKeyInfo in DER; empty where the key has none that can be written.
    var publicKeyInfo: [UInt8] { encoded { i2d_PUBKEY(pointer, $0) } }

    /// The one private key of a file. Certificates and EC parameters beside it are passed over.
    static func read(_ text: [UInt8], file: String) throws(CertificateProblem) -> PrivateKey {
        let blocks = try readPEM(text, file: file)
        let keys = blocks.filter(\.isPrivateKey)
        guard let block = keys.first else {
            throw CertificateProblem("\(file) holds no private key\(found(blocks))")
        }
        guard keys.count == 1 else {
            throw CertificateProblem("\(file) holds \(keys.count) private keys; exactly one is needed")
        }
        guard !block.isEncrypted, block.label != "ENCRYPTED PRIVATE KEY" else {
            throw CertificateProblem("\(file): the private key is encrypted; it must be stored without a passphrase")
        }
        return try parse(block, file: file)
    }

    private static func parse(_ block: PEMBlock, file: String) throws(CertificateProblem) -> PrivateKey {
        ERR_clear_error()
        let pointer: OpaquePointer?
        var algorithm: String?
        switch block.label {
        case "PRIVATE KEY": (pointer, algorithm) = parsePKCS8(block)
        case "RSA PRIVATE KEY": pointer = parseTraditional(EVP_PKEY_RSA, block)
        case "EC PRIVATE KEY": pointer = parseTraditional(EVP_PKEY_EC, block)
        default:
            throw CertificateProblem(
                "\(file): a key in the form \(block.label) is not supported; PKCS #8 (PRIVATE KEY) is understood")
        }
        guard let pointer else {
            let reason = drainErrors() ?? "not a private key"
            let what = algorithm.map { " of type \($0)" } ?? ""
            throw CertificateProblem("\(file): \(block.place) is no readable private key\(what): \(reason)")
        }
        ERR_clear_error()
        let key = PrivateKey(owning: pointer)
        let type = key.type
        if let objection = type.objection {
            throw CertificateProblem("\(file): the private key (\(type.name)) cannot be used: \(objection)")
        }
        return key
    }

    private static func parsePKCS8(_ block: PEMBlock) -> (key: OpaquePointer?, algorithm: String?) {
        var cursor = UnsafePointer(block.bytes.baseAddress)
        guard let info = d2i_PKCS8_PRIV_KEY_INFO(nil, &cursor, block.bytes.count) else { return (nil, nil) }
        defer { PKCS8_PRIV_KEY_INFO_free(info) }
        var object: OpaquePointer?
        var algorithm: String?
        if PKCS8_pkey_get0(&object, nil, nil, nil, info) == 1, let object { algorithm = objectName(object) }
        return (EVP_PKCS82PKEY(info), algorithm)
    }

    private static func parseTraditional(_ type: Int32, _ block: PEMBlock) -> OpaquePointer? {
        var cursor = UnsafePointer(block.bytes.baseAddress)
        return d2i_PrivateKey(type, nil, &cursor, block.bytes.count)
    }

    /// Whether what it signs is accepted by the certificate's key: a damaged key can still carry a matching public half.
    func signs(for certificate: Certificate) -> Bool {
        defer { ERR_clear_error() }
        guard let publicKey = certificate.publicKey, let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        let message: [UInt8] = Array("sluice".utf8)
        var signature = [UInt8](repeating: 0, count: max(0, Int(EVP_PKEY_get_size(pointer))))
        var length = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, pointer) == 1,
            EVP_DigestSign(context, &signature, &length, message, message.count) == 1,
            EVP_MD_CTX_reset(context) == 1,
            EVP_DigestVerifyInit(context, nil, nil, nil, publicKey) == 1
        else { return false }
        return EVP_DigestVerify(context, signature, length, message, message.count) == 1
    }
}

/// What a file holds instead of what was looked for, for messages.
func found(_ blocks: [PEMBlock]) -> String {
    blocks.isEmpty ? ": no PEM block" : "; its PEM blocks: " + blocks.map(\.label).joined(separator: ", ")
}

/// The usual name of an ASN.1 object, or its dotted form.
func objectName(_ object: OpaquePointer) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    let length = OBJ_obj2txt(&buffer, Int32(buffer.count), object, 0)
    let count = max(0, min(Int(length), buffer.count - 1))
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The bytes that one of OpenSSL's `i2d` functions writes; empty where it fails.
func encoded(_ body: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>) -> Int32) -> [UInt8] {
    var pointer: UnsafeMutablePointer<UInt8>?
    let count = body(&pointer)
    guard count > 0, let pointer else {
        ERR_clear_error()
        return []
    }
    defer { sluice_openssl_free(pointer) }
    return Array(UnsafeBufferPointer(start: pointer, count: Int(count)))
}
