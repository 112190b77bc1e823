/// A table of which the columns can be sorted by. Values only.
struct TopTable: Hashable, Sendable {
    struct Column: Hashable, Sendable {
        var title: String
        /// Numbers stand at the right, and the greatest comes first when they are sorted by.
        var isNumber: Bool
    }

    struct Cell: Hashable, Sendable {
        var text: String
        /// Of a number.
        var value: Double?
    }

    struct Row: Hashable, Sendable {
        /// Stays the same from look to look.
        var id: String
        var cells: [Cell]
        /// Something is wrong with it.
        var isProblem = false
    }

    var columns: [Column]
    var rows: [Row]

    /// Rows one of whose cells has the text in it, whatever the case; all without one.
    func filtered(_ text: String) -> TopTable {
        let wanted = text.lowercased()
        guard !wanted.isEmpty else { return self }
        var table = self
        table.rows = rows.filter { row in row.cells.contains { $0.text.lowercased().contains(wanted) } }
        return table
    }

    /// By a column, the greatest number or the first text first; equal ones by the first column.
    func sorted(by index: Int, reversed: Bool) -> TopTable {
        guard columns.indices.contains(index) else { return self }
        var table = self
        table.rows.sort { left, right in
            let order = TopTable.order(left.cells[index], right.cells[index])
            if order != 0 { return (order < 0) != reversed }
            return left.id < right.id
        }
        return table
    }

    /// Below 0: the left one comes first.
    private static func order(_ left: Cell, _ right: Cell) -> Int {
        if let first = left.value, let second = right.value { return first == second ? 0 : first > second ? -1 : 1 }
        if (left.value == nil) != (right.value == nil) { return left.value == nil ? 1 : -1 }
        return left.text == right.text ? 0 : left.text < right.text ? -1 : 1
    }
}

extension TopTable.Cell {
    static func text(_ text: String) -> TopTable.Cell { TopTable.Cell(text: text) }
    static func count(_ value: UInt64) -> TopTable.Cell { TopTable.Cell(text: "\(value)", value: Double(value)) }

    /// A number a second; nil: there was no look before.
    static func rate(_ value: Double?) -> TopTable.Cell {
        value.map { TopTable.Cell(text: shortNumber($0), value: $0) } ?? .text("-")
    }

    /// Bytes, or bytes a second.
    static func bytes(_ value: Double?) -> TopTable.Cell {
        value.map { TopTable.Cell(text: shortBytes($0), value: $0) } ?? .text("-")
    }

    /// Milliseconds.
    static func time(_ value: Double?) -> TopTable.Cell {
        value.map { TopTable.Cell(text: shortTime($0), value: $0) } ?? .text("-")
    }
}

/// `0`, `0.4`, `12.3`, `480`, `12.0k`.
func shortNumber(_ value: Double) -> String {
    switch value {
    case ..<0.05: "0"
    case ..<99.95: tenths(value)
    case ..<9999.5: "\(Int(value.rounded()))"
    case ..<9_999_500: tenths(value / 1000) + "k"
    default: tenths(value / 1_000_000) + "M"
    }
}

/// `0`, `512B`, `1.5K`, `20.0M`; powers of 1024.
func shortBytes(_ value: Double) -> String {
    var (value, units) = (value, ["B", "K", "M", "G", "T", "P"][...])
    while value >= 1023.5, units.count > 1 {
        value /= 1024
        units.removeFirst()
    }
    let unit = units.first ?? ""
    if value < 0.05 { return "0" }
    return unit == "B" ? "\(Int(value.rounded()))B" : tenths(value) + unit
}

/// Milliseconds: `0.2ms`, `15.0ms`, `2.5s`, `5m`, `3h`, `2d`.
func shortTime(_ milliseconds: Double) -> String {
    switch milliseconds {
    case ..<999.95: tenths(milliseconds) + "ms"
    case ..<99_950: tenths(milliseconds / 1000) + "s"
    case ..<7_200_000: "\(Int(milliseconds / 60_000))m"
    case ..<172_800_000: "\(Int(milliseconds / 3_600_000))h"
    default: "\(Int(milliseconds / 86_400_000))d"
    }
}

private func tenths(_ value: Double) -> String {
    let count = Int((value * 10).rounded())
    return "\(count / 10).\(count % 10)"
}
