internal import Glibc
internal import Synchronization

/// Notes of one worker on their way to the writer. The worker appends, the writer takes; neither waits for the other, and
/// what does not fit is counted and forgotten.
final class AccessRing: @unchecked Sendable {
    // Sendable because the worker touches only what lies before `tail`, the writer what lies between `tail` and `head`.
    private let pages: ZeroedPages
    private let mask: Int
    /// Bytes ever appended, and ever taken.
    private let head = Atomic<Int>(0)
    private let tail = Atomic<Int>(0)
    private let lost = Atomic<UInt64>(0)
    private let lostEvents = Atomic<UInt64>(0)

    /// A power of two, in bytes.
    static let defaultSize = 1 << 20

    init(size: Int = AccessRing.defaultSize) {
        pages = ZeroedPages(size)
        mask = size - 1
    }

    /// Notes that did not fit.
    var dropped: UInt64 { lost.load(ordering: .relaxed) }
    /// Those of them that an event was to be made of.
    var droppedEvents: UInt64 { lostEvents.load(ordering: .relaxed) }

    var isEmpty: Bool { head.load(ordering: .sequentiallyConsistent) == tail.load(ordering: .relaxed) }

    /// By the worker. Whether more than half of it is in use now.
    func append(_ note: UnsafeRawPointer, _ size: Int) -> Bool {
        let written = head.load(ordering: .relaxed)
        let used = written - tail.load(ordering: .acquiring)
        guard used + size <= mask + 1 else {
            lose(note.assumingMemoryBound(to: AccessRecord.self))
            return true
        }
        let start = written & mask
        let first = min(size, mask + 1 - start)
        (pages.base + start).copyMemory(from: note, byteCount: first)
        if first < size { pages.base.copyMemory(from: note + first, byteCount: size - first) }
        head.store(written + size, ordering: .sequentiallyConsistent)
        return 2 * (used + size) > mask + 1
    }

    private func lose(_ note: UnsafePointer<AccessRecord>) {
        lost.store(lost.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        guard note.pointee.flags.contains(.isEvent) else { return }
        lostEvents.store(lostEvents.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// By the writer: the oldest note, copied to where there is room for ``AccessRecord/most`` bytes. False: there is none.
    func take(into memory: UnsafeMutableRawPointer) -> Bool {
        let taken = tail.load(ordering: .relaxed)
        guard head.load(ordering: .acquiring) != taken else { return false }
        copy(taken, 4, to: memory)
        let size = Int(memory.load(as: UInt32.self))
        copy(taken, size, to: memory)
        tail.store(taken + size, ordering: .releasing)
        return true
    }

    private func copy(_ offset: Int, _ size: Int, to memory: UnsafeMutableRawPointer) {
        let start = offset & mask
        let first = min(size, mask + 1 - start)
        memory.copyMemory(from: pages.base + start, byteCount: first)
        if first < size { (memory + first).copyMemory(from: pages.base, byteCount: size - first) }
    }
}
