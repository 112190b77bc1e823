/// Encodes a value to a node or to text. Fields keep the order in which they are encoded; a dictionary's keys are sorted.
public struct YAMLEncoder: Sendable {
    public init() {}

    /// Errors are those that the value's own `encode(to:)` throws.
    public func node(_ value: some Encodable) throws -> YAMLNode {
        let encoder = NodeEncoder(path: [])
        try encoder.encodeValue(value)
        return encoder.node
    }

    /// Block-style text that ends in a newline.
    public func text(_ value: some Encodable) throws -> String { try node(value).text }
}

/// Marks values whose keys have no order of their own.
private protocol Unordered {}
extension Dictionary: Unordered {}

/// Collects what one value encodes; a tree of these becomes a tree of nodes.
final class NodeEncoder: Encoder {
    private enum Storage {
        case nothing
        case scalar(YAMLNode)
        case keyed([(key: String, value: NodeEncoder)])
        case list([NodeEncoder])
        case same(NodeEncoder)
    }

    let codingPath: [any CodingKey]
    private var storage = Storage.nothing
    private var isSorted = false

    init(path: [any CodingKey]) { codingPath = path }

    var userInfo: [CodingUserInfoKey: Any] { [:] }
    var count: Int { if case .list(let elements) = storage { elements.count } else { 0 } }

    func encodeValue(_ value: some Encodable) throws {
        isSorted = value is any Unordered
        try value.encode(to: self)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .keyed = storage {} else { storage = .keyed([]) }
        return KeyedEncodingContainer(KeyedEncoding<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .list = storage {} else { storage = .list([]) }
        return UnkeyedEncoding(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { ScalarEncoding(encoder: self) }

    func set(_ node: YAMLNode) { storage = .scalar(node) }

    /// What stands at a key; the same key again replaces it.
    func child(_ key: any CodingKey) -> NodeEncoder {
        let child = NodeEncoder(path: codingPath + [key])
        guard case .keyed(var entries) = storage else {
            storage = .keyed([(key.stringValue, child)])
            return child
        }
        storage = .nothing
        if let index = entries.firstIndex(where: { $0.key == key.stringValue }) {
            entries[index].value = child
        } else {
            entries.append((key.stringValue, child))
        }
        storage = .keyed(entries)
        return child
    }

    func appendChild() -> NodeEncoder {
        guard case .list(var elements) = storage else { return NodeEncoder(path: codingPath) }
        storage = .nothing
        let child = NodeEncoder(path: codingPath + [NodeKey(intValue: elements.count)])
        elements.append(child)
        storage = .list(elements)
        return child
    }

    /// A value that stands for this one (an Optional's or enum's only content).
    func only() -> NodeEncoder {
        let inner = NodeEncoder(path: codingPath)
        storage = .same(inner)
        return inner
    }

    var node: YAMLNode {
        switch storage {
        case .nothing: return YAMLNode(.mapping([]))
        case .scalar(let node): return node
        case .same(let inner): return inner.node
        case .list(let elements): return YAMLNode(.sequence(elements.map(\.node)))
        case .keyed(let entries):
            let ordered = isSorted ? entries.sorted { $0.key < $1.key } : entries
            return YAMLNode(.mapping(ordered.map { YAMLEntry(key: $0.key, value: $0.value.node) }))
        }
    }
}
