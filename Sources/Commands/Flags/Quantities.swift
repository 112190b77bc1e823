/// Parses Gateway API's `Duration` (GEP-2257): one to four of `h`, `m`, `s`, `ms`, each after 1–5 digits.
func parseDuration(_ text: String) -> Duration? {
    var rest = text[...]
    var total = Duration.zero
    var parts = 0
    while !rest.isEmpty {
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard (1...5).contains(digits.count), let count = Int64(digits), parts < 4 else { return nil }
        rest = rest.dropFirst(digits.count)
        let unit = rest.prefix { $0.isASCII && $0.isLetter }
        switch unit {
        case "h": total += .seconds(count * 3600)
        case "m": total += .seconds(count * 60)
        case "s": total += .seconds(count)
        case "ms": total += .milliseconds(count)
        default: return nil
        }
        rest = rest.dropFirst(unit.count)
        parts += 1
    }
    return parts > 0 ? total : nil
}

/// The shortest text that ``parseDuration(_:)`` reads back, to the millisecond.
func durationText(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let parts = [
        (seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"),
        (attoseconds / 1_000_000_000_000_000, "ms"),
    ]
    let text = parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
    return text.isEmpty ? "0s" : text
}

/// Parses a Kubernetes quantity as a number of bytes: decimal digits, at most one point, and a suffix (`k`, `M`, `G`, `T`
/// or `Ki`, `Mi`, `Gi`, `Ti`). Fractions of a byte are rounded up.
func parseSize(_ text: String) -> Int? {
    let number = text.prefix { ($0.isASCII && $0.isNumber) || $0 == "." }
    guard let factor = sizeSuffixes[String(text.dropFirst(number.count))] else { return nil }
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), let whole = Int(parts[0]), whole < 1 << 40 else { return nil }
    var bytes = whole.multipliedReportingOverflow(by: factor)
    guard !bytes.overflow else { return nil }
    if parts.count == 2 {
        guard (1...9).contains(parts[1].count), let fraction = Double("0.\(parts[1])") else { return nil }
        bytes.partialValue += Int((fraction * Double(factor)).rounded(.up))
    }
    return bytes.partialValue
}

/// With the largest binary suffix that leaves a whole number.
func sizeText(_ bytes: Int) -> String {
    let power = bytes == 0 ? 0 : min(4, bytes.trailingZeroBitCount / 10)
    return "\(bytes >> (10 * power))\(["", "Ki", "Mi", "Gi", "Ti"][power])"
}

private let sizeSuffixes: [String: Int] = [
    "": 1, "k": 1000, "M": 1_000_000, "G": 1_000_000_000, "T": 1_000_000_000_000, "Ki": 1 << 10, "Mi": 1 << 20,
    "Gi": 1 << 30, "Ti": 1 << 40,
]
