internal import Primitives

/// The decoder of one node. It notes which of its entries the type asks for.
final class NodeDecoder: Decoder {
    let node: YAMLNode
    let state: DecodingState
    private let parent: NodeDecoder?
    private let key: (any CodingKey)?
    /// Which of the first 64 entries were asked for, one bit each, and which of the others.
    private var askedBits: UInt64 = 0
    private var askedBeyond: Set<Int> = []
    /// Set once the type wants a keyed container.
    private var isKeyed = false
    /// Entries are mostly asked for in the order of the text: where the last one was found.
    private var cursor = 0

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
        isKeyed = true
        return KeyedDecodingContainer(KeyedContainer<Key>(decoder: self, entries: entries))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard let elements = node.elements else { throw problem("expected a list, found \(node.shown)") }
        return UnkeyedContainer(decoder: self, elements: elements)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { ScalarContainer(decoder: self) }

    /// The entry of a key, which now counts as asked for; `entries` are the node's.
    func ask(_ key: String, in entries: [YAMLEntry]) -> YAMLNode? {
        if state.names != nil, parent == nil { state.names?.insert(key) }
        // Most keys that are not the one differ in length, which is seen without comparing.
        let length = key.utf8.count
        func isEntry(_ index: Int) -> Bool { entries[index].key.utf8.count == length && entries[index].key == key }
        var index = cursor < entries.count && isEntry(cursor) ? cursor : nil
        if index == nil { index = entries.indices.first(where: isEntry) }
        guard let index else { return nil }
        note(index)
        cursor = index + 1
        return entries[index].value
    }

    /// Whoever wants all keys knows them all.
    func askAll(of entries: [YAMLEntry]) {
        for index in entries.indices { note(index) }
        cursor = 0
    }

    private func note(_ index: Int) {
        if index < 64 { askedBits |= 1 << UInt64(index) } else { askedBeyond.insert(index) }
    }

    private func isAsked(_ index: Int) -> Bool {
        index < 64 ? askedBits & 1 << UInt64(index) != 0 : askedBeyond.contains(index)
    }

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

    private func reportUnknownFields<Value: Decodable>(of type: Value.Type) {
        guard isKeyed, state.names == nil, let entries = node.entries else { return }
        let unasked = entries.indices.filter { !isAsked($0) }
        guard !unasked.isEmpty else { return }
        let unread = state.unreadFields(type)
        let unknown = unasked.filter { !unread.contains(entries[$0].key) }
        guard !unknown.isEmpty else { return }
        let known = names(askedBy: type).union(unread)
        for entry in unknown.map({ entries[$0] }) {
            var message = "unknown field \"\(printable(entry.key))\""
            if let near = nearestMatch(to: entry.key, among: known) { message += ", did you mean \"\(near)\"?" }
            state.unknown.append(
                YAMLProblem(
                    file: state.file, line: entry.line, column: entry.column,
                    field: path(NodeKey(stringValue: entry.key)), message: message))
        }
    }

    /// The keys that the type itself asks this node for, found by decoding once more: few texts need to know.
    private func names<Value: Decodable>(askedBy type: Value.Type) -> Set<String> {
        let recording = DecodingState(file: nil, prefix: "", unreadFields: { _ in [] })
        recording.names = []
        _ = try? Value(from: NodeDecoder(node, state: recording))
        return recording.names ?? []
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
