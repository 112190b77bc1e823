internal import Primitives

/// Where the next byte of a line goes, and how bytes get there in as few steps as there can be: nothing is checked. The
/// caller knows that there is room for what it writes and ``slack`` bytes more, which are overwritten.
struct LineCursor {
    private(set) var next: UnsafeMutablePointer<UInt8>
    private let tables: LineTables

    /// Bytes beyond the end of what is written that may change.
    static let slack = 64

    init(at next: UnsafeMutablePointer<UInt8>, _ tables: LineTables) { (self.next, self.tables) = (next, tables) }

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        next.pointee = byte
        next += 1
    }

    /// The length of a literal is known when this is compiled, so it is a few moves.
    @inline(__always)
    mutating func put(_ text: StaticString) {
        let count = text.utf8CodeUnitCount
        UnsafeMutableRawPointer(next).copyMemory(from: text.utf8Start, byteCount: count)
        next += count
    }

    /// Of `bytes`, ``slack`` more can be read.
    @inline(__always)
    mutating func put(padded bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        let target = UnsafeMutableRawPointer(next)
        next += bytes.count
        var done = 0
        repeat {
            (target + done).storeBytes(
                of: (source + done).loadUnaligned(as: SIMD64<UInt8>.self), as: SIMD64<UInt8>.self)
            done &+= 64
        } while done < bytes.count
    }

    /// What was written before, in this line: 48 bytes at most.
    @inline(__always)
    mutating func `repeat`(from start: UnsafeMutablePointer<UInt8>, _ count: Int) {
        let bytes = UnsafeRawPointer(start).loadUnaligned(as: SIMD64<UInt8>.self)
        UnsafeMutableRawPointer(next).storeBytes(of: bytes, as: SIMD64<UInt8>.self)
        next += count
    }

    // MARK: Numbers

    @inline(__always)
    mutating func put(decimal value: UInt64) {
        if value < 1000 {
            put(below1000: value)
        } else if value < 1_000_000 {
            let thousands = value / 1000
            put(below1000: thousands)
            put(threeDigits: value &- thousands &* 1000)
        } else {
            putLarge(value)
        }
    }

    @inline(never)
    private mutating func putLarge(_ value: UInt64) {
        let (millions, rest) = value.quotientAndRemainder(dividingBy: 1_000_000)
        put(decimalOfAnySize: millions)
        put(threeDigits: rest / 1000)
        put(threeDigits: rest % 1000)
    }

    @inline(never)
    private mutating func put(decimalOfAnySize value: UInt64) { put(decimal: value) }

    @inline(__always)
    private mutating func put(below1000 value: UInt64) {
        let entry = tables.plain[Int(truncatingIfNeeded: value)]
        UnsafeMutableRawPointer(next).storeBytes(of: entry, as: UInt32.self)
        next += Int(truncatingIfNeeded: entry >> 24)
    }

    /// With zeros before it.
    @inline(__always)
    mutating func put(threeDigits value: UInt64) {
        UnsafeMutableRawPointer(next).storeBytes(of: tables.padded[Int(truncatingIfNeeded: value)], as: UInt32.self)
        next += 3
    }

    /// Nanoseconds as milliseconds with three decimals; below 0 is 0.
    @inline(__always)
    mutating func put(milliseconds nanoseconds: Int64) {
        let microseconds = UInt64(bitPattern: max(0, nanoseconds)) / 1000
        let whole = microseconds / 1000
        put(decimal: whole)
        put(UInt8(ascii: "."))
        put(threeDigits: microseconds &- whole &* 1000)
    }

    /// Without zeros before it.
    @inline(__always)
    mutating func put(hexadecimal value: UInt64) {
        var high = LineCursor.digits(UInt32(truncatingIfNeeded: value >> 32))
        var low = LineCursor.digits(UInt32(truncatingIfNeeded: value))
        var count = 16 &- (value | 1).leadingZeroBitCount / 4
        if count <= 8 {
            low &>>= UInt64(8 &* (8 &- count))
        } else {
            let start = UnsafeMutableRawPointer(next)
            count &-= 8
            high &>>= UInt64(8 &* (8 &- count))
            start.storeBytes(of: high, as: UInt64.self)
            next += count
            count = 8
        }
        UnsafeMutableRawPointer(next).storeBytes(of: low, as: UInt64.self)
        next += count
    }

    /// Eight hexadecimal digits, the first one in the lowest byte: each half byte is moved to a byte of its own, all at once.
    @inline(__always)
    private static func digits(_ value: UInt32) -> UInt64 {
        var spread = UInt64(value.byteSwapped)
        spread = (spread | spread << 16) & 0x0000_ffff_0000_ffff
        spread = (spread | spread << 8) & 0x00ff_00ff_00ff_00ff
        // The more significant half of each byte comes first.
        spread = (spread >> 4 & 0x000f_000f_000f_000f) | (spread & 0x000f_000f_000f_000f) << 8
        let letters = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }

    // MARK: Addresses

    /// As `1.2.3.4:80` or `[2001:db8::1]:80`.
    @inline(__always)
    mutating func put(_ address: SocketAddress) {
        if case .v4(let value) = address.ip {
            put(octet: value >> 24)
            put(octet: value >> 16 & 255)
            put(octet: value >> 8 & 255)
            put(octet: value & 255)
            // In the place of the last dot.
            next[-1] = UInt8(ascii: ":")
        } else {
            putV6(address.ip)
        }
        put(decimal: UInt64(address.port))
    }

    /// With a dot.
    @inline(__always)
    private mutating func put(octet: UInt32) {
        let entry = tables.octets[Int(truncatingIfNeeded: octet)]
        UnsafeMutableRawPointer(next).storeBytes(of: entry, as: UInt64.self)
        next += Int(truncatingIfNeeded: entry >> 56)
    }

    /// `[…]:`
    @inline(never)
    private mutating func putV6(_ address: IPAddress) {
        put(UInt8(ascii: "["))
        for byte in address.description.utf8 { put(byte) }
        put(UInt8(ascii: "]"))
        put(UInt8(ascii: ":"))
    }
}

/// Texts of small numbers, made once and never freed.
struct LineTables: @unchecked Sendable {
    // Sendable because nothing is ever written there again.
    /// Of 0 to 999, in the lower bytes, first digit first; how many digits there are is in the highest one.
    let plain: UnsafePointer<UInt32>
    /// The same with three digits each.
    let padded: UnsafePointer<UInt32>
    /// Of 0 to 255, with a dot after it; how many bytes that is stands in the highest one.
    let octets: UnsafePointer<UInt64>

    static let shared = LineTables()

    private init() {
        let plain = UnsafeMutablePointer<UInt32>.allocate(capacity: 1000)
        let padded = UnsafeMutablePointer<UInt32>.allocate(capacity: 1000)
        let octets = UnsafeMutablePointer<UInt64>.allocate(capacity: 256)
        for value in 0..<1000 {
            let text = LineTables.text(value)
            let zeros = LineTables.packed(Array(repeating: UInt8(ascii: "0"), count: 3 - text.count) + text)
            (plain + value).initialize(to: UInt32(LineTables.packed(text)) | UInt32(text.count) << 24)
            (padded + value).initialize(to: UInt32(zeros))
            guard value < 256 else { continue }
            let octet = text + [UInt8(ascii: ".")]
            (octets + value).initialize(to: LineTables.packed(octet) | UInt64(octet.count) << 56)
        }
        (self.plain, self.padded, self.octets) = (UnsafePointer(plain), UnsafePointer(padded), UnsafePointer(octets))
    }

    private static func text(_ value: Int) -> [UInt8] { Array(String(value).utf8) }

    private static func packed(_ text: [UInt8]) -> UInt64 {
        text.enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
    }
}
