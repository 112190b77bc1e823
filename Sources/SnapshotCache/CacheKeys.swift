internal import COpenSSL
internal import FoundationEssentials
internal import Platform

/// The keys that seal caches, as a file has them: one a line, 32 bytes in base64; the first seals, all of them open. Empty
/// lines and those that begin with `#` say nothing.
struct CacheKeys: Sendable {
    /// Far more than anybody rotates.
    static let mostKeys = 16

    let keys: [CacheKey]

    init(reading path: String) throws(CacheProblem) {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try readFile(path, limit: 1 << 16) } catch {
            throw .keyFile("\(path): \(error)")
        }
        do throws(CacheProblem) { try self.init(bytes) } catch {
            guard case .keyFile(let what) = error else { throw error }
            throw .keyFile("\(path): \(what)")
        }
    }

    /// Problems name lines, and nothing of what they hold.
    init(_ bytes: [UInt8]) throws(CacheProblem) {
        var keys: [CacheKey] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = String(decoding: line.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }, as: UTF8.self)
            if text.isEmpty || text.hasPrefix("#") { continue }
            guard let data = Data(base64Encoded: text), data.count == CacheKey.byteCount else {
                throw .keyFile("line \(index + 1) is not \(CacheKey.byteCount) bytes in base64")
            }
            keys.append(CacheKey(Array(data)))
        }
        guard (1...Self.mostKeys).contains(keys.count) else {
            throw .keyFile("there are \(keys.count) keys; needed are 1 to \(Self.mostKeys)")
        }
        self.keys = keys
    }

    subscript(identifier: [UInt8]) -> CacheKey? { keys.first { $0.identifier == identifier } }
}

/// A key of AES-256-GCM. Zeroed when the last reference goes.
final class CacheKey: @unchecked Sendable {
    // Sendable because nothing writes to the bytes after init.
    static let byteCount = 32
    static let identifierCount = 16

    private let secret: UnsafeMutableRawBufferPointer
    /// Says which key it was, and nothing of what it is.
    let identifier: [UInt8]

    init(_ bytes: [UInt8]) {
        secret = .allocate(byteCount: bytes.count, alignment: 1)
        secret.copyBytes(from: bytes)
        identifier = Array(sha256(Array("sluice cache key\n".utf8) + bytes).prefix(Self.identifierCount))
    }

    deinit {
        OPENSSL_cleanse(secret.baseAddress, secret.count)
        secret.deallocate()
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(secret) }
}

/// SHA-256, 32 bytes.
func sha256(_ bytes: [UInt8]) -> [UInt8] { bytes.withUnsafeBytes { sha256($0) } }

/// SHA-256, 32 bytes.
func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
        preconditionFailure("OpenSSL has no SHA-256")
    }
    return digest
}
