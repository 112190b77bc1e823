internal import COpenSSL

/// SHA-256 over parts, each with its length before it, so that no two lists of parts give the same bytes.
func fingerprint(kind: String, _ parts: [[UInt8]]) -> String {
    var bytes: [UInt8] = []
    for part in [Array(kind.utf8)] + parts {
        withUnsafeBytes(of: UInt64(part.count).bigEndian) { bytes += $0 }
        bytes += part
    }
    return hex(sha256(bytes))
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
        let digits = String(byte, radix: 16)
        return digits.utf8.count == 1 ? "0" + digits : digits
    }.joined()
}

func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    guard EVP_Digest(bytes, bytes.count, &digest, &length, EVP_sha256(), nil) == 1 else {
        ERR_clear_error()
        return []
    }
    return digest
}

func base64(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
    let count = EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
    return String(decoding: text.prefix(max(0, Int(count))), as: UTF8.self)
}
