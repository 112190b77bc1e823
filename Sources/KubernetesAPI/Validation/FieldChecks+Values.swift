internal import Primitives

// Strings that stand for durations, amounts and blocks of addresses, and lists of strings.

extension FieldChecks {
    /// A Gateway API duration, and a CEL rule of it by its own message. What is no duration breaks no rule of durations.
    mutating func duration(
        _ field: String, _ value: String?, _ message: String = "", holds: (Duration) -> Bool = { _ in true }
    ) {
        guard let value else { return }
        text(field, value, 0...28, .duration)
        if let duration = GatewayDuration(value)?.duration { rule(field, message, holds: holds(duration)) }
    }

    /// A quantity between two others, which is a CEL rule: what is no quantity does not break it.
    mutating func quantity(_ field: String, _ value: Quantity?, from low: Quantity, to high: Quantity) {
        guard let value, let least = low.billionths, let most = high.billionths else { return }
        if let amount = value.billionths {
            let count = value.text.unicodeScalars.count
            if count > 32 { add(field, "must have at most 32 characters, has \(count)") }
            rule(field, "must be between \(low) and \(high)", holds: (least...most).contains(amount))
        } else {
            add(field, "must be a quantity such as 64Ki, 10Mi or 1500000, found \"\(printable(value.text))\"")
        }
    }

    /// Blocks of addresses, as CEL's `isCIDR` takes them.
    mutating func cidrs(_ field: String, _ values: [String]?, _ range: ClosedRange<Int>) {
        count(field, values?.count, range)
        for (index, value) in (values ?? []).enumerated() {
            let field = "\(field)[\(index)]"
            text(field, value, 1...43)
            rule(field, "must be a CIDR such as 10.0.0.0/8 or 2001:db8::/32", holds: CIDR(value) != nil)
        }
    }

    /// A list of texts, each of which keeps to the same limits.
    mutating func texts(
        _ field: String, _ values: [String]?, _ range: ClosedRange<Int>, _ length: ClosedRange<Int>,
        _ rule: TextRule? = nil
    ) {
        count(field, values?.count, range)
        for (index, value) in (values ?? []).enumerated() { text("\(field)[\(index)]", value, length, rule) }
    }
}
