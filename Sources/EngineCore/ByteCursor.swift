/// Reads big-endian fields from borrowed memory, front to back. Every read checks what is left and returns nil where a
/// field does not fit, so a length that lies can never lead outside. The memory must outlive the cursor.
@usableFromInline
struct ByteCursor {
    private var rest: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }
    private init(_ bytes: UnsafeRawBufferPointer.SubSequence) { rest = bytes }

    var count: Int { rest.count }
    var isEmpty: Bool { rest.isEmpty }

    mutating func readUInt8() -> UInt8? { rest.popFirst() }

    mutating func readUInt16() -> UInt16? {
        guard rest.count >= 2, let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
        return UInt16(high) << 8 | UInt16(low)
    }

    mutating func readUInt24() -> Int? {
        guard rest.count >= 3, let high = rest.popFirst(), let low = readUInt16() else { return nil }
        return Int(high) << 16 | Int(low)
    }

    /// The next `length` bytes as a cursor of their own.
    mutating func read(_ length: Int) -> ByteCursor? {
        guard length >= 0, length <= rest.count else { return nil }
        let part = rest.prefix(length)
        rest = rest.dropFirst(length)
        return ByteCursor(part)
    }

    /// A vector whose length stands before it in one byte.
    mutating func readVector8() -> ByteCursor? {
        guard let length = readUInt8() else { return nil }
        return read(Int(length))
    }

    /// A vector whose length stands before it in two bytes.
    mutating func readVector16() -> ByteCursor? {
        guard let length = readUInt16() else { return nil }
        return read(Int(length))
    }

    /// What is left, as bytes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: rest) }
}
