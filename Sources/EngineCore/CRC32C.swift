/// The CRC32C of RFC 3720 §12.1 and RFC 4960 appendix B: polynomial 0x1EDC6F41, bits reflected.
struct CRC32C {
    private static let table: InlineArray<256, UInt32> = {
        var table = InlineArray<256, UInt32>(repeating: 0)
        for index in table.indices {
            var remainder = UInt32(index)
            for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x82f6_3b78 : 0) }
            table[index] = remainder
        }
        return table
    }()

    private var remainder: UInt32 = .max

    /// The checksum of what was added.
    var value: UInt32 { ~remainder }

    mutating func add(_ byte: UInt8) {
        remainder = remainder >> 8 ^ CRC32C.table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)]
    }

    mutating func add(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { add(byte) }
    }

    /// The checksum of a header whose checksum stands in the four bytes from `offset`: they count as zeros.
    static func ofHeader(_ header: UnsafeRawBufferPointer, checksumAt offset: Int) -> UInt32 {
        var checksum = CRC32C()
        checksum.add(UnsafeRawBufferPointer(rebasing: header[..<offset]))
        for _ in 0..<4 { checksum.add(0) }
        checksum.add(UnsafeRawBufferPointer(rebasing: header[(offset + 4)...]))
        return checksum.value
    }
}
