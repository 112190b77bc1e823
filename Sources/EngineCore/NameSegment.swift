internal import Primitives

/// A name on its way into a ``NameSegment``.
struct SegmentEntry {
    var hash: UInt64
    /// The name, or the wildcard's suffix.
    var name: [UInt8]
    var isWildcard: Bool
    var value: Int32

    init(_ pattern: HostnamePattern, value: Int32, seed: UInt64) {
        switch pattern {
        case .exact(let name): (self.name, isWildcard) = (Array(name.utf8), false)
        case .wildcard(let suffix): (self.name, isWildcard) = (Array(suffix.utf8), true)
        }
        hash = NameHash.finish(name.reversed().reduce(seed, NameHash.step), isWildcard: isWildcard)
        self.value = value
    }

    fileprivate init(hash: UInt64, name: [UInt8], isWildcard: Bool, value: Int32) {
        (self.hash, self.name, self.isWildcard, self.value) = (hash, name, isWildcard, value)
    }

    func isSameName(as other: SegmentEntry) -> Bool {
        hash == other.hash && isWildcard == other.isWildcard && name == other.name
    }
}

/// A part of a ``ServerNameTable``: a hash table in one piece of memory that nothing writes once it is made. Its slots come first
/// (open addressing with linear probing, at most half full, their number a power of two), then the names.
final class NameSegment: @unchecked Sendable {
    // Sendable because the memory is written in init only.
    let memory: Memory
    let count: Int
    let wildcards: Int

    /// One name, or none.
    fileprivate struct Slot {
        var hash: UInt64
        var value: Int32
        /// Where the name lies, from the start of the memory.
        var offset: UInt32
        var length: UInt32
        var use: Use
        enum Use: UInt8 { case empty, exact, wildcard }
    }

    /// A segment as a lookup sees it; valid as long as the segment is.
    struct Memory: @unchecked Sendable {
        // Sendable because nothing writes what it points to.
        fileprivate let base: UnsafeRawPointer
        fileprivate let mask: Int
    }

    /// Of entries with the same name the first one counts.
    init(_ entries: [SegmentEntry]) {
        var capacity = 2
        while capacity < entries.count * 2 { capacity *= 2 }
        let stride = MemoryLayout<Slot>.stride
        let size = capacity * stride + entries.reduce(0) { $0 + $1.name.count }
        let base = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: MemoryLayout<Slot>.alignment)
        let slots = base.bindMemory(to: Slot.self, capacity: capacity)
        slots.initialize(repeating: Slot(hash: 0, value: 0, offset: 0, length: 0, use: .empty), count: capacity)
        let made = Memory(base: base, mask: capacity - 1)
        var (kept, wild, end) = (0, 0, capacity * stride)
        for entry in entries {
            let known = entry.name.withUnsafeBytes { made.value($0, entry.hash, isWildcard: entry.isWildcard) }
            guard known == nil else { continue }
            var index = Int(truncatingIfNeeded: entry.hash) & (capacity - 1)
            while slots[index].use != .empty { index = (index + 1) & (capacity - 1) }
            entry.name.withUnsafeBytes { name in
                if let start = name.baseAddress { (base + end).copyMemory(from: start, byteCount: name.count) }
            }
            slots[index] = Slot(
                hash: entry.hash, value: entry.value, offset: UInt32(end), length: UInt32(entry.name.count),
                use: entry.isWildcard ? .wildcard : .exact)
            end += entry.name.count
            kept += 1
            if entry.isWildcard { wild += 1 }
        }
        (memory, count, wildcards) = (made, kept, wild)
    }

    deinit { memory.base.deallocate() }

    /// What it holds, in no order.
    var entries: [SegmentEntry] {
        (0...memory.mask).compactMap { index in
            let slot = memory.slot(index)
            guard slot.use != .empty else { return nil }
            let name = UnsafeRawBufferPointer(start: memory.base + Int(slot.offset), count: Int(slot.length))
            return SegmentEntry(
                hash: slot.hash, name: Array(name), isWildcard: slot.use == .wildcard, value: slot.value)
        }
    }
}

extension NameSegment.Memory {
    @inline(__always) fileprivate func slot(_ index: Int) -> NameSegment.Slot {
        base.load(fromByteOffset: index * MemoryLayout<NameSegment.Slot>.stride, as: NameSegment.Slot.self)
    }

    @inline(__always) func value(_ name: UnsafeRawBufferPointer, _ hash: UInt64, isWildcard: Bool) -> Int32? {
        var index = Int(truncatingIfNeeded: hash) & mask
        while true {
            let slot = slot(index)
            if slot.use == .empty { return nil }
            if slot.hash == hash, Int(slot.length) == name.count, (slot.use == .wildcard) == isWildcard,
                UnsafeRawBufferPointer(start: base + Int(slot.offset), count: name.count).elementsEqual(name)
            {
                return slot.value
            }
            index = (index + 1) & mask
        }
    }
}
