/// Reads big-endian fields from borrowed memory, front to back. Every read checks what is left and returns nil where a
/// field does not fit, so a length that lies can never lead outside. The memory must outlive the cursor.
@usableFromInline
struct ByteCursor {
    /// Where they begin; nil only where there are none.
    private var next: UnsafeRawPointer?
    private(set) var count: Int

    @inline(__always)
    init(_ bytes: UnsafeRawBufferPointer) { (next, count) = (bytes.baseAddress, bytes.count) }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func readUInt8() -> UInt8? {
        guard count >= 1, let next else { return nil }
        advance(1)
        return next.load(as: UInt8.self)
    }

    @inline(__always)
    mutating func readUInt16() -> UInt16? {
        guard count >= 2, let next else { return nil }
        advance(2)
        return UInt16(bigEndian: next.loadUnaligned(as: UInt16.self))
    }

    mutating func readUInt24() -> Int? {
        guard count >= 3, let high = readUInt8(), let low = readUInt16() else { return nil }
        return Int(high) << 16 | Int(low)
    }

    /// The next `length` bytes as a cursor of their own.
    @inline(__always)
    mutating func read(_ length: Int) -> ByteCursor? {
        guard length >= 0, length <= count else { return nil }
        let part = ByteCursor(UnsafeRawBufferPointer(start: next, count: length))
        advance(length)
        return part
    }

    /// There are so many.
    @inline(__always)
    private mutating func advance(_ length: Int) {
        next = next.map { $0 + length }
        count &-= length
    }

    /// A vector whose length stands before it in one byte.
    @inline(__always)
    mutating func readVector8() -> ByteCursor? {
        guard let length = readUInt8() else { return nil }
        return read(Int(length))
    }

    /// A vector whose length stands before it in two bytes.
    @inline(__always)
    mutating func readVector16() -> ByteCursor? {
        guard let length = readUInt16() else { return nil }
        return read(Int(length))
    }

    /// What is left, as bytes.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: next, count: count) }
}
