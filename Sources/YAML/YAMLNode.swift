internal import Primitives

/// One node of a parsed document, with the place (1-based) where it starts.
public struct YAMLNode: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLEntry])
    }

    public var content: Content
    /// An explicit tag in its long form (`tag:yaml.org,2002:str`), or nil.
    public var tag: String?
    /// 1-based; 0 for nodes that were made rather than parsed.
    public var line: Int
    /// 1-based, in characters.
    public var column: Int

    public init(_ content: Content, tag: String? = nil, line: Int = 0, column: Int = 0) {
        self.content = content
        self.tag = tag
        self.line = line
        self.column = column
    }
}

/// A scalar as it was written.
public struct YAMLScalar: Hashable, Sendable {
    public enum Style: Hashable, Sendable { case plain, singleQuoted, doubleQuoted, literal, folded }

    public var text: String
    public var style: Style

    public init(_ text: String, style: Style = .plain) {
        self.text = text
        self.style = style
    }
}

/// A key and its value. Keys are strings, as in JSON: `1:` is the key "1", `on:` the key "true".
public struct YAMLEntry: Hashable, Sendable {
    public var key: String
    /// Where the key stands, 1-based.
    public var line: Int
    public var column: Int
    public var value: YAMLNode

    public init(key: String, line: Int = 0, column: Int = 0, value: YAMLNode) {
        self.key = key
        self.line = line
        self.column = column
        self.value = value
    }
}

extension YAMLNode {
    /// The value of the first entry with that key; nil for other keys and for nodes that are no mapping.
    public subscript(key: String) -> YAMLNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// The element at that index; nil beyond the end and for nodes that are no sequence.
    public subscript(index: Int) -> YAMLNode? {
        guard case .sequence(let elements) = content, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    public var entries: [YAMLEntry]? {
        if case .mapping(let entries) = content { entries } else { nil }
    }

    public var elements: [YAMLNode]? {
        if case .sequence(let elements) = content { elements } else { nil }
    }

    /// The text of a scalar that is a string; nil for everything else, numbers and booleans included.
    public var string: String? {
        // What most strings are is seen without resolving them.
        if case .scalar(let scalar) = content, tag == nil {
            if scalar.style != .plain { return scalar.text }
            if let first = scalar.text.utf8.first, YAMLValue.isAlwaysText(first, count: scalar.text.utf8.count) {
                return scalar.text
            }
        }
        if case .string(let text)? = value { return text }
        return nil
    }

    /// Kubernetes reads null as if the field were not there.
    public var isNull: Bool {
        // The longest word for it has four letters.
        guard case .scalar(let scalar) = content, scalar.text.utf8.count <= 4 else { return false }
        return value == .null
    }

    /// What the node is, for messages: `"abc"`, `12`, `an object`.
    public var shown: String {
        switch content {
        case .mapping: "an object"
        case .sequence: "a list"
        case .scalar(let scalar):
            switch value {
            case .string: "\"\(printable(scalar.text))\""
            case .null: "null"
            default: printable(scalar.text)
            }
        }
    }
}
