/// A value of an object that is written, with comments above its fields.
indirect enum Tree: Hashable {
    case text(String)
    case number(Int)
    case flag(Bool)
    case list([Tree])
    case map([TreeField])

    /// A list of texts.
    static func texts(_ values: [String]) -> Tree { .list(values.map { .text($0) }) }

    /// An object of the fields that have a value, in this order.
    static func object(_ fields: (String, Tree?)...) -> Tree { object(fields) }

    static func object(_ fields: [(String, Tree?)]) -> Tree {
        .map(fields.compactMap { key, value in value.map { TreeField(key: key, value: $0) } })
    }

    var isEmpty: Bool {
        switch self {
        case .list(let elements): elements.isEmpty
        case .map(let fields): fields.isEmpty
        case .text, .number, .flag: false
        }
    }

    /// Nil in place of an empty object or list.
    var orNothing: Tree? { isEmpty ? nil : self }
}

struct TreeField: Hashable {
    var key: String
    var value: Tree
    var comments: [String] = []
}

/// One document: comments, and an object unless it is for the comments alone.
struct OutputDocument: Hashable {
    var comments: [String] = []
    var root: Tree?
}

extension OutputDocument {
    /// An object of the API, with the comments above it.
    static func object(
        _ apiVersion: String, _ kind: String, _ name: ObjectName, labels: [(String, String)] = [],
        spec: Tree, comments: [String] = []
    ) -> OutputDocument {
        let metadata = Tree.object(
            ("name", .text(name.name)), ("namespace", .text(name.namespace)),
            ("labels", Tree.object(labels.map { ($0.0, Tree.text($0.1)) }).orNothing))
        return OutputDocument(
            comments: comments,
            root: .object(
                ("apiVersion", .text(apiVersion)), ("kind", .text(kind)), ("metadata", metadata), ("spec", spec)))
    }
}
