/// An IPv4 or IPv6 address without a zone. An IPv4-mapped IPv6 address is a different value from its IPv4 form; call
/// ``unmapped`` where the two must be one.
public enum IPAddress: Hashable, Sendable {
    /// Four octets, the first one most significant.
    case v4(UInt32)
    /// Sixteen octets as two big-endian halves.
    case v6(high: UInt64, low: UInt64)

    public static let anyV4 = IPAddress.v4(0)
    public static let anyV6 = IPAddress.v6(high: 0, low: 0)
    public static let loopbackV4 = IPAddress.v4(0x7f00_0001)
    public static let loopbackV6 = IPAddress.v6(high: 0, low: 1)

    /// Parses the textual form: dotted decimal without leading zeros, or RFC 4291 §2.2 without a zone.
    public init?(_ text: some StringProtocol) { self.init(utf8: Array(text.utf8)[...]) }

    /// As ``init(_:)``, from the text's bytes.
    init?(utf8 bytes: ArraySlice<UInt8>) {
        if bytes.contains(UInt8(ascii: ":")) {
            guard let address = IPAddress.parseV6(bytes) else { return nil }
            self = address
        } else {
            guard let value = IPAddress.parseV4(bytes) else { return nil }
            self = .v4(value)
        }
    }

    public var isV4: Bool {
        if case .v4 = self { true } else { false }
    }

    /// The IPv4 address inside `::ffff:a.b.c.d`, or self.
    public var unmapped: IPAddress {
        guard case .v6(0, let low) = self, low >> 32 == 0xffff else { return self }
        return .v4(UInt32(truncatingIfNeeded: low))
    }

    public var isLoopback: Bool {
        switch unmapped {
        case .v4(let value): value >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }

    /// `169.254.0.0/16` or `fe80::/10`.
    public var isLinkLocal: Bool {
        switch unmapped {
        case .v4(let value): value >> 16 == 0xa9fe
        case .v6(let high, _): high >> 54 == 0xfe80 >> 6
        }
    }

    /// `224.0.0.0/4` or `ff00::/8`.
    public var isMulticast: Bool {
        switch unmapped {
        case .v4(let value): value >> 28 == 0xe
        case .v6(let high, _): high >> 56 == 0xff
        }
    }

    /// `0.0.0.0` or `::`.
    public var isUnspecified: Bool { self == .anyV4 || self == .anyV6 }
}

extension IPAddress {
    private static func parseV4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // No leading zeros: some readers take them for octal.
                guard digits == 0 || octet > 0 else { return nil }
                octet = octet * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                guard octet <= 255 else { return nil }
            case UInt8(ascii: ".") where digits > 0 && dots < 3:
                (value, octet, digits, dots) = (value << 8 | octet, 0, 0, dots + 1)
            default: return nil
            }
        }
        return digits > 0 && dots == 3 ? value << 8 | octet : nil
    }

    private static func parseV6(_ bytes: ArraySlice<UInt8>) -> IPAddress? {
        let colon = UInt8(ascii: ":")
        var head: [UInt16] = []
        var tail: [UInt16] = []
        var gap = false
        var index = bytes.startIndex
        if bytes.count > 1, bytes[index] == colon, bytes[index + 1] == colon {
            gap = true
            index += 2
        } else if bytes.first == colon {
            return nil
        }
        while index < bytes.endIndex {
            let end = bytes[index...].firstIndex(of: colon) ?? bytes.endIndex
            let part = bytes[index..<end]
            if end == bytes.endIndex, part.contains(UInt8(ascii: ".")) {
                guard let v4 = parseV4(part) else { return nil }
                let words = [UInt16(v4 >> 16), UInt16(v4 & 0xffff)]
                if gap { tail += words } else { head += words }
                index = end
                break
            }
            guard let word = parseGroup(part) else { return nil }
            if gap { tail.append(word) } else { head.append(word) }
            guard end < bytes.endIndex else {
                index = end
                break
            }
            index = end + 1
            if index < bytes.endIndex, bytes[index] == colon {
                guard !gap else { return nil }
                gap = true
                index += 1
            } else if index == bytes.endIndex {
                return nil
            }
        }
        let count = head.count + tail.count
        guard gap ? count <= 7 : count == 8 else { return nil }
        let words = head + Array(repeating: 0, count: 8 - count) + tail
        let halves = stride(from: 0, to: 8, by: 4).map { words[$0..<$0 + 4].reduce(0) { $0 << 16 | UInt64($1) } }
        return .v6(high: halves[0], low: halves[1])
    }

    private static func parseGroup(_ part: ArraySlice<UInt8>) -> UInt16? {
        guard (1...4).contains(part.count) else { return nil }
        var value: UInt16 = 0
        for byte in part {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text of RFC 5952.
    public var description: String {
        switch self {
        case .v4(let value):
            return (0..<4).map { String(value >> (24 - 8 * $0) & 0xff) }.joined(separator: ".")
        case .v6(let high, let low):
            if high == 0, low >> 32 == 0xffff { return "::ffff:\(unmapped)" }
            let words = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> (48 - 16 * UInt64($0 % 4))) }
            guard let gap = IPAddress.longestZeroRun(words) else {
                return words.map { String($0, radix: 16) }.joined(separator: ":")
            }
            let head = words[..<gap.lowerBound].map { String($0, radix: 16) }.joined(separator: ":")
            let tail = words[gap.upperBound...].map { String($0, radix: 16) }.joined(separator: ":")
            return "\(head)::\(tail)"
        }
    }

    /// The first longest run of at least two zero groups (RFC 5952 §4.2).
    private static func longestZeroRun(_ words: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < words.count {
            var end = start
            while end < words.count, words[end] == 0 { end += 1 }
            if end - start >= 2, end - start > (best?.count ?? 0) { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }
}

extension IPAddress: Comparable {
    /// IPv4 before IPv6, then by value.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        switch (left, right) {
        case (.v4(let a), .v4(let b)): a < b
        case (.v4, .v6): true
        case (.v6, .v4): false
        case (.v6(let ah, let al), .v6(let bh, let bl)): (ah, al) < (bh, bl)
        }
    }
}
