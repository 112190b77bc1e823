internal import Inspection

extension Explanation {
    /// For people: a line for each link with a mark before it, what is wrong below, then the values that hold.
    var text: String {
        var lines = ["\(object): \(verdict)"]
        lines += links.flatMap(\.lines)
        if !values.isEmpty {
            lines.append("")
            lines.append("Values that hold:")
            let rows = values.map { ["  " + $0.field, $0.value, $0.source] }
            return lines.map { $0 + "\n" }.joined() + table(rows)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private var verdict: String {
        let broken = links.count { $0.verdict == .broken }
        let warnings = links.count { $0.verdict == .warning }
        if broken > 0 { return "NOT served, \(broken) link\(broken == 1 ? "" : "s") broken" }
        return warnings > 0 ? "served, \(warnings) warning\(warnings == 1 ? "" : "s")" : "served"
    }
}

extension TraceAnswer {
    /// Whether the connection would be turned away, or comes to nobody.
    var isRefused: Bool { refusal != nil || backends.isEmpty }

    /// For people.
    var text: String {
        var lines = links.flatMap(\.lines)
        if let refusal {
            lines.append("refused: \(refusal)")
        } else if backends.isEmpty {
            lines.append("refused: nothing listens")
        } else {
            let shares = backends.map { "\($0.backend) (\(Int($0.percent.rounded())) %)" }.joined(separator: ", ")
            lines.append("goes to \(shares)")
            for endpoint in endpoints {
                let zone = endpoint.zone.map { ", zone \($0)" } ?? ""
                let failure = endpoint.failure.map { ", last check: \($0)" } ?? ""
                lines.append("  \(endpoint.address)  \(endpoint.state)\(zone)\(failure)")
            }
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

extension Explanation.Link {
    /// The link with its mark; below it the field, the cause and what to do, where something is wrong.
    var lines: [String] {
        let indent = String(repeating: "  ", count: depth)
        let mark =
            switch verdict {
            case .good: "✓"
            case .warning: "!"
            case .broken: "✗"
            }
        var lines = ["\(indent)\(mark) \(object)  \(message)"]
        guard verdict != .good else { return lines }
        let place = [cause.map { "cause \($0)" }, field.map { "field \($0)" }].compactMap { $0 }
        if !place.isEmpty { lines.append("\(indent)    \(place.joined(separator: ", "))") }
        let meaning = cause.flatMap { Cause.named($0)?.meaning }
        if let meaning, !message.contains(meaning) { lines.append("\(indent)    connections: \(meaning)") }
        if let advice { lines.append("\(indent)    → \(advice)") }
        return lines
    }
}
