internal import Observability
internal import Primitives

/// Bytes of lines, put together without an allocation each. The caller sees to it that there is room.
struct LineBuffer: ~Copyable {
    private let base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private let capacity: Int
    /// The text of the second that was written last, and which one it is.
    private var second: Int64 = .min
    private var secondText: [UInt8] = []
    private var spare: [UInt8] = []

    init(capacity: Int) {
        self.capacity = capacity
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func removeAll() { count = 0 }

    /// Forgets what was added after there were so many.
    mutating func truncate(to count: Int) { self.count = min(count, self.count) }

    mutating func replace(at index: Int, with byte: UInt8) {
        if index < count { base[index] = byte }
    }

    mutating func append(_ byte: UInt8) {
        guard count < capacity else { return }
        base[count] = byte
        count += 1
    }

    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, bytes.count <= capacity - count else { return }
        UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    mutating func append(decimal value: UInt64) {
        var digits = 1
        var rest = value
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        guard digits <= capacity - count else { return }
        rest = value
        for index in stride(from: count + digits - 1, through: count, by: -1) {
            base[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    mutating func append(padded value: Int64, digits: Int) {
        var divisor: Int64 = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    mutating func append(hexadecimal value: UInt64) {
        var shift = value == 0 ? 0 : (63 - value.leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(shift) & 15)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }

    /// Nanoseconds as milliseconds with three decimals.
    mutating func append(milliseconds nanoseconds: Int64) {
        let microseconds = max(0, nanoseconds) / 1000
        append(decimal: UInt64(microseconds / 1000))
        append(UInt8(ascii: "."))
        append(padded: microseconds % 1000, digits: 3)
    }

    /// As `1.2.3.4:80` or `[2001:db8::1]:80`.
    mutating func append(_ address: SocketAddress) {
        if case .v4 = address.ip {
            append(address.ip)
        } else {
            append(UInt8(ascii: "["))
            append(address.ip)
            append(UInt8(ascii: "]"))
        }
        append(UInt8(ascii: ":"))
        append(decimal: UInt64(address.port))
    }

    mutating func append(_ address: IPAddress) {
        guard case .v4(let value) = address else { return append(Array(address.description.utf8)) }
        for shift: UInt32 in [24, 16, 8, 0] {
            append(decimal: UInt64(value >> shift & 0xff))
            if shift > 0 { append(UInt8(ascii: ".")) }
        }
    }

    /// RFC 3339 in UTC with milliseconds; nanoseconds since 1970.
    mutating func append(time: Int64) {
        let (whole, fraction) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        if whole != second {
            second = whole
            secondText.removeAll(keepingCapacity: true)
            Timestamp.append(whole * 1_000_000_000, to: &secondText)
            // Without its milliseconds and the Z.
            secondText.removeLast(4)
        }
        append(secondText)
        append(padded: fraction / 1_000_000, digits: 3)
        append(UInt8(ascii: "Z"))
    }

    /// Text that a peer may have chosen, escaped as in a JSON string, without quotes: it stays within one line and one string.
    mutating func append(escaped text: UnsafeRawBufferPointer) {
        let isPlain = text.allSatisfy {
            $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        guard !isPlain else { return append(text) }
        spare.removeAll(keepingCapacity: true)
        JSONText.append(String(decoding: text, as: UTF8.self), to: &spare)
        spare.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[1..<($0.count - 1)])) }
    }
}
