internal import Primitives

/// The decoder of one node. It notes which keys its type asks for.
final class NodeDecoder: Decoder {
    let node: YAMLNode
    let state: DecodingState
    private let parent: NodeDecoder?
    private let key: (any CodingKey)?
    /// Keys that were asked for; nil until the type wants a keyed container.
    private var asked: Set<String>?

    init(_ node: YAMLNode, state: DecodingState, parent: NodeDecoder? = nil, key: (any CodingKey)? = nil) {
        self.node = node
        self.state = state
        self.parent = parent
        self.key = key
    }

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    var codingPath: [any CodingKey] {
        var keys: [any CodingKey] = []
        var current: NodeDecoder? = self
        while let decoder = current {
            if let key = decoder.key { keys.append(key) }
            current = decoder.parent
        }
        return keys.reversed()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let entries = node.entries else { throw problem("expected an object, found \(node.shown)") }
        if asked == nil { asked = [] }
        return KeyedDecodingContainer(KeyedContainer<Key>(decoder: self, entries: entries))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = node.elements else { throw problem("expected a list, found \(node.shown)") }
        return UnkeyedContainer(decoder: self, elements: elements)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { ScalarContainer(decoder: self) }

    func ask(_ key: String) { asked?.insert(key) }

    /// The decoder for what stands at a key or index below this node.
    func child(_ node: YAMLNode, _ key: any CodingKey) -> NodeDecoder {
        NodeDecoder(node, state: state, parent: self, key: key)
    }

    /// Decodes this node as a whole and reports the keys that nobody asked for.
    func decodeValue<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let known = state.unknown.count
        do {
            let value = try Value(from: self)
            reportUnknownFields(of: type)
            return value
        } catch {
            state.unknown.removeSubrange(min(known, state.unknown.count)...)
            throw problem(for: error)
        }
    }

    private func reportUnknownFields(of type: any Any.Type) {
        guard let asked, let entries = node.entries else { return }
        let unread = state.unreadFields(type)
        for entry in entries where !asked.contains(entry.key) && !unread.contains(entry.key) {
            var message = "unknown field \"\(printable(entry.key))\""
            if let near = nearestMatch(to: entry.key, among: asked.union(unread)) {
                message += ", did you mean \"\(near)\"?"
            }
            state.unknown.append(
                YAMLProblem(
                    file: state.file, line: entry.line, column: entry.column,
                    field: path(NodeKey(stringValue: entry.key)), message: message))
        }
    }
}

extension NodeDecoder {
    func path(_ more: (any CodingKey)? = nil) -> String {
        fieldPath(codingPath + (more.map { [$0] } ?? []), prefix: state.prefix)
    }

    /// A problem at this node, or at a key that is missing from it.
    func problem(_ message: String, at key: (any CodingKey)? = nil) -> YAMLProblem {
        YAMLProblem(file: state.file, line: node.line, column: node.column, field: path(key), message: message)
    }

    /// What the author should read of an error that a type's own `init(from:)` threw.
    func problem(for error: any Error) -> YAMLProblem {
        switch error {
        case let problem as YAMLProblem: problem
        case DecodingError.dataCorrupted(let context): problem(context.debugDescription, under: context.codingPath)
        case DecodingError.typeMismatch(_, let context): problem(context.debugDescription, under: context.codingPath)
        case DecodingError.valueNotFound(_, let context): problem("is required", under: context.codingPath)
        case DecodingError.keyNotFound(let key, let context):
            problem("is required", under: context.codingPath, key: key)
        default: problem("\(error)")
        }
    }

    /// Finds the line of a path that starts at the document's root.
    private func problem(_ message: String, under path: [any CodingKey], key: (any CodingKey)? = nil) -> YAMLProblem {
        var root = self
        while let parent = root.parent { root = parent }
        var found = root.node
        for step in path {
            guard let next = step.intValue.map({ found[$0] }) ?? found[step.stringValue] else { break }
            found = next
        }
        let field = fieldPath(path + (key.map { [$0] } ?? []), prefix: state.prefix)
        return YAMLProblem(file: state.file, line: found.line, column: found.column, field: field, message: message)
    }
}
