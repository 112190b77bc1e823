/// Marks types that take null as a value of their own.
private protocol TakesNull {}
extension Optional: TakesNull {}

struct KeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let decoder: NodeDecoder
    private let entries: [YAMLEntry]

    init(decoder: NodeDecoder, entries: [YAMLEntry]) {
        self.decoder = decoder
        self.entries = entries
    }

    var codingPath: [any CodingKey] { decoder.codingPath }

    var allKeys: [Key] {
        decoder.askAll(of: entries)
        return entries.compactMap { Key(stringValue: $0.key) }
    }

    func contains(_ key: Key) -> Bool { value(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { value(key)?.isNull ?? true }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try child(key, orNull: type is any TakesNull.Type).decodeValue(type)
    }

    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let node = value(key), !node.isNull else { return nil }
        return try decoder.child(node, key).decodeValue(type)
    }

    // What most fields are, without a decoder of their own.

    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        guard let node = value(key), let text = node.string else { return try child(key).decodeValue(type) }
        return text
    }

    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let node = value(key), !node.isNull else { return nil }
        if let text = node.string { return text }
        return try decoder.child(node, key).decodeValue(type)
    }

    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard let node = value(key), !node.isNull else { return nil }
        return try ScalarContainer(decoder: decoder.child(node, key)).decode(type)
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        guard let node = value(key), !node.isNull else { return nil }
        return try ScalarContainer(decoder: decoder.child(node, key)).decode(type)
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws
        -> KeyedDecodingContainer<Nested>
    { try child(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try child(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { try child(key) }

    private func value(_ key: Key) -> YAMLNode? { decoder.ask(key.stringValue, in: entries) }

    private func child(_ key: Key, orNull: @autoclosure () -> Bool = false) throws -> NodeDecoder {
        guard let node = value(key), !node.isNull || orNull() else { throw decoder.problem("is required", at: key) }
        return decoder.child(node, key)
    }
}

struct UnkeyedContainer: UnkeyedDecodingContainer {
    private let decoder: NodeDecoder
    private let elements: [YAMLNode]
    private(set) var currentIndex = 0

    init(decoder: NodeDecoder, elements: [YAMLNode]) {
        self.decoder = decoder
        self.elements = elements
    }

    var codingPath: [any CodingKey] { decoder.codingPath }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, elements[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try peek().decodeValue(type)
        currentIndex += 1
        return value
    }

    mutating func decode(_ type: String.Type) throws -> String {
        guard !isAtEnd, let text = elements[currentIndex].string else { return try next().decodeValue(type) }
        currentIndex += 1
        return text
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws
        -> KeyedDecodingContainer<Nested>
    { try next().container(keyedBy: type) }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try next() }

    private func peek() throws -> NodeDecoder {
        guard !isAtEnd else { throw decoder.problem("expected more than \(elements.count) elements") }
        return decoder.child(elements[currentIndex], NodeKey(intValue: currentIndex))
    }

    private mutating func next() throws -> NodeDecoder {
        let decoder = try peek()
        currentIndex += 1
        return decoder
    }
}

struct ScalarContainer: SingleValueDecodingContainer {
    let decoder: NodeDecoder

    var codingPath: [any CodingKey] { decoder.codingPath }
    func decodeNil() -> Bool { decoder.node.isNull }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let value)? = decoder.node.value else { throw mismatch("true or false") }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        switch decoder.node.value {
        case .string(let value)?: return value
        case nil, .null?: throw mismatch("a string")
        default: throw decoder.problem("expected a string, found \(decoder.node.shown) (write it in quotes)")
        }
    }

    func decode(_ type: Double.Type) throws -> Double {
        switch decoder.node.value {
        case .integer(let value)?: return Double(value)
        case .unsigned(let value)?: return Double(value)
        case .float(let value)?: return value
        default: throw mismatch("a number")
        }
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try NodeDecoder(decoder.node, state: decoder.state, parent: decoder).decodeValue(type)
    }

    private func integer<Value: FixedWidthInteger>() throws -> Value {
        let exact: Value?
        switch decoder.node.value {
        case .integer(let value)?: exact = Value(exactly: value)
        case .unsigned(let value)?: exact = Value(exactly: value)
        case .float(let value)? where value.rounded() == value: exact = Value(exactly: value)
        default: throw mismatch("an integer")
        }
        guard let exact else {
            throw decoder.problem(
                "expected an integer between \(Value.min) and \(Value.max), found \(decoder.node.shown)")
        }
        return exact
    }

    private func mismatch(_ expected: String) -> YAMLProblem {
        decoder.problem("expected \(expected), found \(decoder.node.shown)")
    }
}
