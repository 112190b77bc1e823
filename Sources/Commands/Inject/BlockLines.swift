internal import YAML

/// The lines of a YAML text, changed as lines: what is not touched stays as it was written, comments included. Line numbers count from
/// 0 here, columns are numbers of spaces.
struct BlockLines {
    private(set) var lines: [String]

    init(_ text: String) {
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
    }

    var text: String { lines.map { $0 + "\n" }.joined() }

    mutating func insert(_ text: String, at line: Int, indentation: Int) {
        let spaces = String(repeating: " ", count: indentation)
        let added = BlockLines(text).lines.map { $0.isEmpty ? "" : spaces + $0 }
        lines.insert(contentsOf: added, at: line)
    }

    mutating func remove(_ range: Range<Int>) { lines.removeSubrange(range) }

    /// Whether a node begins with a brace or bracket.
    func isFlow(_ node: YAMLNode) -> Bool {
        guard lines.indices.contains(node.line - 1), node.elements != nil || node.entries != nil else { return false }
        let rest = lines[node.line - 1].dropFirst(node.column - 1)
        return rest.first == "{" || rest.first == "["
    }

    /// The lines of a mapping's entry, without blank lines behind it, and comments that are not indented further.
    func extent(of entry: YAMLEntry) -> Range<Int> {
        extent(from: entry.line - 1, column: entry.column - 1, elementsInside: true)
    }

    /// The lines of each element of an entry's list, and how far the dashes are indented; no elements where it is empty.
    func elements(of entry: YAMLEntry) -> (ranges: [Range<Int>], indentation: Int) {
        let whole = extent(of: entry)
        let body = whole.dropFirst().filter { !isRemark(lines[$0]) }
        guard let first = body.first else { return ([], entry.column - 1) }
        let indentation = Self.spaces(lines[first])
        let starts = body.filter {
            Self.spaces(lines[$0]) == indentation && Self.isElement(lines[$0].dropFirst(indentation))
        }
        return (starts.map { extent(from: $0, column: indentation, elementsInside: false) }, indentation)
    }

    /// The first of the comments that stand directly above a line.
    func aboveComments(_ line: Int) -> Int {
        var line = line
        while line > 0, lines[line - 1].drop(while: { $0 == " " }).first == "#" { line -= 1 }
        return line
    }

    /// The lines of a document, from the `---` above it; of the first one without, from the beginning.
    func document(at line: Int) -> Range<Int> {
        let start = lines[...line].lastIndex(where: Self.isMarker) ?? 0
        return start..<(lines[(line + 1)...].firstIndex(where: Self.isMarker) ?? lines.count)
    }

    /// From a line on, all that is indented further than `column`; a list's dashes may stand there too.
    private func extent(from start: Int, column: Int, elementsInside: Bool) -> Range<Int> {
        var end = start + 1
        for index in lines.indices.dropFirst(start + 1) {
            let (line, spaces) = (lines[index], Self.spaces(lines[index]))
            if isRemark(line), spaces <= column || isBlank(line) { continue }
            if Self.isMarker(line) { break }
            let isInside =
                spaces > column || elementsInside && spaces == column && Self.isElement(line.dropFirst(spaces))
            guard isInside else { break }
            end = index + 1
        }
        return start..<end
    }

    /// Blank, or a comment alone.
    private func isRemark(_ line: String) -> Bool { isBlank(line) || line.drop { $0 == " " }.first == "#" }

    private func isBlank(_ line: String) -> Bool { line.allSatisfy(\.isWhitespace) }

    private static func spaces(_ line: String) -> Int { line.prefix { $0 == " " }.count }

    private static func isElement(_ rest: Substring) -> Bool { rest == "-" || rest.hasPrefix("- ") }

    private static func isMarker(_ line: String) -> Bool {
        line.hasPrefix("---") || line.hasPrefix("...")
    }
}
