internal import Inspection
internal import Platform

/// A picture of a table: lines that fit into a terminal. Values only.
struct TopScreen {
    var rates: TopRates
    var address: String
    /// Why there is no newer look.
    var problem: String?

    /// Above and below the rows of the table.
    static let frame = 5

    static func page(_ size: Terminal.Size) -> Int { max(1, size.rows - frame) }

    /// Exactly as many lines as the terminal has, none longer than it is wide, with escape sequences for colours.
    /// `state` is kept within the table.
    func lines(_ state: inout TopState, _ size: Terminal.Size) -> [String] {
        let table = rates.table(state.view)
        let order = state.order(table.columns)
        let shown = table.filtered(state.filter).sorted(by: order.column, reversed: order.isReversed)
        let page = TopScreen.page(size)
        state.offset = max(0, min(state.offset, shown.rows.count - page))
        let rows = shown.rows[state.offset...].prefix(page)
        let widths = TopScreen.widths(shown.columns, rows, order, size.columns)
        var lines = [
            styled(title, .bold, size), styled(summary, .plain, size), styled(tabs(state, shown, rows), .plain, size),
            styled(TopScreen.titles(shown.columns, order, widths), .inverse, size),
        ]
        for row in rows {
            let cells = widths.indices.map {
                TopScreen.fitted(row.cells[$0].text, widths[$0], shown.columns[$0].isNumber)
            }
            lines.append(styled(cells.joined(separator: "  "), row.isProblem ? .red : .plain, size))
        }
        while lines.count < size.rows - 1 { lines.append("") }
        lines = Array(lines.prefix(max(0, size.rows - 1)))
        lines.append(styled(problem ?? TopScreen.help(state), problem == nil ? .dim : .red, size))
        return lines
    }

    // MARK: Lines

    private var title: String {
        let tree = rates.now.tree
        let up = Double(max(0, tree.time / 1000 - tree.startedAt)) * 1000
        return
            "sluice \(tree.version) at \(address)  \(tree.source) \(tree.sourceDetail)  generation \(tree.generation)"
            + "  up \(shortTime(up))" + (tree.warnings.isEmpty ? "" : "  \(tree.warnings.count) warnings")
    }

    private var summary: String {
        let setups = rates.total(\.setups).flatMap { $0 > 0 ? $0 : nil }
        let setup = setups.flatMap { count in rates.total(\.setupNanoseconds).map { $0 / count / 1_000_000 } }
        let bytes = [rates.total(\.requestBytes), rates.total(\.responseBytes)].map { $0.map(shortBytes) ?? "-" }
        return "\(rates.now.total.active) connections  \(rates.total(\.accepted).map(shortNumber) ?? "-")/s new  "
            + "\(rates.total(\.failed).map(shortNumber) ?? "-")/s failed  in \(bytes[0])/s  out \(bytes[1])/s"
            + (setup.map { "  setup \(shortTime($0))" } ?? "")
    }

    private func tabs(_ state: TopState, _ shown: TopTable, _ rows: ArraySlice<TopTable.Row>) -> String {
        let tabs = TopView.allCases.map { view in
            let name = "\(view.rawValue + 1) \(view.title)"
            return view == state.view ? "[\(name)]" : " \(name) "
        }
        var text = tabs.joined(separator: " ") + "   "
        text += rows.isEmpty ? "none" : "\(rows.startIndex + 1)-\(rows.endIndex) of \(shown.rows.count)"
        if state.view == .connections, rates.now.connectionCount > rates.now.connections.count {
            text += " (\(rates.now.connectionCount) in all)"
        }
        if state.isTyping { return text + "   /\(state.filter)_" }
        return text + (state.filter.isEmpty ? "" : "   /\(state.filter)")
    }

    private static func help(_ state: TopState) -> String {
        state.isTyping
            ? "Enter keep the filter  Esc drop it"
            : "1-4, arrows view  s/S sort by  r reverse  / filter  Up/Down/PgUp/PgDn scroll  q quit"
    }

    // MARK: Columns

    private static func title(_ index: Int, _ columns: [TopTable.Column], _ order: TopState.Order) -> String {
        columns[index].title + (index == order.column ? (order.isReversed ? "^" : "v") : "")
    }

    private static func titles(_ columns: [TopTable.Column], _ order: TopState.Order, _ widths: [Int]) -> String {
        widths.indices.map { fitted(title($0, columns, order), widths[$0], columns[$0].isNumber) }
            .joined(separator: "  ")
    }

    /// The first column takes what the others leave; in a narrow terminal those at the right are left out.
    private static func widths(
        _ columns: [TopTable.Column], _ rows: ArraySlice<TopTable.Row>, _ order: TopState.Order, _ width: Int
    ) -> [Int] {
        var widths = columns.indices.map { index in
            max(
                title(index, columns, order).count + (index == order.column ? 0 : 1),
                rows.map { $0.cells[index].text.count }.max() ?? 0)
        }
        let least = min(widths.first ?? 0, 24)
        while widths.count > 1, widths.dropFirst().reduce(least, { $0 + $1 + 2 }) > width { widths.removeLast() }
        let rest = width - widths.dropFirst().reduce(0) { $0 + $1 + 2 }
        if !widths.isEmpty { widths[0] = max(0, min(rest, max(widths[0], least))) }
        return widths
    }

    private static func fitted(_ text: String, _ width: Int, _ isRight: Bool) -> String {
        if text.count > width { return width > 1 ? "\(text.prefix(width - 1))~" : "\(text.prefix(width))" }
        let space = String(repeating: " ", count: width - text.count)
        return isRight ? space + text : text + space
    }

    private enum Style: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case inverse = "7"
        case red = "31"
    }

    /// Cut to the width, and without anything that a terminal would obey: names come from others.
    private func styled(_ text: String, _ style: Style, _ size: Terminal.Size) -> String {
        let plain = String(
            text.unicodeScalars.map { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? "?" : Character($0) }
                .prefix(size.columns))
        return style == .plain ? plain : "\u{1b}[\(style.rawValue)m\(plain)\u{1b}[0m"
    }
}
