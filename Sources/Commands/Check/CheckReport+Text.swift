internal import Controller
internal import Inspection

extension CheckReport {
    /// For people: objects with their conditions, what would serve, what is wrong, and a closing line.
    var text: String {
        [objectsText, listenersText, backendsText, causesText, problemsText, summary].filter { !$0.isEmpty }
            .joined(separator: "\n")
    }

    private var objectsText: String {
        let withStatus = objects.filter { !$0.conditions.isEmpty }
        let without = objects.filter { $0.conditions.isEmpty }
        var lines: [String] = []
        for object in withStatus {
            lines.append(object.title)
            var part: String?
            for condition in object.conditions {
                let title = condition.listener.map { "listener \($0)" } ?? condition.parent.map { "parent \($0)" }
                if let title, title != part { lines.append("  \(title)") }
                part = title ?? part
                let message = condition.message.isEmpty ? "" : "  \(condition.message)"
                let indent = title == nil ? "  " : "    "
                lines.append("\(indent)\(condition.type)=\(condition.status)  \(condition.reason)\(message)")
            }
        }
        for (kind, objects) in Dictionary(grouping: without, by: \.kind).sorted(by: { $0.key < $1.key }) {
            lines.append(
                "\(kind) (\(objects.count)): "
                    + objects.map(\.title).map { $0.dropFirst(kind.count + 1) }
                    .joined(separator: ", "))
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private var listenersText: String {
        guard !listeners.isEmpty else { return "No listener would serve.\n" }
        var rows = [["LISTENER", "ADDRESS", "MODE", "HOSTNAME", "ROUTE", "BACKENDS"]]
        for listener in listeners {
            let head = [
                "\(listener.gateway)/\(listener.listener)", listener.bindings.map(\.address).joined(separator: ","),
                listener.mode,
            ]
            if listener.routes.isEmpty { rows.append(head + [listener.hostname ?? "*", "none: refused", ""]) }
            for route in listener.routes {
                rows.append(
                    head + [route.hostname ?? listener.hostname ?? "*", route.route, CheckReport.backends(of: route)])
            }
        }
        return table(rows)
    }

    private static func backends(of route: ConfigurationView.Route) -> String {
        guard !route.backends.isEmpty else { return "none: refused" }
        let single = route.backends.count == 1
        return route.backends.map { weighted in
            (weighted.backend ?? "unresolved: refused") + (single ? "" : " (\(weighted.weight))")
        }.joined(separator: ", ")
    }

    private var backendsText: String {
        guard !backends.isEmpty else { return "" }
        var rows = [["BACKEND", "ENDPOINTS", "TLS"]]
        for backend in backends {
            let shown = backend.endpoints.prefix(4).map(\.address).joined(separator: ", ")
            let more = backend.endpoints.count > 4 ? " and \(backend.endpoints.count - 4) more" : ""
            rows.append([
                backend.backend, backend.endpoints.isEmpty ? "none: refused" : shown + more,
                backend.tls?.hostname ?? "",
            ])
        }
        return table(rows)
    }

    /// What connections would meet on account of all that.
    private var causesText: String {
        causes.flatMap { link in
            var flat = link
            flat.depth = 0
            return flat.lines
        }.map { $0 + "\n" }.joined()
    }

    private var problemsText: String {
        var lines = problems.map { "\($0.severity): \($0.text)" }
        lines += notices.map { "notice: \($0.object): \($0.message)" }
        lines += unknownKinds.map { "skipped: \($0.apiVersion) \($0.kind) is not a kind that is read (\($0.file))" }
        return lines.map { $0 + "\n" }.joined()
    }

    private var summary: String {
        let errors = problems.count { $0.severity == "error" }
        let verdict = accepted ? "all accepted" : "NOT all accepted"
        return
            "\(count(objects.count, "object")), \(count(listeners.count, "listener")), \(count(errors, "error")): \(verdict)\n"
    }
}

private func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

/// Columns as wide as their widest cell, three blanks between them.
func table(_ rows: [[String]]) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
    return rows.map { row in
        let line = row.enumerated().map { index, cell in
            index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
        }.joined(separator: "   ")
        return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
}
