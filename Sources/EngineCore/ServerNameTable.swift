public import Primitives

/// Host names and what they stand for: an exact name, else the longest wildcard (`*` is one or more labels), else the
/// fallback. A value; a lookup walks the name once from its end, looks up one hash per label and allocates nothing.
///
/// The names lie in segments of some thirty each, which successive tables share: a change makes those segments anew that it
/// touches, however many there are.
public struct ServerNameTable: Sendable {
    private let fallback: Int32?
    private let seed: UInt64
    /// By the upper half of the hash; their number is a power of two. They own what ``memory`` points to.
    private var segments: [NameSegment]
    /// The memory of each segment: looking into it counts no reference.
    private var memory: [NameSegment.Memory]
    /// How many names there are, and how many of them are wildcards.
    public private(set) var count = 0
    private var wildcards = 0

    /// Names in a segment, on average, when a table is made; with four times as many it is made anew.
    private static let density = 24

    /// Builds the table. Of equal patterns the first one counts.
    ///
    /// - Parameters:
    ///   - entries: patterns with their values.
    ///   - fallback: the value for names without an entry, and for none.
    public init(_ entries: [(HostnamePattern, Int32)], fallback: Int32?) {
        self.fallback = fallback
        // Seeded by the process, so that nobody can choose names that collide.
        seed = UInt64(bitPattern: Int64(Hasher().finalize()))
        (segments, memory) = ([], [])
        build(entries.map { SegmentEntry($0, value: $1, seed: seed) })
    }

    private mutating func build(_ entries: [SegmentEntry]) {
        var number = 1
        while number * ServerNameTable.density < entries.count { number *= 2 }
        var parts = [[SegmentEntry]](repeating: [], count: number)
        for entry in entries { parts[Int(entry.hash >> 32) & (number - 1)].append(entry) }
        segments = parts.map { NameSegment($0) }
        memory = segments.map(\.memory)
        count = segments.reduce(0) { $0 + $1.count }
        wildcards = segments.reduce(0) { $0 + $1.wildcards }
    }

    /// Gives a name a value. False, and nothing done, where it has one.
    public mutating func insert(_ pattern: HostnamePattern, _ value: Int32) -> Bool {
        let entry = SegmentEntry(pattern, value: value, seed: seed)
        let index = segment(of: entry.hash)
        var entries = segments[index].entries
        guard !entries.contains(where: { $0.isSameName(as: entry) }) else { return false }
        entries.append(entry)
        replace(index, with: NameSegment(entries))
        if count > 4 * ServerNameTable.density * segments.count { build(segments.flatMap(\.entries)) }
        return true
    }

    /// Takes a name out, and returns its value; nil where it is not there.
    @discardableResult
    public mutating func remove(_ pattern: HostnamePattern) -> Int32? {
        let entry = SegmentEntry(pattern, value: 0, seed: seed)
        let index = segment(of: entry.hash)
        var entries = segments[index].entries
        guard let place = entries.firstIndex(where: { $0.isSameName(as: entry) }) else { return nil }
        let value = entries.remove(at: place).value
        replace(index, with: NameSegment(entries))
        return value
    }

    private mutating func replace(_ index: Int, with segment: NameSegment) {
        count += segment.count - segments[index].count
        wildcards += segment.wildcards - segments[index].wildcards
        segments[index] = segment
        memory[index] = segment.memory
    }

    private func segment(of hash: UInt64) -> Int { Int(hash >> 32) & (memory.count - 1) }

    /// How many segments this table and another one share.
    func sharedSegments(with other: ServerNameTable) -> (shared: Int, all: Int) {
        let shared = zip(segments, other.segments).count { $0 === $1 }
        return (shared, segments.count)
    }

    /// The value of that very pattern.
    public func value(of pattern: HostnamePattern) -> Int32? {
        let entry = SegmentEntry(pattern, value: 0, seed: seed)
        return entry.name.withUnsafeBytes { value($0, entry.hash, isWildcard: entry.isWildcard) }
    }

    /// The value for a name in lower case without a final dot, as ``ClientHello/serverName`` holds it; nil: no name.
    public func lookup(_ name: String?) -> Int32? {
        guard var name, count > 0 else { return fallback }
        return name.withUTF8 { find(UnsafeRawBufferPointer($0)) } ?? fallback
    }

    private func find(_ name: UnsafeRawBufferPointer) -> Int32? {
        var state = seed
        var wildcard: Int32?
        var index = name.count
        while index > 0 {
            index -= 1
            let byte = name[index]
            if byte == UInt8(ascii: "."), index > 0, wildcards > 0 {
                // The suffix after this dot is a candidate, and a longer one replaces it.
                let suffix = UnsafeRawBufferPointer(rebasing: name[(index + 1)...])
                wildcard = value(suffix, NameHash.finish(state, isWildcard: true), isWildcard: true) ?? wildcard
            }
            state = NameHash.step(state, byte)
        }
        return value(name, NameHash.finish(state, isWildcard: false), isWildcard: false) ?? wildcard
    }

    private func value(_ name: UnsafeRawBufferPointer, _ hash: UInt64, isWildcard: Bool) -> Int32? {
        memory[segment(of: hash)].value(name, hash, isWildcard: isWildcard)
    }
}

/// A hash that grows from the name's end, so that one walk gives that of every suffix.
enum NameHash {
    @inline(__always) static func step(_ state: UInt64, _ byte: UInt8) -> UInt64 {
        let mixed = (state ^ UInt64(byte)) &* 0x9fb2_1c65_1e98_df25
        return mixed ^ (mixed >> 29)
    }

    @inline(__always) static func finish(_ state: UInt64, isWildcard: Bool) -> UInt64 {
        let mixed = (state ^ (isWildcard ? 0xa5a5 : 0)) &* 0xbf58_476d_1ce4_e5b9
        return mixed ^ (mixed >> 32)
    }
}
