internal import Primitives

/// Makes documents of events: resolves aliases and merge keys, and keeps within the limits.
struct TreeBuilder {
    private struct Anchored {
        var node: YAMLNode
        var size: Int
    }

    private let events: EventReader
    private let file: String?
    private let limits: YAMLStream.Limits
    private var anchors: [String: Anchored] = [:]
    private var problems: [YAMLProblem] = []
    private var nodes = 0
    private var aliased = 0

    init(events: EventReader, file: String?, limits: YAMLStream.Limits) {
        self.events = events
        self.file = file
        self.limits = limits
    }

    /// The next document; nil at the end of the stream.
    mutating func nextDocument() throws(YAMLProblem) -> YAMLStream.Document? {
        while true {
            switch try events.next().0 {
            case .end: return nil
            case .document:
                (anchors, problems) = ([:], [])
                let (event, mark) = try events.next()
                let root = try node(event, mark, depth: 0)
                _ = try events.next()
                return YAMLStream.Document(root: root, problems: problems)
            default: continue
            }
        }
    }

    private mutating func node(_ event: EventReader.Event, _ mark: EventReader.Mark, depth: Int) throws(YAMLProblem)
        -> YAMLNode
    {
        guard depth <= limits.depth else { throw problem(mark, "nested more than \(limits.depth) levels deep") }
        let before = nodes
        try count(1, mark)
        switch event {
        case .scalar(let scalar, let properties):
            return made(.scalar(scalar), properties, mark, since: before)
        case .sequence(let properties):
            var elements: [YAMLNode] = []
            while let (event, mark) = try nextChild() { elements.append(try node(event, mark, depth: depth + 1)) }
            return made(.sequence(elements), properties, mark, since: before)
        case .mapping(let properties):
            return made(.mapping(try entries(depth: depth)), properties, mark, since: before)
        case .alias(let name): return try alias(name, mark)
        case .document, .documentEnd, .sequenceEnd, .mappingEnd, .end: throw problem(mark, "unexpected end")
        }
    }

    private mutating func nextChild() throws(YAMLProblem) -> (EventReader.Event, EventReader.Mark)? {
        let (event, mark) = try events.next()
        switch event {
        case .sequenceEnd, .mappingEnd: return nil
        default: return (event, mark)
        }
    }

    private mutating func made(
        _ content: YAMLNode.Content, _ properties: EventReader.Properties, _ mark: EventReader.Mark, since before: Int
    ) -> YAMLNode {
        let node = YAMLNode(content, tag: properties.tag, line: mark.line, column: mark.column)
        if let anchor = properties.anchor { anchors[anchor] = Anchored(node: node, size: nodes - before) }
        return node
    }

    private mutating func alias(_ name: String, _ mark: EventReader.Mark) throws(YAMLProblem) -> YAMLNode {
        guard let anchored = anchors[name] else {
            problems.append(problem(mark, "*\(printable(name)) refers to an anchor that is not defined before it"))
            return YAMLNode(.scalar(YAMLScalar("")), line: mark.line, column: mark.column)
        }
        aliased += anchored.size
        guard aliased <= limits.aliasedNodes else {
            throw problem(mark, "aliases repeat more than \(limits.aliasedNodes) nodes")
        }
        try count(anchored.size, mark)
        return anchored.node
    }

    private mutating func count(_ more: Int, _ mark: EventReader.Mark) throws(YAMLProblem) {
        nodes += more
        guard nodes <= limits.nodes else { throw problem(mark, "more than \(limits.nodes) nodes") }
    }

    private mutating func entries(depth: Int) throws(YAMLProblem) -> [YAMLEntry] {
        var entries: [YAMLEntry] = []
        // Instead of growing one by one at first.
        entries.reserveCapacity(4)
        var known = KnownKeys()
        var merged: [YAMLNode] = []
        while let (event, mark) = try nextChild() {
            let keyNode = try node(event, mark, depth: depth + 1)
            let (valueEvent, valueMark) = try events.next()
            let value = try node(valueEvent, valueMark, depth: depth + 1)
            if keyNode.isMergeKey {
                merged.append(value)
                continue
            }
            guard let key = keyNode.keyText else {
                problems.append(problem(mark, "a key must be text, found \(keyNode.shown)"))
                continue
            }
            if let first = known.line(of: key, in: entries) {
                problems.append(problem(mark, "the key \"\(printable(key))\" is given twice (first in line \(first))"))
                continue
            }
            entries.append(YAMLEntry(key: key, line: mark.line, column: mark.column, value: value))
        }
        for node in merged { try merge(node, into: &entries, known: &known) }
        return entries
    }

    /// `<<: *base` and `<<: [*one, *two]`: what is written out wins, then the earlier of the merged.
    private mutating func merge(_ node: YAMLNode, into entries: inout [YAMLEntry], known: inout KnownKeys)
        throws(YAMLProblem)
    {
        let sources = node.elements ?? [node]
        for source in sources {
            guard let more = source.entries else {
                let mark = EventReader.Mark(line: source.line, column: source.column)
                problems.append(problem(mark, "<< needs an object or a list of objects, found \(source.shown)"))
                continue
            }
            for entry in more where known.line(of: entry.key, in: entries) == nil { entries.append(entry) }
        }
    }

    private func problem(_ mark: EventReader.Mark, _ message: String) -> YAMLProblem {
        YAMLProblem(file: file, line: mark.line, column: mark.column, message: message)
    }
}

/// Finds keys of a mapping that is being read; few of them need no table.
private struct KnownKeys {
    private var lines: [String: Int] = [:]
    private static let few = 16

    mutating func line(of key: String, in entries: [YAMLEntry]) -> Int? {
        guard entries.count > KnownKeys.few else {
            return entries.first { $0.key.utf8.count == key.utf8.count && $0.key == key }?.line
        }
        // Entries are only ever added: those that are not in the table are the last ones.
        for entry in entries[lines.count...] { lines[entry.key] = entry.line }
        return lines[key]
    }
}

extension YAMLNode {
    fileprivate var isMergeKey: Bool {
        guard case .scalar(let scalar) = content else { return false }
        return scalar.text == "<<" && scalar.style == .plain && (tag == nil || tag == "tag:yaml.org,2002:merge")
    }

    /// The key as JSON would have it; nil for null and for what is no scalar.
    fileprivate var keyText: String? {
        if let text = string { return text }
        return switch value {
        case .string(let text)?: text
        case .bool(let value)?: value ? "true" : "false"
        case .integer(let value)?: String(value)
        case .unsigned(let value)?: String(value)
        case .float?: if case .scalar(let scalar) = content { scalar.text } else { nil }
        case .null?, nil: nil
        }
    }
}
