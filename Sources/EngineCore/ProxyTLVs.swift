/// Types of what may follow the addresses in v2 of the PROXY protocol (§2.2).
public enum ProxyTLVType {
    /// The protocol negotiated by ALPN (RFC 7301).
    public static let alpn: UInt8 = 0x01
    /// The name the client asked for, such as TLS's server_name.
    public static let authority: UInt8 = 0x02
    /// The CRC32C of the whole header, four bytes.
    public static let checksum: UInt8 = 0x03
    /// Padding.
    public static let noOperation: UInt8 = 0x04
    /// At most 128 bytes that name the connection.
    public static let uniqueID: UInt8 = 0x05
    /// ``ProxyTLSFacts``.
    public static let tls: UInt8 = 0x20
    /// The name of a network namespace.
    public static let networkNamespace: UInt8 = 0x30
    /// For the use of applications.
    public static let custom: ClosedRange<UInt8> = 0xe0...0xef
}

/// One type-length-value of a PROXY protocol header.
public struct ProxyTLV: Equatable, Sendable {
    public var type: UInt8
    public var value: ArraySlice<UInt8>
}

/// The type-length-values of a PROXY protocol header in their order, held as they are on the wire: one piece of memory
/// however many there are.
public struct ProxyTLVs: Equatable, Sendable, Sequence {
    static let longestUniqueID = 128
    /// The most bytes that ``append(_:_:)`` lets a list grow to: with it, a header keeps within 4 KiB.
    public static let largest = 4096 - ProxyHeader.fixedLength - 36

    /// As on the wire; always a whole list.
    private(set) var bytes: [UInt8]

    public init() { bytes = [] }

    /// - Parameter block: a list that has been read once, so that it is known to be whole.
    init(checked block: UnsafeRawBufferPointer) { bytes = Array(block) }

    public var isEmpty: Bool { bytes.isEmpty }
    /// Bytes on the wire.
    public var encodedBytes: Int { bytes.count }

    public struct Iterator: IteratorProtocol {
        fileprivate let bytes: [UInt8]
        fileprivate var position = 0

        public mutating func next() -> ProxyTLV? {
            guard bytes.count - position >= 3 else { return nil }
            let start = position + 3
            let end = start + (Int(bytes[position + 1]) << 8 | Int(bytes[position + 2]))
            guard end <= bytes.count else { return nil }
            defer { position = end }
            return ProxyTLV(type: bytes[position], value: bytes[start..<end])
        }
    }

    public func makeIterator() -> Iterator { Iterator(bytes: bytes) }

    /// The value of the first of that type.
    public subscript(type: UInt8) -> ArraySlice<UInt8>? { first { $0.type == type }?.value }

    /// The first ``ProxyTLVType/authority``; bytes that are not UTF-8 are replaced.
    public var authority: String? { self[ProxyTLVType.authority].map { String(decoding: $0, as: UTF8.self) } }

    /// Adds one at the end. A checksum is added as ``appendChecksum()``.
    ///
    /// - Returns: false, and the list as before, when the list would exceed ``largest``, or when the value's length is one
    ///   that its type forbids, or for a checksum.
    public mutating func append(_ type: UInt8, _ value: some Collection<UInt8>) -> Bool {
        guard type != ProxyTLVType.checksum else { return false }
        guard type != ProxyTLVType.uniqueID || value.count <= ProxyTLVs.longestUniqueID else { return false }
        return appendUnchecked(type, value)
    }

    /// Adds a checksum, which is computed when a header with this list is written. One list has at most one: false for
    /// the second, and where it does not fit.
    public mutating func appendChecksum() -> Bool {
        guard self[ProxyTLVType.checksum] == nil else { return false }
        return appendUnchecked(ProxyTLVType.checksum, repeatElement(0, count: 4))
    }

    private mutating func appendUnchecked(_ type: UInt8, _ value: some Collection<UInt8>) -> Bool {
        guard bytes.count + 3 + value.count <= ProxyTLVs.largest else { return false }
        bytes.append(type)
        bytes.append(UInt8(truncatingIfNeeded: value.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
        return true
    }

    /// Where the four bytes of the checksum stand among the list's.
    var checksumOffset: Int? { self[ProxyTLVType.checksum]?.startIndex }
}
