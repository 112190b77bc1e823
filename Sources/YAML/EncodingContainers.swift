struct KeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: NodeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    func encodeNil(forKey key: Key) throws { encoder.child(key).set(.null) }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try encoder.child(key).encodeValue(value)
    }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key)
        -> KeyedEncodingContainer<Nested>
    { encoder.child(key).container(keyedBy: type) }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.child(key).unkeyedContainer()
    }
    func superEncoder() -> any Encoder { encoder }
    func superEncoder(forKey key: Key) -> any Encoder { encoder.child(key) }
}

struct UnkeyedEncoding: UnkeyedEncodingContainer {
    let encoder: NodeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.count }
    func encodeNil() throws { encoder.appendChild().set(.null) }
    func encode<Value: Encodable>(_ value: Value) throws { try encoder.appendChild().encodeValue(value) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        encoder.appendChild().container(keyedBy: type)
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.appendChild().unkeyedContainer() }
    func superEncoder() -> any Encoder { encoder.appendChild() }
}

struct ScalarEncoding: SingleValueEncodingContainer {
    let encoder: NodeEncoder

    var codingPath: [any CodingKey] { encoder.codingPath }
    func encodeNil() throws { encoder.set(.null) }
    func encode(_ value: Bool) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: String) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: Double) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: Float) throws { encoder.set(YAMLNode(Double(value))) }
    func encode(_ value: Int) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: Int8) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: Int16) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: Int32) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: Int64) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: UInt) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: UInt8) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: UInt16) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: UInt32) throws { encoder.set(YAMLNode(value)) }
    func encode(_ value: UInt64) throws { encoder.set(YAMLNode(value)) }
    func encode<Value: Encodable>(_ value: Value) throws { try encoder.only().encodeValue(value) }
}

extension YAMLNode {
    public static let null = YAMLNode(.scalar(YAMLScalar("null")))

    public init(_ value: Bool) { self.init(.scalar(YAMLScalar(value ? "true" : "false"))) }
    public init(_ value: some BinaryInteger) { self.init(.scalar(YAMLScalar(String(value)))) }

    public init(_ value: Double) {
        let text = value.isNaN ? ".nan" : value.isInfinite ? (value < 0 ? "-.inf" : ".inf") : "\(value)"
        self.init(.scalar(YAMLScalar(text)))
    }

    /// A string, in quotes where it would be read as something else, as a block where it has several lines.
    public init(_ text: String) {
        let style: YAMLScalar.Style =
            needsQuotes(text) ? .doubleQuoted : text.utf8.contains(UInt8(ascii: "\n")) ? .literal : .plain
        self.init(.scalar(YAMLScalar(text, style: style)))
    }
}

/// Whether this or another YAML 1.1 reader would take the plain text for a number, date, boolean, null or merge key.
private func needsQuotes(_ text: String) -> Bool {
    guard case .string = YAMLValue(plain: text) else { return true }
    if text == "<<" || text == "=" { return true }
    guard let first = text.utf8.first, first < 0x3A, first != UInt8(ascii: "/") else { return false }
    return text.utf8.allSatisfy { byte in (0x30...0x3A).contains(byte) || "+-._eExXTZ ".utf8.contains(byte) }
}
