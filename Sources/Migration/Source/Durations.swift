/// Durations as other products write them, to Gateway API's (GEP-2257).
enum Durations {
    /// `1h30m`, `1.5s`, `500ms`, `2` with a unit of its own, `1d`; nil for anything else and for what is not positive or no
    /// whole number of milliseconds after rounding up.
    static func milliseconds(_ text: String, unit: Int = 1000) -> Int? {
        if let plain = Int(text) {
            let (product, isTooLarge) = plain.multipliedReportingOverflow(by: unit)
            return isTooLarge || product > longest ? nil : product
        }
        var rest = text[...]
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard let count = Double(digits), count < 1e12 else { return nil }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !($0.isASCII && ($0.isNumber || $0 == ".")) }
            guard let factor = factors[String(unit)] else { return nil }
            total += count * factor
            rest = rest.dropFirst(unit.count)
        }
        return text.isEmpty || total > Double(longest) ? nil : Int(total.rounded(.up))
    }

    /// Milliseconds: far more than anybody means, and few enough to be reckoned with.
    private static let longest = 1_000_000_000_000_000

    private static let factors: [String: Double] = [
        "ns": 1e-6, "us": 1e-3, "µs": 1e-3, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000,
    ]

    /// As ``milliseconds(_:unit:)``, in Gateway API's form.
    static func text(_ text: String, unit: Int = 1000) -> String? {
        milliseconds(text, unit: unit).flatMap { $0 > 0 ? written($0) : nil }
    }

    static func written(_ milliseconds: Int) -> String? {
        guard milliseconds >= 0, milliseconds / 3_600_000 <= 99_999 else { return nil }
        let parts = [
            (milliseconds / 3_600_000, "h"), (milliseconds / 60_000 % 60, "m"), (milliseconds / 1000 % 60, "s"),
            (milliseconds % 1000, "ms"),
        ]
        let text = parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
        return text.isEmpty ? "0s" : text
    }

    /// Seconds for keepalives, which take 1s to 32767s.
    static func keepalive(_ milliseconds: Int) -> String? {
        let seconds = (milliseconds + 999) / 1000
        return (1...32767).contains(seconds) ? written(seconds * 1000) : nil
    }
}
