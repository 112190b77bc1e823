internal import FoundationEssentials

/// The lines between header and trailer.
struct CacheBody {
    /// One run of lines, and what follows it.
    private enum Part {
        case text([UInt8])
        case object(ObjectText)
    }

    private struct KindLine: Codable {
        var count: Int
        var group: String
        var plural: String
        var version: String
    }

    private var parts: [Part] = []
    private(set) var count = 0

    init(_ cluster: CachedCluster) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func line(_ value: some Encodable) -> [UInt8] {
            // Texts and numbers alone: there is nothing that could fail.
            Array((try? encoder.encode(value)) ?? Data()) + [Self.newline]
        }
        add(line(cluster.origin))
        for kind in cluster.kinds {
            add(
                line(
                    KindLine(
                        count: kind.objects.count, group: kind.group, plural: kind.plural, version: kind.version)))
            for (name, object) in kind.objects.sorted(by: { $0.key < $1.key }) {
                add(Array("\(name.namespace)/\(name.name) ".utf8))
                parts.append(.object(object))
                count += object.count
                add([Self.newline])
            }
        }
    }

    private mutating func add(_ bytes: [UInt8]) {
        parts.append(.text(bytes))
        count += bytes.count
    }

    /// `memory` has ``count`` bytes.
    func write(to memory: UnsafeMutableRawBufferPointer) {
        var rest = memory
        for part in parts {
            let written: Int
            switch part {
            case .text(let bytes):
                rest.copyBytes(from: bytes)
                written = bytes.count
            case .object(let object):
                object.withBytes { rest.copyMemory(from: $0) }
                written = object.count
            }
            rest = UnsafeMutableRawBufferPointer(rebasing: rest[written...])
        }
    }

    // MARK: Reading

    private static let newline = UInt8(ascii: "\n")

    static func read(_ bytes: UnsafeRawBufferPointer, asOf: Int64) throws(CacheProblem) -> CachedCluster {
        var lines = Lines(bytes)
        var cluster = CachedCluster(origin: try lines.nextValue(), kinds: [], asOf: asOf)
        while !lines.isAtEnd {
            let kind: KindLine = try lines.nextValue()
            // No more than there are lines, whatever the number says.
            guard (0...bytes.count).contains(kind.count) else { throw .damaged("a number is impossible") }
            var objects: [CachedCluster.Name: ObjectText] = [:]
            for _ in 0..<kind.count {
                let (name, text) = try lines.nextObject()
                objects[name] = text
            }
            cluster.kinds.append(
                CachedCluster.Kind(group: kind.group, version: kind.version, plural: kind.plural, objects: objects))
        }
        return cluster
    }

    private struct Lines {
        private var rest: Slice<UnsafeRawBufferPointer>

        init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

        var isAtEnd: Bool { rest.isEmpty }

        private mutating func next() throws(CacheProblem) -> Slice<UnsafeRawBufferPointer> {
            guard let end = rest.firstIndex(of: newline) else { throw .damaged("a line is missing") }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end]
        }

        mutating func nextValue<Value: Decodable>() throws(CacheProblem) -> Value {
            let line = try next()
            do { return try JSONDecoder().decode(Value.self, from: Data(line)) } catch {
                throw .damaged("a line cannot be read")
            }
        }

        mutating func nextObject() throws(CacheProblem) -> (CachedCluster.Name, ObjectText) {
            let line = try next()
            guard let blank = line.firstIndex(of: UInt8(ascii: " ")),
                let slash = line[..<blank].firstIndex(of: UInt8(ascii: "/"))
            else { throw .damaged("an object has no name") }
            let name = CachedCluster.Name(
                namespace: String(decoding: line[..<slash], as: UTF8.self),
                name: String(decoding: line[(slash + 1)..<blank], as: UTF8.self))
            return (name, ObjectText(line[(blank + 1)...]))
        }
    }
}
