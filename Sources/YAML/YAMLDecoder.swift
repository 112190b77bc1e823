internal import Primitives

/// Decodes a node into a Codable type, with errors for the author of the text. Kubernetes' habits: null counts as absent,
/// a whole float is an integer, an unknown field is a report beside the value rather than an error.
public struct YAMLDecoder: Sendable {
    /// A value, and the keys of the text that no type asked for, in the order of the text.
    public struct Decoded<Value> {
        public var value: Value
        public var unknownFields: [YAMLProblem]
    }

    /// Named in problems.
    public var file: String?
    /// Fields that a type does not read but that exist all the same: they are not unknown. Asked once per decoded object.
    public var unreadFields: @Sendable (any Any.Type) -> Set<String>

    public init(file: String? = nil, unreadFields: @escaping @Sendable (any Any.Type) -> Set<String> = { _ in [] }) {
        self.file = file
        self.unreadFields = unreadFields
    }

    /// Decodes `node`. `prefix` starts the field path of every problem (`items[3]`).
    public func decode<Value: Decodable>(_ type: Value.Type, from node: YAMLNode, prefix: String = "")
        throws(YAMLProblem) -> Decoded<Value>
    {
        let state = DecodingState(file: file, prefix: prefix, unreadFields: unreadFields)
        do {
            let value = try NodeDecoder(node, state: state).decodeValue(type)
            let unknown = state.unknown.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
            return Decoded(value: value, unknownFields: unknown)
        } catch let problem as YAMLProblem {
            throw problem
        } catch {
            throw NodeDecoder(node, state: state).problem(for: error)
        }
    }
}

/// What the decoders of one document share.
final class DecodingState {
    let file: String?
    let prefix: String
    let unreadFields: (any Any.Type) -> Set<String>
    var unknown: [YAMLProblem] = []
    /// Set where the keys that the outermost type asks for are wanted, rather than a value.
    var names: Set<String>?

    init(file: String?, prefix: String, unreadFields: @escaping (any Any.Type) -> Set<String>) {
        self.file = file
        self.prefix = prefix
        self.unreadFields = unreadFields
    }
}

/// A key of a mapping or an index of a sequence.
struct NodeKey: CodingKey {
    var stringValue: String
    var intValue: Int?

    init(stringValue: String) { self.stringValue = stringValue }
    init(intValue: Int) { (stringValue, self.intValue) = (String(intValue), intValue) }
}

/// Writes a path as Kubernetes does: `spec.rules[0]`, `metadata.labels[app.kubernetes.io/name]`.
func fieldPath(_ keys: [any CodingKey], prefix: String = "") -> String {
    var path = prefix
    for key in keys {
        if let index = key.intValue {
            path += "[\(index)]"
        } else if key.stringValue.utf8.allSatisfy(isWordByte), !key.stringValue.isEmpty {
            path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
        } else {
            path += "[\(printable(key.stringValue, limit: 253))]"
        }
    }
    return path
}

private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "$"):
        true
    default: false
    }
}
