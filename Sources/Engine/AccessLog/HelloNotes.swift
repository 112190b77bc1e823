internal import EngineCore

/// What a worker notes of a ClientHello while it is at hand; the hello itself follows, as it came. Parsing and hashing are
/// the writer's, so that a worker pays for a copy, and a connection keeps nothing.
struct HelloNote {
    /// Of the whole note, the hello and what fills up the last word included. Up to ``event`` it begins as ``AccessRecord``.
    var size: UInt32 = 0
    /// Bytes of the hello.
    var count: UInt16 = 0
    var event = AccessEvent.hello
    var slot: UInt32 = 0
    var id: UInt64 = 0

    /// Where the hello begins.
    static let headSize = MemoryLayout<HelloNote>.stride
    /// The most that a note takes.
    static let most = headSize + Worker.helloCapacity

    /// Whether more than half of the ring is in use then.
    @inline(__always)
    static func append(_ hello: UnsafeRawBufferPointer, of id: UInt64, slot: Int, to ring: AccessRing) -> Bool {
        guard let bytes = hello.baseAddress, hello.count <= Worker.helloCapacity else { return false }
        let place = ring.place()
        let size = (headSize &+ hello.count &+ 7) & ~7
        let head = HelloNote(
            size: UInt32(truncatingIfNeeded: size), count: UInt16(truncatingIfNeeded: hello.count),
            slot: UInt32(truncatingIfNeeded: slot), id: id)
        place.storeBytes(of: head, as: HelloNote.self)
        (place + headSize).copyMemory(from: bytes, byteCount: hello.count)
        return ring.append(place, size)
    }
}

/// Fingerprints of the hellos of one worker, until their connections have lines. Belongs to the writer's thread.
struct HelloNotes {
    private struct Entry {
        var id: UInt64 = 0
        var text: [UInt8] = []
    }
    /// By slot of the worker.
    private var entries: [Entry] = []

    /// Keeps the fingerprint of a hello in place of that of the connection that had the slot before.
    mutating func take(_ note: UnsafeRawPointer, _ cache: inout FingerprintCache) {
        let head = note.load(as: HelloNote.self)
        let hello = UnsafeRawBufferPointer(start: note + HelloNote.headSize, count: Int(head.count))
        let text = withUnsafeTemporaryAllocation(byteCount: HelloOutline.mostBytes, alignment: 8) { memory in
            guard let start = memory.baseAddress else { return [UInt8]() }
            let count = HelloOutline.write(hello, limit: Worker.helloLimit, to: start)
            return count > 0 ? cache.text(of: UnsafeRawBufferPointer(start: start, count: count)) : []
        }
        let slot = Int(head.slot)
        while entries.count <= slot { entries.append(Entry()) }
        entries[slot] = Entry(id: head.id, text: text)
    }

    /// Empty: there was none, or it is not known any more.
    @inline(__always)
    func text(of id: UInt64, slot: UInt32) -> [UInt8] {
        let slot = Int(slot)
        guard slot < entries.count, entries[slot].id == id else { return [] }
        return entries[slot].text
    }
}
