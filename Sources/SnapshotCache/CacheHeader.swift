/// What a file begins with: README.md has the bytes.
struct CacheHeader: Hashable {
    enum Seal: UInt8 {
        /// SHA-256 at the end: finds damage.
        case checksum = 0
        /// AES-256-GCM.
        case encrypted = 1

        /// Bytes at the end.
        var trailerCount: Int { self == .checksum ? 32 : AuthenticatedEncryption.tagCount }
    }

    static let version: UInt16 = 1
    static let count = 64
    /// The largest file that is read or written: some 500,000 objects.
    static let largest = 1 << 30
    private static let magic = Array("SLUICEC\n".utf8)

    var seal: Seal
    /// Seconds since 1970.
    var asOf: Int64
    var bodyCount: Int
    var keyIdentifier = [UInt8](repeating: 0, count: CacheKey.identifierCount)
    var nonce = [UInt8](repeating: 0, count: AuthenticatedEncryption.nonceCount)

    init(seal: Seal, asOf: Int64, bodyCount: Int) {
        (self.seal, self.asOf, self.bodyCount) = (seal, asOf, bodyCount)
    }

    var fileCount: Int { Self.count + bodyCount + seal.trailerCount }

    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes += bigEndian(UInt64(Self.version), 2) + [seal.rawValue, 0, 0, 0, 0, 0]
        bytes += bigEndian(UInt64(bitPattern: asOf), 8) + bigEndian(UInt64(bodyCount), 8)
        bytes += keyIdentifier + nonce + [0, 0, 0, 0]
        return bytes
    }

    /// `fileCount`: how many bytes the file has.
    init(_ bytes: UnsafeRawBufferPointer, fileCount: Int) throws(CacheProblem) {
        guard bytes.count >= Self.count else { throw .damaged("it is cut off") }
        guard bytes.prefix(8).elementsEqual(Self.magic) else { throw .damaged("it is no cache of Sluice") }
        let version = UInt16(truncatingIfNeeded: number(bytes[8..<10]))
        guard version == Self.version else { throw .foreignVersion(version) }
        guard let seal = Seal(rawValue: bytes[10]) else { throw .damaged("its seal is not known") }
        let length = number(bytes[24..<32])
        guard length < UInt64(Self.largest) else { throw .damaged("its length is impossible") }
        self.init(
            seal: seal, asOf: Int64(bitPattern: number(bytes[16..<24])), bodyCount: Int(length))
        (keyIdentifier, nonce) = (Array(bytes[32..<48]), Array(bytes[48..<60]))
        guard self.fileCount == fileCount else { throw .damaged("it is cut off, or something follows") }
    }
}

private func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (UInt64($0) * 8)) }
}

private func number(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
