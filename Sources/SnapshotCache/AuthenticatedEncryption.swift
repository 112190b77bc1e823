internal import COpenSSL

/// AES-256-GCM over memory, in place.
enum AuthenticatedEncryption {
    static let nonceCount = 12
    static let tagCount = 16

    static func randomNonce() -> [UInt8]? {
        var nonce = [UInt8](repeating: 0, count: nonceCount)
        return RAND_bytes(&nonce, Int32(nonceCount)) == 1 ? nonce : nil
    }

    /// Encrypts; returns the tag, or nil where the library refuses. One nonce for each key only once.
    static func seal(
        _ text: UnsafeMutableRawBufferPointer, with key: CacheKey, nonce: [UInt8], associated: UnsafeRawBufferPointer
    ) -> [UInt8]? {
        guard let context = EVP_CIPHER_CTX_new() else { return nil }
        defer { EVP_CIPHER_CTX_free(context) }
        var count: Int32 = 0
        var tag = [UInt8](repeating: 0, count: tagCount)
        guard EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, pointer(key.bytes), nonce) == 1,
            EVP_EncryptUpdate(context, nil, &count, pointer(associated), Int32(associated.count)) == 1,
            text.isEmpty
                || EVP_EncryptUpdate(
                    context, pointer(text), &count, pointer(UnsafeRawBufferPointer(text)), Int32(text.count)) == 1,
            EVP_EncryptFinal_ex(context, pointer(text)?.advanced(by: text.count), &count) == 1,
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(tagCount), &tag) == 1
        else { return nil }
        return tag
    }

    /// Decrypts; false where it is not what was sealed: then what stands in `text` is to be thrown away.
    static func open(
        _ text: UnsafeMutableRawBufferPointer, with key: CacheKey, nonce: [UInt8], associated: UnsafeRawBufferPointer,
        tag: [UInt8]
    ) -> Bool {
        guard let context = EVP_CIPHER_CTX_new() else { return false }
        defer { EVP_CIPHER_CTX_free(context) }
        var count: Int32 = 0
        var tag = tag
        return EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, pointer(key.bytes), nonce) == 1
            && EVP_DecryptUpdate(context, nil, &count, pointer(associated), Int32(associated.count)) == 1
            && (text.isEmpty
                || EVP_DecryptUpdate(
                    context, pointer(text), &count, pointer(UnsafeRawBufferPointer(text)), Int32(text.count)) == 1)
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(tagCount), &tag) == 1
            && EVP_DecryptFinal_ex(context, pointer(text)?.advanced(by: text.count), &count) == 1
    }

    private static func pointer(_ bytes: UnsafeRawBufferPointer) -> UnsafePointer<UInt8>? {
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }

    private static func pointer(_ bytes: UnsafeMutableRawBufferPointer) -> UnsafeMutablePointer<UInt8>? {
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    }
}
