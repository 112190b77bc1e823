internal import COpenSSL
internal import Primitives

/// Bytes that look random and are the same for the same seed.
public func testBytes(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SplitMix64(seed: seed)
    var bytes = [UInt8](repeating: 0, count: count)
    bytes.withUnsafeMutableBytes { buffer in
        // A plain loop: in debug builds, and under a sanitizer, a stride costs more than the bytes.
        var offset = 0
        while offset < count & ~7 {
            buffer.storeBytes(of: generator.next(), toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        for offset in (count & ~7)..<count { buffer[offset] = UInt8(truncatingIfNeeded: generator.next()) }
    }
    return bytes
}

/// SHA-256 of a stream, in lower-case hex.
public struct SHA256Stream: ~Copyable {
    private let context: OpaquePointer?

    public init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: [UInt8]) { EVP_DigestUpdate(context, bytes, bytes.count) }

    public consuming func hex() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

public func sha256Hex(_ bytes: [UInt8]) -> String {
    var stream = SHA256Stream()
    stream.update(bytes)
    return stream.hex()
}
