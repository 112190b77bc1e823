/// Decisions and pieces taken from the front of an input. At its end every number is 0 and every piece empty, so that a shorter input
/// is a simpler one.
struct FuzzInput {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: UnsafeRawBufferPointer) { rest = Array(bytes)[...] }
    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// A number below `bound`, which is at most 65536.
    mutating func number(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        if bound <= 256 { return Int(byte()) % bound }
        return (Int(byte()) << 8 | Int(byte())) % bound
    }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// The next `count` bytes, or what there is.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let taken = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return taken
    }

    /// Everything that is left.
    mutating func all() -> [UInt8] { bytes(rest.count) }
}

/// Lengths to cut an input at, made of its own bytes: the same input is always cut the same way.
struct CutPoints: Sequence, IteratorProtocol {
    private var random: UInt64
    private let count: Int
    private var left: Int

    /// At most `limit` places from 0 up to `count`.
    init(in bytes: UnsafeRawBufferPointer, limit: Int = 24, salt: UInt64 = 0) {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325 ^ salt
        for byte in bytes.prefix(512) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        (random, count, left) = (hash | 1, bytes.count, limit)
    }

    /// A number below `bound`.
    mutating func draw(below bound: Int) -> Int {
        // xorshift64
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return Int(random >> 33) % Swift.max(1, bound)
    }

    mutating func next() -> Int? {
        guard left > 0 else { return nil }
        left -= 1
        return draw(below: count + 1)
    }
}

extension UnsafeRawBufferPointer {
    /// The first `count` bytes in memory of exactly that size, so that a read beyond them is seen.
    func withPrefix<Result>(_ count: Int, _ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 1)
        defer { copy.deallocate() }
        copy.copyMemory(from: UnsafeRawBufferPointer(rebasing: self[..<count]))
        return try body(UnsafeRawBufferPointer(copy))
    }
}
