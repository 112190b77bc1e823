public import Primitives

/// Host names and what they stand for: an exact name, else the longest wildcard (`*` is one or more labels), else the
/// fallback. Immutable; a lookup walks the name once from its end, looks up one hash per label and allocates nothing.
public struct ServerNameTable: Sendable {
    private struct Entry {
        var hash: UInt64
        /// Where the name, or the wildcard's suffix, lies in `bytes`.
        var offset: Int32
        var length: Int16
        var isWildcard: Bool
        var value: Int32
    }

    private static let empty: Int32 = -1

    private let fallback: Int32?
    private let seed: UInt64
    private let entries: [Entry]
    private let bytes: [UInt8]
    /// Open addressing with linear probing over indices of `entries`, at most half full; the count is a power of two.
    private let buckets: [Int32]

    /// Builds the table. Of equal patterns the first one counts.
    ///
    /// - Parameters:
    ///   - entries: patterns with their values.
    ///   - fallback: the value for names without an entry, and for none.
    public init(_ entries: [(HostnamePattern, Int32)], fallback: Int32?) {
        self.fallback = fallback
        // Seeded by the process, so that nobody can choose names that collide.
        seed = UInt64(bitPattern: Int64(Hasher().finalize()))
        var count = 4
        while count < entries.count * 2 { count *= 2 }
        var buckets = [Int32](repeating: ServerNameTable.empty, count: count)
        var kept: [Entry] = []
        var bytes: [UInt8] = []
        for (pattern, value) in entries {
            let (name, isWildcard) =
                switch pattern {
                case .exact(let name): (name, false)
                case .wildcard(let suffix): (suffix, true)
                }
            let name8 = Array(name.utf8)
            let hash = ServerNameTable.hash(name8, seed: seed, isWildcard: isWildcard)
            var index = Int(truncatingIfNeeded: hash) & (count - 1)
            var isKnown = false
            while buckets[index] != ServerNameTable.empty {
                let other = kept[Int(buckets[index])]
                let start = Int(other.offset)
                isKnown =
                    other.hash == hash && other.isWildcard == isWildcard
                    && bytes[start..<start + Int(other.length)].elementsEqual(name8)
                if isKnown { break }
                index = (index + 1) & (count - 1)
            }
            if isKnown { continue }
            buckets[index] = Int32(kept.count)
            kept.append(
                Entry(
                    hash: hash, offset: Int32(bytes.count), length: Int16(name8.count), isWildcard: isWildcard,
                    value: value))
            bytes += name8
        }
        (self.buckets, self.entries, self.bytes) = (buckets, kept, bytes)
    }

    /// The value for a name in lower case without a final dot, as ``ClientHello/serverName`` holds it; nil: no name.
    public func lookup(_ name: String?) -> Int32? {
        guard var name, !entries.isEmpty else { return fallback }
        return name.withUTF8 { find(UnsafeRawBufferPointer($0)) } ?? fallback
    }

    private func find(_ name: UnsafeRawBufferPointer) -> Int32? {
        var state = seed
        var wildcard: Int32?
        var index = name.count
        while index > 0 {
            index -= 1
            let byte = name[index]
            if byte == UInt8(ascii: "."), index > 0 {
                // The suffix after this dot is a candidate, and a longer one replaces it.
                let suffix = UnsafeRawBufferPointer(rebasing: name[(index + 1)...])
                wildcard = value(suffix, ServerNameTable.finish(state, isWildcard: true), isWildcard: true) ?? wildcard
            }
            state = ServerNameTable.step(state, byte)
        }
        return value(name, ServerNameTable.finish(state, isWildcard: false), isWildcard: false) ?? wildcard
    }

    private func value(_ name: UnsafeRawBufferPointer, _ hash: UInt64, isWildcard: Bool) -> Int32? {
        let mask = buckets.count - 1
        var index = Int(truncatingIfNeeded: hash) & mask
        while buckets[index] != ServerNameTable.empty {
            let entry = entries[Int(buckets[index])]
            if entry.hash == hash, entry.isWildcard == isWildcard, Int(entry.length) == name.count,
                bytes[Int(entry.offset)..<Int(entry.offset) + name.count].elementsEqual(name)
            {
                return entry.value
            }
            index = (index + 1) & mask
        }
        return nil
    }

    // MARK: A hash that grows from the name's end, so that one walk gives that of every suffix

    private static func step(_ state: UInt64, _ byte: UInt8) -> UInt64 {
        let mixed = (state ^ UInt64(byte)) &* 0x9fb2_1c65_1e98_df25
        return mixed ^ (mixed >> 29)
    }

    private static func finish(_ state: UInt64, isWildcard: Bool) -> UInt64 {
        let mixed = (state ^ (isWildcard ? 0xa5a5 : 0)) &* 0xbf58_476d_1ce4_e5b9
        return mixed ^ (mixed >> 32)
    }

    private static func hash(_ name: [UInt8], seed: UInt64, isWildcard: Bool) -> UInt64 {
        finish(name.reversed().reduce(seed, step), isWildcard: isWildcard)
    }
}
