/// A duration as Gateway API writes it (GEP-2257): up to four numbers of at most five digits, each with a unit, such as
/// `1h30m` or `500ms`. Units are `h`, `m`, `s` and `ms`.
public struct GatewayDuration: Hashable, Sendable {
    /// Not negative, and in whole milliseconds.
    public let duration: Duration

    /// Nil when `text` is no duration.
    public init?(_ text: String) {
        var rest = Substring(text)
        var total: Int64 = 0
        var parts = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard (1...5).contains(digits.count), let number = Int64(digits), parts < 4,
                let factor = GatewayDuration.milliseconds[String(unit)]
            else { return nil }
            total += number * factor
            parts += 1
        }
        guard parts > 0 else { return nil }
        duration = .milliseconds(total)
    }

    private static let milliseconds: [String: Int64] = ["h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1]
}
