/// What a scalar means by the rules that Kubernetes' tools apply (sigs.k8s.io/yaml: YAML 1.1).
public enum YAMLValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Only values above `Int64.max`.
    case unsigned(UInt64)
    case float(Double)
    case string(String)
}

extension YAMLNode {
    /// The meaning of a scalar; nil for sequences and mappings.
    public var value: YAMLValue? {
        guard case .scalar(let scalar) = content else { return nil }
        let prefix = "tag:yaml.org,2002:"
        switch tag {
        case nil: return scalar.style == .plain ? YAMLValue(plain: scalar.text) : .string(scalar.text)
        case prefix + "int", prefix + "float", prefix + "bool", prefix + "null": return YAMLValue(plain: scalar.text)
        default: return .string(scalar.text)
        }
    }
}

extension YAMLValue {
    /// Resolves a scalar without quotes. Dates are strings.
    public init(plain text: String) {
        if let word = Self.word(text) {
            self = word
        } else if let first = text.utf8.first, Self.startsNumber(first) {
            self = Self.number(text) ?? .string(text)
        } else {
            self = .string(text)
        }
    }

    /// Whether a scalar without quotes is a string for its first byte and its length alone: no number begins so, and no word
    /// with a meaning of its own is as long.
    static func isAlwaysText(_ first: UInt8, count: Int) -> Bool { count > longestWord && !startsNumber(first) }

    private static let longestWord = 5

    private static func word(_ text: String) -> YAMLValue? {
        guard text.utf8.count <= longestWord else { return nil }
        if let first = text.utf8.first, !beginsWord(first) { return nil }
        return switch text {
        case "", "~", "null", "Null", "NULL": .null
        case "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": .bool(true)
        case "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": .float(.infinity)
        case "-.inf", "-.Inf", "-.INF": .float(-.infinity)
        case ".nan", ".NaN", ".NAN": .float(.nan)
        default: nil
        }
    }

    /// Whether any of the words begins so.
    private static func beginsWord(_ byte: UInt8) -> Bool {
        switch byte | 0x20 {
        case UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "o"), UInt8(ascii: "t"), UInt8(ascii: "y"): true
        default:
            byte == UInt8(ascii: "~") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: "-")
        }
    }

    private static func startsNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static func number(_ text: String) -> YAMLValue? {
        let plain = text.utf8.first == UInt8(ascii: ".") ? text : text.filter { $0 != "_" }
        if let integer = integer(plain) { return integer }
        guard isFloat(plain), let value = Double(plain) else { return nil }
        return .float(value)
    }

    /// Go's base prefixes: 0x, 0o, 0b, and a leading 0 for octal.
    private static func integer(_ text: String) -> YAMLValue? {
        var digits = Substring(text)
        let negative = digits.first == "-"
        if negative || digits.first == "+" { digits = digits.dropFirst() }
        var radix = 10
        if digits.first == "0", digits.count > 1 {
            let mark = digits.dropFirst().first
            radix = mark == "x" || mark == "X" ? 16 : mark == "b" || mark == "B" ? 2 : 8
            digits = digits.dropFirst(mark == "x" || mark == "X" || mark == "b" || mark == "B" ? 2 : 1)
            if mark == "o" || mark == "O" { digits = digits.dropFirst() }
        }
        guard let first = digits.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "+") else { return nil }
        if let value = Int64((negative ? "-" : "") + digits, radix: radix) { return .integer(value) }
        if !negative, let value = UInt64(digits, radix: radix) { return .unsigned(value) }
        return nil
    }

    /// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
    private static func isFloat(_ text: String) -> Bool {
        var rest = Substring(text).utf8
        func skipDigits() -> Int {
            let count = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        func skip(_ marks: String) -> Bool {
            guard let first = rest.first, marks.utf8.contains(first) else { return false }
            rest = rest.dropFirst()
            return true
        }
        _ = skip("+-")
        let whole = skipDigits()
        if skip(".") {
            if skipDigits() == 0, whole == 0 { return false }
        } else if whole == 0 {
            return false
        }
        if skip("eE") {
            _ = skip("+-")
            if skipDigits() == 0 { return false }
        }
        return rest.isEmpty
    }
}
