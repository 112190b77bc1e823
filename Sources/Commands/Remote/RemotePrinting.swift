internal import Controller
internal import Platform
internal import YAML

extension RemoteOutput {
    /// A value as this output has it; `table` makes the text for people, with more columns where it is told so.
    func text(_ value: some Encodable, table: (_ isWide: Bool) -> String) throws -> String {
        switch self {
        case .text: table(false)
        case .wide: table(true)
        case .json: String(decoding: try encodeJSON(value), as: UTF8.self)
        case .yaml: try YAMLEncoder().text(value)
        }
    }
}

extension RemoteOptions {
    /// Prints what `text` gives: once, or with --watch again each interval, on a terminal in the place of what stood there.
    /// Returns when the reader is gone. `print`: standard output, or a test's.
    func show(
        isTerminal: Bool = StandardStream.output.isTerminal,
        print: (String) throws(Errno) -> Void = StandardStream.output.write, _ text: () throws -> String
    ) throws {
        var isFirst = true
        while true {
            let page = try text()
            let isInPlace = watches && isTerminal && (output == .text || output == .wide)
            let separator =
                isInPlace
                ? "\u{1B}[H\u{1B}[2J\u{1B}[3J" : isFirst ? "" : output == .yaml ? "---\n" : output == .json ? "" : "\n"
            do throws(Errno) { try print(separator + page) } catch { return }
            guard watches else { return }
            isFirst = false
            pause(for: interval)
        }
    }
}

/// Rows below a heading, each column as wide as its widest cell.
struct TextTable {
    private var rows: [[String]]
    /// Columns of numbers, which stand at the right.
    private let right: Set<Int>

    init(_ heading: [String], right: Set<Int> = []) { (rows, self.right) = ([heading], right) }

    /// An absent or empty cell is shown as `-`.
    mutating func add(_ cells: [String?]) {
        rows.append(cells.map { cell in cell.flatMap { $0.isEmpty ? nil : $0 } ?? "-" })
    }

    /// Each line ends in a line feed, and none in spaces.
    var text: String {
        let widths = (rows.first ?? []).indices.map { column in
            rows.reduce(0) { max($0, column < $1.count ? $1[column].count : 0) }
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: max(0, widths[column] - cell.count))
                return right.contains(column) ? space + cell : cell + space
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
        }.joined()
    }
}

/// A number of bytes for people: `0`, `812`, `1.5Ki`, `23Mi`.
func byteText(_ bytes: UInt64) -> String {
    guard bytes >= 1024 else { return "\(bytes)" }
    var value = Double(bytes)
    var unit = 0
    let units = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
    while value >= 1023.95, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    let tenths = Int((value * 10).rounded())
    return (tenths < 100 && tenths % 10 != 0 ? "\(tenths / 10).\(tenths % 10)" : "\((tenths + 5) / 10)") + units[unit]
}

/// A span of time for people, in its two largest units: `0s`, `750ms`, `12s`, `3m5s`, `2h4m`, `9d3h`.
func spanText(milliseconds: Int64) -> String {
    if milliseconds < 1000 { return milliseconds <= 0 ? "0s" : "\(milliseconds)ms" }
    let seconds = milliseconds / 1000
    let units: [(Int64, String)] = [(86400, "d"), (3600, "h"), (60, "m"), (1, "s")]
    var parts: [String] = []
    var rest = seconds
    for (length, name) in units where parts.count < 2 {
        let count = rest / length
        rest %= length
        if count > 0 { parts.append("\(count)\(name)") } else if !parts.isEmpty { break }
    }
    return parts.joined()
}
