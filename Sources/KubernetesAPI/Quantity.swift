/// An amount as Kubernetes writes it, such as `64Ki`, `1.5G`, `1500m` or `1e6`: a decimal number, and a binary suffix (Ki
/// to Ei), a decimal one (n, u, m, k, M to E) or an exponent. In JSON a string, or a whole number.
///
/// It keeps what was written, whether or not that is an amount: nothing is lost until somebody asks for the value.
public struct Quantity: Hashable, Sendable, CustomStringConvertible {
    /// As it was written; a JSON number in decimal digits.
    public let text: String

    public init(_ text: String) { self.text = text }
    public init(_ number: Int64) { text = String(number) }

    public var description: String { text }

    /// The amount in billionths, which is exact: Kubernetes knows no smaller part, and rounds what has one away from zero.
    /// Amounts beyond ±(2^63 − 1) count as that. Nil where ``text`` is no quantity.
    public var billionths: Int128? { QuantityText(text)?.billionths }

    /// Rounded up to a whole number, of bytes where the field says so; nil where ``text`` is no quantity.
    public var roundedUp: Int64? {
        guard let billionths else { return nil }
        let (whole, rest) = billionths.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Int64(clamping: rest > 0 ? whole + 1 : whole)
    }
}

extension Quantity: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int64.self) {
            self.init(number)
        } else {
            self.init(try container.decode(String.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A quantity in its parts: decimal digits, where their point is, and powers.
private struct QuantityText {
    private let isNegative: Bool
    /// 0–9 each, the most significant first.
    private var digits: [UInt8]
    /// The power of ten of the last digit.
    private var exponent: Int

    init?(_ text: String) {
        var rest = Substring(text).utf8
        isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        var fraction = rest.prefix(0)
        if rest.first == UInt8(ascii: ".") {
            fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        digits = (Array(whole) + Array(fraction)).map { $0 - UInt8(ascii: "0") }
        exponent = -fraction.count
        guard apply(suffix: String(Substring(rest))) else { return nil }
    }

    private mutating func apply(suffix: String) -> Bool {
        if let power = decimalSuffixes[suffix] {
            exponent += power
        } else if let power = binarySuffixes[suffix] {
            for _ in 0..<power { multiply(by: 1024) }
        } else if suffix.utf8.first == UInt8(ascii: "e") || suffix.utf8.first == UInt8(ascii: "E"),
            suffix.utf8.dropFirst().allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }),
            let power = Int64(suffix.dropFirst())
        {
            // Far beyond what any number of digits makes up for.
            exponent += Int(max(min(power, 1 << 40), -(1 << 40)))
        } else {
            return false
        }
        return true
    }

    private mutating func multiply(by factor: Int) {
        var carry = 0
        for index in digits.indices.reversed() {
            let product = Int(digits[index]) * factor + carry
            digits[index] = UInt8(product % 10)
            carry = product / 10
        }
        while carry > 0 {
            digits.insert(UInt8(carry % 10), at: 0)
            carry /= 10
        }
    }

    var billionths: Int128 {
        let significant = digits.drop { $0 == 0 }
        guard !significant.isEmpty else { return 0 }
        let limit = Int128(Int64.max) * 1_000_000_000
        // How many digits stand before the point once the unit is a billionth. Thirty are beyond the limit.
        let count = significant.count + exponent + 9
        guard count <= 30 else { return isNegative ? -limit : limit }
        var value: Int128 = 0
        for digit in significant.prefix(max(count, 0)) { value = value * 10 + Int128(digit) }
        for _ in 0..<max(count - significant.count, 0) { value *= 10 }
        if significant.dropFirst(max(count, 0)).contains(where: { $0 != 0 }) { value += 1 }
        value = min(value, limit)
        return isNegative ? -value : value
    }
}

private let decimalSuffixes = [
    "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18,
]
private let binarySuffixes = ["Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6]

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
