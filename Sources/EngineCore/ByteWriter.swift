/// Writes big-endian fields into borrowed memory, front to back. What does not fit is not written, and noted. The memory
/// must outlive the writer.
struct ByteWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0
    /// Something did not fit: what was written is of no use.
    private(set) var overflowed = false

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    mutating func put(_ byte: UInt8) {
        guard count < memory.count else {
            overflowed = true
            return
        }
        memory[count] = byte
        count += 1
    }

    mutating func put(_ value: UInt16) {
        put(UInt8(truncatingIfNeeded: value >> 8))
        put(UInt8(truncatingIfNeeded: value))
    }

    mutating func put(_ value: UInt32) {
        put(UInt16(truncatingIfNeeded: value >> 16))
        put(UInt16(truncatingIfNeeded: value))
    }

    mutating func put(_ value: UInt64) {
        put(UInt32(truncatingIfNeeded: value >> 32))
        put(UInt32(truncatingIfNeeded: value))
    }

    mutating func put(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { put(byte) }
    }

    /// The number in decimal.
    mutating func put(decimal value: UInt16) {
        if value > 9 { put(decimal: value / 10) }
        put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }

    /// The number in lower-case hexadecimal, without leading zeros.
    mutating func put(hexadecimal value: UInt16) {
        if value > 15 { put(hexadecimal: value / 16) }
        let digit = UInt8(truncatingIfNeeded: value % 16)
        put(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
}
