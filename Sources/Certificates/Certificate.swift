internal import COpenSSL
internal import Primitives

/// One parsed certificate: owns a reference on its `X509 *`.
final class Certificate {
    let pointer: OpaquePointer

    private init(owning pointer: OpaquePointer) {
        self.pointer = pointer
        // Fills the extension caches now: afterwards the object is only read, by whatever thread.
        _ = X509_check_purpose(pointer, -1, 0)
        ERR_clear_error()
    }

    deinit { X509_free(pointer) }

    func retained() -> OpaquePointer {
        X509_up_ref(pointer)
        return pointer
    }

    /// Every certificate of a file, at least one, in its order. Blocks of other kinds are passed over.
    static func readAll(_ text: [UInt8], file: String) throws(CertificateProblem) -> [Certificate] {
        let blocks = try readPEM(text, file: file)
        var certificates: [Certificate] = []
        for block in blocks where block.isCertificate {
            ERR_clear_error()
            var cursor = UnsafePointer(block.bytes.baseAddress)
            let isTrusted = block.label == "TRUSTED CERTIFICATE"
            let pointer =
                isTrusted
                ? d2i_X509_AUX(nil, &cursor, block.bytes.count) : d2i_X509(nil, &cursor, block.bytes.count)
            guard let pointer else {
                let reason = drainErrors() ?? "not a certificate"
                throw CertificateProblem("\(file): \(block.place) is no readable certificate: \(reason)")
            }
            certificates.append(Certificate(owning: pointer))
        }
        guard !certificates.isEmpty else { throw CertificateProblem("\(file) holds no certificate\(found(blocks))") }
        return certificates
    }

    /// The `EVP_PKEY *` inside, borrowed; nil where OpenSSL does not know its type or cannot read it.
    var publicKey: OpaquePointer? {
        defer { ERR_clear_error() }
        return X509_get0_pubkey(pointer)
    }

    /// The key's algorithm as the certificate names it, also where ``publicKey`` is nil.
    var keyAlgorithm: String {
        OBJ_nid2ln(sluice_x509_key_algorithm(pointer)).map { String(cString: $0) } ?? "unknown"
    }

    var encoding: [UInt8] { encoded { i2d_X509(pointer, $0) } }
    var publicKeyInfo: [UInt8] { encoded { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(pointer), $0) } }
    /// Seconds since 1970; nil where the certificate's time is malformed.
    var notBefore: Int64? { epochSeconds(X509_get0_notBefore(pointer)) }
    var notAfter: Int64? { epochSeconds(X509_get0_notAfter(pointer)) }
    var subject: String { distinguishedName(X509_get_subject_name(pointer)) }
    var issuer: String { distinguishedName(X509_get_issuer_name(pointer)) }

    var isSelfSigned: Bool {
        defer { ERR_clear_error() }
        return X509_self_signed(pointer, 0) == 1
    }

    /// Whether its subject, key identifier and key usage are those of `other`'s issuer, and its key made the signature.
    func issued(_ other: Certificate) -> Bool {
        defer { ERR_clear_error() }
        guard X509_check_issued(pointer, other.pointer) == X509_V_OK, let publicKey else { return false }
        return X509_verify(other.pointer, publicKey) == 1
    }
}

/// Seconds since 1970; nil where the time is malformed.
func epochSeconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    defer { ERR_clear_error() }
    var value: Int64 = 0
    return sluice_asn1_time_seconds(time, &value) == 1 ? value : nil
}

/// RFC 2253 form, in UTF-8, cut to 256 bytes.
func distinguishedName(_ name: OpaquePointer?) -> String {
    defer { ERR_clear_error() }
    guard let name, let output = BIO_new(BIO_s_mem()) else { return "?" }
    defer { BIO_free(output) }
    sluice_x509_name_print(output, name)
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = BIO_read(output, &buffer, Int32(buffer.count))
    return count > 0 ? String(decoding: buffer[..<Int(count)], as: UTF8.self) : "(no name)"
}
