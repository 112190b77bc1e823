internal import KubernetesAPI

extension JSONValue {
    /// What `value` encodes as, without a detour through text. Errors are those of the value's own encoding.
    init(encoding value: some Encodable) throws {
        let node = JSONNode(path: [])
        try node.take(value)
        self = node.value
    }
}

/// Collects what one value encodes; a tree of these becomes a tree of values.
private final class JSONNode: Encoder {
    private enum Storage {
        case nothing
        case scalar(JSONValue)
        case fields([String: JSONNode])
        case elements([JSONNode])
    }

    let codingPath: [any CodingKey]
    private var storage = Storage.nothing

    init(path: [any CodingKey]) { codingPath = path }

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    var value: JSONValue {
        switch storage {
        case .nothing: .object([:])
        case .scalar(let value): value
        case .fields(let fields): .object(fields.mapValues(\.value))
        case .elements(let elements): .array(elements.map(\.value))
        }
    }

    func take(_ value: some Encodable) throws {
        if let value = value as? JSONValue { set(value) } else { try value.encode(to: self) }
    }

    func set(_ value: JSONValue) { storage = .scalar(value) }

    func child(_ key: any CodingKey) -> JSONNode {
        let child = JSONNode(path: codingPath + [key])
        guard case .fields(var fields) = storage else { return child }
        storage = .nothing  // so that the dictionary has one owner while it grows
        fields[key.stringValue] = child
        storage = .fields(fields)
        return child
    }

    func appendChild() -> JSONNode {
        let child = JSONNode(path: codingPath)
        guard case .elements(var elements) = storage else { return child }
        storage = .nothing
        elements.append(child)
        storage = .elements(elements)
        return child
    }

    var count: Int { if case .elements(let elements) = storage { elements.count } else { 0 } }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if case .fields = storage {} else { storage = .fields([:]) }
        return KeyedEncodingContainer(Keyed<Key>(node: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if case .elements = storage {} else { storage = .elements([]) }
        return Unkeyed(node: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { Single(node: self) }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: JSONNode
    var codingPath: [any CodingKey] { node.codingPath }
    func encodeNil(forKey key: Key) { node.child(key).set(.null) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { try node.child(key).take(value) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
        -> KeyedEncodingContainer<Nested>
    { node.child(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { node.child(key).unkeyedContainer() }
    func superEncoder() -> any Encoder { node }
    func superEncoder(forKey key: Key) -> any Encoder { node.child(key) }
}

private struct Unkeyed: UnkeyedEncodingContainer {
    let node: JSONNode
    var codingPath: [any CodingKey] { node.codingPath }
    var count: Int { node.count }
    func encodeNil() { node.appendChild().set(.null) }
    func encode<Value: Encodable>(_ value: Value) throws { try node.appendChild().take(value) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        node.appendChild().container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { node.appendChild().unkeyedContainer() }
    func superEncoder() -> any Encoder { node.appendChild() }
}

private struct Single: SingleValueEncodingContainer {
    let node: JSONNode
    var codingPath: [any CodingKey] { node.codingPath }
    func encodeNil() { node.set(.null) }
    func encode(_ value: Bool) { node.set(.bool(value)) }
    func encode(_ value: String) { node.set(.string(value)) }
    func encode(_ value: Double) { node.set(.number(value)) }
    func encode(_ value: Float) { node.set(.number(Double(value))) }
    func encode(_ value: Int) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int8) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int16) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int32) { node.set(.integer(Int64(value))) }
    func encode(_ value: Int64) { node.set(.integer(value)) }
    func encode(_ value: UInt) { node.set(.integer(Int64(clamping: value))) }
    func encode(_ value: UInt8) { node.set(.integer(Int64(value))) }
    func encode(_ value: UInt16) { node.set(.integer(Int64(value))) }
    func encode(_ value: UInt32) { node.set(.integer(Int64(value))) }
    func encode(_ value: UInt64) { node.set(.integer(Int64(clamping: value))) }
    func encode<Value: Encodable>(_ value: Value) throws { try node.take(value) }
}
