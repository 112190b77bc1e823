/// One event as bytes of a line, its newline included. Runs in the thread that logs.
struct LogLine {
    static let reservedKeys: Set<String> = ["time", "level", "message"]

    let format: LogFormat
    let colours: Bool

    func render(_ entry: LogEntry) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(160)
        if format == .json { appendJSON(entry, to: &output) } else { appendText(entry, to: &output) }
        output.append(UInt8(ascii: "\n"))
        return output
    }

    private func appendJSON(_ entry: LogEntry, to output: inout [UInt8]) {
        output.append(contentsOf: #"{"time":""#.utf8)
        Timestamp.append(entry.time, to: &output)
        output.append(contentsOf: #"","level":""#.utf8)
        output.append(contentsOf: entry.level.rawValue.utf8)
        output.append(contentsOf: #"","message":"#.utf8)
        JSONText.append(entry.message, to: &output)
        for (key, value) in entry.fields {
            output.append(UInt8(ascii: ","))
            // A second "time" would hide the first from most readers.
            JSONText.append(Self.reservedKeys.contains(key) ? "field_\(key)" : key, to: &output)
            output.append(UInt8(ascii: ":"))
            value.appendJSON(to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private func appendText(_ entry: LogEntry, to output: inout [UInt8]) {
        Timestamp.append(entry.time, to: &output)
        output.append(UInt8(ascii: " "))
        if colours { output.append(contentsOf: entry.level.colour.utf8) }
        output.append(contentsOf: entry.level.padded.utf8)
        if colours { output.append(contentsOf: "\u{1b}[0m".utf8) }
        output.append(UInt8(ascii: " "))
        JSONText.appendEscaped(entry.message, to: &output)
        for (key, value) in entry.fields {
            output.append(UInt8(ascii: " "))
            LogValue.appendWord(key, to: &output)
            output.append(UInt8(ascii: "="))
            value.appendText(to: &output)
        }
    }
}

extension Logger.Level {
    /// Five columns in upper case.
    var padded: String {
        switch self {
        case .debug: "DEBUG"
        case .info: "INFO "
        case .warning: "WARN "
        case .error: "ERROR"
        }
    }

    var colour: String {
        switch self {
        case .debug: "\u{1b}[2m"
        case .info: "\u{1b}[32m"
        case .warning: "\u{1b}[33m"
        case .error: "\u{1b}[31m"
        }
    }
}

extension LogValue {
    func appendJSON(to output: inout [UInt8]) {
        switch kind {
        case .string(let text): JSONText.append(text, to: &output)
        case .double(let value) where !value.isFinite: JSONText.append(value.description, to: &output)
        case .duration(let value): output.append(contentsOf: value.inSeconds.utf8)
        case .signed, .unsigned, .bool, .double: appendText(to: &output)
        }
    }

    func appendText(to output: inout [UInt8]) {
        switch kind {
        case .string(let text): Self.appendWord(text, to: &output)
        case .signed(let value): output.append(contentsOf: value.description.utf8)
        case .unsigned(let value): output.append(contentsOf: value.description.utf8)
        case .bool(let value): output.append(contentsOf: value.description.utf8)
        case .double(let value): output.append(contentsOf: value.description.utf8)
        case .duration(let value): output.append(contentsOf: value.withUnit.utf8)
        }
    }

    /// Bare where that is unambiguous, else in quotes with JSON's escapes.
    static func appendWord(_ text: String, to output: inout [UInt8]) {
        let needsQuotes = text.unicodeScalars.contains {
            $0 == " " || $0 == "\"" || $0 == "=" || $0 == "\\" || $0.isUnprintable || $0.properties.isWhitespace
        }
        if needsQuotes || text.isEmpty {
            JSONText.append(text, to: &output)
        } else {
            output.append(contentsOf: text.utf8)
        }
    }
}

extension Duration {
    /// A decimal number of seconds, exact to the nanosecond, without an exponent.
    var inSeconds: String { decimal(nanosecondsPerUnit: 1_000_000_000) }

    /// At least one of a unit where possible, to a thousandth of it: `250ns`, `1.5ms`, `90s`.
    var withUnit: String {
        switch nanosecondCount.magnitude {
        case 0: "0s"
        case ..<1000: decimal(nanosecondsPerUnit: 1) + "ns"
        case ..<1_000_000: decimal(nanosecondsPerUnit: 1000) + "us"
        case ..<1_000_000_000:
            Duration.nanoseconds(nanosecondCount / 1000 * 1000).decimal(nanosecondsPerUnit: 1_000_000) + "ms"
        default: Duration.nanoseconds(nanosecondCount / 1_000_000 * 1_000_000).inSeconds + "s"
        }
    }

    /// Nanoseconds, kept within what 64 bits hold (292 years).
    private var nanosecondCount: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, more) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflow || more ? (seconds < 0 ? -.max : .max) : sum
    }

    private func decimal(nanosecondsPerUnit unit: UInt64) -> String {
        let count = nanosecondCount
        let (whole, rest) = count.magnitude.quotientAndRemainder(dividingBy: unit)
        let sign = count < 0 ? "-" : ""
        guard rest > 0 else { return "\(sign)\(whole)" }
        var digits = String(rest + unit).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(sign)\(whole).\(digits)"
    }
}
