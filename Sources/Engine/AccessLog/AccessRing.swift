internal import Glibc
internal import Synchronization

/// Notes of one worker on their way to the writer. The worker appends, the writer takes; neither waits for the other, and
/// what does not fit is counted and forgotten. Each note lies in one piece: the last one before the end may reach beyond it.
final class AccessRing: @unchecked Sendable {
    // Sendable because the worker touches only what lies before `tail`, the writer what lies between `tail` and `head`.
    private let pages: ZeroedPages
    private let size: Int
    /// Bytes ever appended, and ever taken.
    private let head = Atomic<Int>(0)
    private let tail = Atomic<Int>(0)
    private let lost = Atomic<UInt64>(0)
    private let lostEvents = Atomic<UInt64>(0)
    /// Where a note is put together when the longest one would not fit; the worker's.
    private let aside = UnsafeMutableRawPointer.allocate(byteCount: AccessRecord.most, alignment: 16)

    /// A power of two, in bytes.
    static let defaultSize = 1 << 20

    init(size: Int = AccessRing.defaultSize) {
        pages = ZeroedPages(size + AccessRecord.most)
        self.size = size
    }

    deinit { aside.deallocate() }

    /// Notes that did not fit.
    var dropped: UInt64 { lost.load(ordering: .relaxed) }
    /// Those of them that an event was to be made of.
    var droppedEvents: UInt64 { lostEvents.load(ordering: .relaxed) }

    var isEmpty: Bool { head.load(ordering: .sequentiallyConsistent) == tail.load(ordering: .relaxed) }

    // MARK: The worker

    /// Where the next note is to be written; there is room for ``AccessRecord/most`` bytes.
    @inline(__always)
    func place() -> UnsafeMutableRawPointer {
        let written = head.load(ordering: .relaxed)
        guard written &- tail.load(ordering: .acquiring) <= size &- AccessRecord.most else { return aside }
        return pages.base + (written & (size &- 1))
    }

    /// What was written there is a note of so many bytes, a multiple of 8. Whether more than half of the ring is in use now.
    @inline(__always)
    func append(_ note: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        let written = head.load(ordering: .relaxed)
        let used = written &- tail.load(ordering: .acquiring) &+ count
        if note == aside {
            guard used <= size else {
                lose(note.assumingMemoryBound(to: AccessRecord.self))
                return true
            }
            (pages.base + (written & (size &- 1))).copyMemory(from: note, byteCount: count)
        }
        head.store(written &+ count, ordering: .sequentiallyConsistent)
        return 2 &* used > size
    }

    @inline(never)
    private func lose(_ note: UnsafePointer<AccessRecord>) {
        // Its line may still come, without the fingerprint.
        guard note.pointee.event != .hello else { return }
        lost.store(lost.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
        guard note.pointee.flags.contains(.isEvent) else { return }
        lostEvents.store(lostEvents.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    // MARK: The writer

    /// The oldest note; nil: there is none. It stays until it is dropped.
    @inline(__always)
    var next: UnsafeRawPointer? {
        let taken = tail.load(ordering: .relaxed)
        guard head.load(ordering: .acquiring) != taken else { return nil }
        return UnsafeRawPointer(pages.base + (taken & (size &- 1)))
    }

    /// Gives back the room of the oldest note, which has so many bytes.
    @inline(__always)
    func drop(_ count: Int) { tail.store(tail.load(ordering: .relaxed) &+ count, ordering: .releasing) }
}
