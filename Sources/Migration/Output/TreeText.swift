internal import YAML

/// Writes documents as block-style YAML with comments; libyaml, which quotes the scalars, has no comments.
struct TreeText {
    private(set) var text = ""
    private static let width = 110

    init(_ documents: [OutputDocument]) {
        for (index, document) in documents.enumerated() {
            if index > 0 { text += "---\n" }
            comment(document.comments, indent: 0)
            if let root = document.root { write(root, indent: 0) }
        }
    }

    private mutating func comment(_ lines: [String], indent: Int) {
        let margin = String(repeating: " ", count: indent)
        for line in lines {
            for part in TreeText.wrapped(line, to: TreeText.width - indent) {
                text += part.isEmpty ? "\(margin)#\n" : "\(margin)# \(part)\n"
            }
        }
    }

    /// Lines of at most `width` characters where words allow it; further ones are indented like the first.
    static func wrapped(_ line: String, to width: Int) -> [String] {
        let margin = String(line.prefix { $0 == " " })
        let isItem = line.dropFirst(margin.count).hasPrefix("- ") || line.hasPrefix("! ")
        var lines: [String] = []
        var current = margin
        var isEmpty = true
        for word in line.split(separator: " ") {
            if !isEmpty, current.count + 1 + word.count > width {
                lines.append(current)
                current = margin + (isItem ? "  " : "")
                isEmpty = true
            }
            current += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [current]
    }

    private mutating func write(_ tree: Tree, indent: Int) {
        switch tree {
        case .map(let fields): for field in fields { write(field, indent: indent) }
        case .list(let elements): for element in elements { write(element: element, indent: indent) }
        case .text, .number, .flag: text += TreeText.scalar(tree, indent: indent) + "\n"
        }
    }

    private mutating func write(_ field: TreeField, indent: Int) {
        let margin = String(repeating: " ", count: indent)
        comment(field.comments, indent: indent)
        text += margin + TreeText.scalar(.text(field.key), indent: indent) + ":"
        switch field.value {
        case .map(let fields) where !fields.isEmpty:
            text += "\n"
            write(field.value, indent: indent + 2)
        case .list(let elements) where !elements.isEmpty:
            text += "\n"
            write(field.value, indent: indent)
        default: text += " " + TreeText.scalar(field.value, indent: indent + 2) + "\n"
        }
    }

    private mutating func write(element: Tree, indent: Int) {
        let margin = String(repeating: " ", count: indent)
        guard case .map(let fields) = element, let first = fields.first else {
            text += "\(margin)- \(TreeText.scalar(element, indent: indent + 2))\n"
            return
        }
        comment(first.comments, indent: indent)
        var start = TreeText([])
        start.write(TreeField(key: first.key, value: first.value), indent: indent + 2)
        text += "\(margin)- \(start.text.dropFirst(indent + 2))"
        for field in fields.dropFirst() { write(field, indent: indent + 2) }
    }

    private static func scalar(_ tree: Tree, indent: Int) -> String {
        switch tree {
        case .number(let number): return String(number)
        case .flag(let flag): return flag ? "true" : "false"
        case .list: return "[]"
        case .map: return "{}"
        case .text(let text):
            var node = YAMLNode(text)
            if case .scalar(let scalar) = node.content, scalar.style != .plain || text.contains("\n") {
                node = YAMLNode(.scalar(YAMLScalar(text, style: .doubleQuoted)))
            }
            // As an element of a list: a scalar alone may be followed by a mark of the document's end.
            let line = YAMLNode(.sequence([node])).text
            return String(line.dropFirst(2).dropLast())
        }
    }
}
