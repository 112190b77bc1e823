/// Writes JSON by appending UTF-8; for log lines and small answers of fixed shape.
public enum JSONText {
    /// Appends a string with its quotes. Control characters (C0, DEL, C1), U+2028/2029 and the bidirectional overrides
    /// are escaped, so that a line stays one line and shows what it holds wherever it is printed.
    public static func append(_ string: some StringProtocol, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        appendEscaped(string, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    /// Appends an array of strings.
    public static func append(list: some Sequence<String>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for (index, item) in list.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(item, to: &output)
        }
        output.append(UInt8(ascii: "]"))
    }

    /// Appends an object whose values are strings, in the order of its names.
    public static func append(object: [String: String], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "{"))
        for (index, (name, value)) in object.sorted(by: { $0.key < $1.key }).enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            append(name, to: &output)
            output.append(UInt8(ascii: ":"))
            append(value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    static func appendEscaped(_ string: some StringProtocol, to output: inout [UInt8]) {
        if string.utf8.allSatisfy({ (0x20..<0x7f).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        ) {
            output.append(contentsOf: string.utf8)
            return
        }
        for scalar in string.unicodeScalars { append(scalar, to: &output) }
    }

    private static func append(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        switch scalar {
        case "\"": output.append(contentsOf: #"\""#.utf8)
        case "\\": output.append(contentsOf: #"\\"#.utf8)
        case "\n": output.append(contentsOf: #"\n"#.utf8)
        case "\r": output.append(contentsOf: #"\r"#.utf8)
        case "\t": output.append(contentsOf: #"\t"#.utf8)
        case let scalar where scalar.isUnprintable:
            output.append(contentsOf: #"\u"#.utf8)
            let digits = String(scalar.value, radix: 16)
            output.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, 4 - digits.utf8.count)))
            output.append(contentsOf: digits.utf8)
        default: output.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }
}

extension Unicode.Scalar {
    /// Would move a terminal's cursor, break a line or reorder what follows. All of them have at most four hex digits.
    var isUnprintable: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0, 0x200e...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff: true
        default: false
        }
    }
}
