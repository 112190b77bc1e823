internal import Primitives

/// The text of IP addresses, read in place: the rules of `IPAddress.init(_:)` without its copies.
enum AddressText {
    static let longestV4 = 15
    /// With the last 32 bits in dotted decimal, as inet_ntop writes an IPv4-mapped address.
    static let longestV6 = 45

    /// Dotted decimal without leading zeros.
    static func v4(_ text: UnsafeRawBufferPointer) -> UInt32? {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in text {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, dots < 3 else { return nil }
                (value, octet, digits, dots) = (value << 8 | octet, 0, 0, dots + 1)
            } else {
                guard let digit = hexDigit(byte), digit < 10, digits == 0 || octet > 0 else { return nil }
                octet = octet * 10 + UInt32(digit)
                digits += 1
                guard octet <= 255 else { return nil }
            }
        }
        return digits > 0 && dots == 3 ? value << 8 | octet : nil
    }

    /// RFC 4291 §2.2, without a zone.
    static func v6(_ text: UnsafeRawBufferPointer) -> IPAddress? {
        let colon = UInt8(ascii: ":")
        var words = InlineArray<8, UInt16>(repeating: 0)
        var count = 0
        var gap: Int?
        var index = 0
        if text.first == colon {
            guard text.count >= 2, text[1] == colon else { return nil }
            (gap, index) = (0, 2)
        }
        while index < text.count {
            guard count < 8 else { return nil }
            let start = index
            var word: UInt16 = 0
            while index < text.count, let digit = hexDigit(text[index]) {
                guard index - start < 4 else { return nil }
                word = word << 4 | digit
                index += 1
            }
            if index < text.count, text[index] == UInt8(ascii: ".") {
                guard count <= 6, let v4 = v4(UnsafeRawBufferPointer(rebasing: text[start...])) else { return nil }
                words[count] = UInt16(truncatingIfNeeded: v4 >> 16)
                words[count + 1] = UInt16(truncatingIfNeeded: v4)
                count += 2
                break
            }
            guard index > start else { return nil }
            words[count] = word
            count += 1
            guard index < text.count else { break }
            guard text[index] == colon, index + 1 < text.count else { return nil }
            index += 1
            if text[index] == colon {
                guard gap == nil else { return nil }
                (gap, index) = (count, index + 1)
            }
        }
        return assembled(words, count, gap)
    }

    /// Sets the groups after the gap at the end.
    private static func assembled(_ words: InlineArray<8, UInt16>, _ count: Int, _ gap: Int?) -> IPAddress? {
        guard gap != nil ? count <= 7 : count == 8 else { return nil }
        let head = gap ?? 8
        var halves: (UInt64, UInt64) = (0, 0)
        for place in 0..<8 {
            let word = place < head ? words[place] : place >= 8 - (count - head) ? words[place - (8 - count)] : 0
            if place < 4 {
                halves.0 = halves.0 << 16 | UInt64(word)
            } else {
                halves.1 = halves.1 << 16 | UInt64(word)
            }
        }
        return .v6(high: halves.0, low: halves.1)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Writes the canonical text (RFC 5952).
    static func write(_ address: IPAddress, to writer: inout ByteWriter) {
        switch address {
        case .v4(let value):
            for shift in 0..<4 as Range<UInt32> {
                if shift > 0 { writer.put(UInt8(ascii: ".")) }
                writer.put(decimal: UInt16(value >> (24 - 8 * shift) & 0xff))
            }
        case .v6(let high, let low):
            var words = InlineArray<8, UInt16>(repeating: 0)
            for place in 0..<4 {
                words[place] = UInt16(truncatingIfNeeded: high >> (48 - 16 * UInt64(place)))
                words[place + 4] = UInt16(truncatingIfNeeded: low >> (48 - 16 * UInt64(place)))
            }
            let gap = longestZeros(words)
            for place in 0..<8 {
                if place == gap.lowerBound { writer.put("::".utf8) }
                guard !gap.contains(place) else { continue }
                if place > 0, place != gap.upperBound { writer.put(UInt8(ascii: ":")) }
                writer.put(hexadecimal: words[place])
            }
        }
    }

    /// The first longest run of at least two zero groups (RFC 5952 §4.2); empty at the end without one.
    private static func longestZeros(_ words: InlineArray<8, UInt16>) -> Range<Int> {
        var best = 8..<8
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, words[end] == 0 { end += 1 }
            if end - start >= 2, end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }
}
