public import KubernetesAPI
public import YAML

extension JSONValue {
    /// The value at a path of field names; nil where the path leaves the tree.
    public func at(_ path: String...) -> JSONValue? { at(path[...]) }

    func at(_ path: ArraySlice<String>) -> JSONValue? {
        guard let first = path.first else { return self }
        return self[first]?.at(path.dropFirst())
    }

    /// Sets the value at a path, making objects on the way; nil removes it.
    public mutating func set(_ path: String..., to value: JSONValue?) { set(path[...], to: value) }

    mutating func set(_ path: ArraySlice<String>, to value: JSONValue?) {
        guard let first = path.first else {
            if let value { self = value }
            return
        }
        var fields = self.fields ?? [:]
        if path.count == 1 {
            fields[first] = value
        } else {
            if fields[first]?.fields == nil, value == nil { return }
            var child = fields[first] ?? .object([:])
            child.set(path.dropFirst(), to: value)
            fields[first] = child
        }
        self = .object(fields)
    }

    public var flag: Bool? { if case .bool(let value) = self { value } else { nil } }

    var isEmptyContainer: Bool { fields?.isEmpty ?? elements?.isEmpty ?? false }

    /// RFC 7396.
    func merged(with patch: JSONValue) -> JSONValue {
        guard case .object(let changes) = patch else { return patch }
        var result = fields ?? [:]
        for (key, change) in changes {
            if change == .null {
                result[key] = nil
            } else {
                result[key] = (result[key] ?? .null).merged(with: change)
            }
        }
        return .object(result)
    }

    /// The same without fields that are null: Kubernetes reads null as if the field were not there.
    var withoutNulls: JSONValue {
        switch self {
        case .object(let fields): .object(fields.filter { $0.value != .null }.mapValues(\.withoutNulls))
        case .array(let elements): .array(elements.map(\.withoutNulls))
        default: self
        }
    }

    static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}

extension JSONValue {
    /// A parsed YAML or JSON document as JSON.
    public init(_ node: YAMLNode) {
        switch node.content {
        case .mapping(let entries):
            self = .object(Dictionary(entries.map { ($0.key, JSONValue($0.value)) }) { $1 })
        case .sequence(let elements):
            self = .array(elements.map { JSONValue($0) })
        case .scalar(let scalar):
            switch node.value {
            case .null, nil: self = .null
            case .bool(let value): self = .bool(value)
            case .integer(let value): self = .integer(value)
            case .unsigned(let value): self = .number(Double(value))
            case .float(let value): self = .number(value)
            case .string: self = .string(scalar.text)
            }
        }
    }

    /// The tree as the YAML decoder reads it.
    var node: YAMLNode {
        switch self {
        case .null: YAMLNode(.scalar(YAMLScalar("null")))
        case .bool(let value): YAMLNode(.scalar(YAMLScalar(value ? "true" : "false")))
        case .integer(let value): YAMLNode(.scalar(YAMLScalar(String(value))))
        case .number(let value): YAMLNode(.scalar(YAMLScalar(String(value))))
        case .string(let text): YAMLNode(.scalar(YAMLScalar(text, style: .doubleQuoted)))
        case .array(let elements): YAMLNode(.sequence(elements.map(\.node)))
        case .object(let fields):
            YAMLNode(
                .mapping(
                    fields.sorted { $0.key < $1.key }.map { YAMLEntry(key: $0.key, value: $0.value.node) }))
        }
    }

    /// The objects of a YAML or JSON text, one per document; empty documents are left out.
    public static func documents(_ text: String) throws -> [JSONValue] {
        let stream = YAMLStream(parsing: text.utf8)
        if let problem = stream.problem ?? stream.documents.flatMap(\.problems).first { throw problem }
        return stream.documents.map { JSONValue($0.root) }.filter { $0 != .null }
    }
}
