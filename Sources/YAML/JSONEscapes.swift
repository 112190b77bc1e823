/// JSON is nearly a subset of YAML. Two things that JSON allows and libyaml refuses are rewritten here: characters beyond
/// the BMP as a pair of `\u` escapes (lone halves become U+FFFD, as in Go), and tabs before the first brace.
enum JSONEscapes {
    /// The text, changed only if it starts with a brace or bracket. No line changes its number.
    static func rewritten(_ bytes: [UInt8]) -> [UInt8] {
        let whitespace: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard let first = bytes[start...].firstIndex(where: { !whitespace.contains($0) }),
            bytes[first] == UInt8(ascii: "{") || bytes[first] == UInt8(ascii: "[")
        else { return bytes }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        result += bytes[..<first].map { $0 == 0x09 ? 0x20 : $0 }
        rewriteEscapes(in: bytes[first...], into: &result)
        return result
    }

    private static func rewriteEscapes(in bytes: ArraySlice<UInt8>, into result: inout [UInt8]) {
        var index = bytes.startIndex
        var quoted = false
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\"") { quoted.toggle() }
            guard quoted, byte == UInt8(ascii: "\\"), index + 1 < bytes.endIndex else {
                result.append(byte)
                index += 1
                continue
            }
            if let high = unit(bytes, at: index), (0xD800...0xDFFF).contains(high) {
                index += 6
                var scalar: UInt32 = 0xFFFD
                if high < 0xDC00, let low = unit(bytes, at: index), (0xDC00...0xDFFF).contains(low) {
                    scalar = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
                    index += 6
                }
                let digits = String(scalar, radix: 16)
                result += Array("\\U\(String(repeating: "0", count: 8 - digits.count))\(digits)".utf8)
            } else {
                result += bytes[index...(index + 1)]
                index += 2
            }
        }
    }

    /// The code unit of `\uXXXX` at that index.
    private static func unit(_ bytes: ArraySlice<UInt8>, at index: Int) -> UInt32? {
        guard index + 6 <= bytes.endIndex, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
        else { return nil }
        let digits = bytes[(index + 2)..<(index + 6)]
        guard digits.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
