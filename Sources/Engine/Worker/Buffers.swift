internal import CLinux
internal import Synchronization

/// Bytes that pooled buffers and filled pipes of the whole process hold. What was read must be kept, so counting cannot
/// refuse; above seven eighths of the limit every read is small and nothing is spliced, and a direction that holds bytes
/// reads no more: the limit is passed by one small read per blocked direction at most.
final class MemoryBudget: Sendable {
    private let used = Atomic<Int>(0)
    let limit: Int

    init(limit: Int) { self.limit = limit }

    func take(_ bytes: Int) { used.add(bytes, ordering: .relaxed) }
    func giveBack(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
    var inUse: Int { used.load(ordering: .relaxed) }
    var isTight: Bool { inUse > limit / 8 * 7 }
}

/// A pooled buffer: this header, then ``Block/capacity`` bytes.
struct Block {
    static let capacity = 16 << 10
    static let size = MemoryLayout<Block>.stride + capacity

    var next: UnsafeMutablePointer<Block>?
    var start = 0
    var end = 0
}

extension UnsafeMutablePointer where Pointee == Block {
    @inline(__always) var bytes: UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(self).advanced(by: MemoryLayout<Block>.stride)
    }
    @inline(__always) var count: Int { pointee.end - pointee.start }
}

/// A worker's free buffers. What is in use counts against the process's budget; up to ``spares`` are kept.
struct BlockPool: ~Copyable {
    private let budget: MemoryBudget
    private var free: UnsafeMutablePointer<Block>?
    private var freeCount = 0
    private static let spares = 256

    init(budget: MemoryBudget) { self.budget = budget }

    deinit {
        var block = free
        while let current = block {
            block = current.pointee.next
            UnsafeMutableRawPointer(current).deallocate()
        }
    }

    /// An empty buffer. Never fails: the bytes it is for have been read already, and reading stops while they are held.
    mutating func take() -> UnsafeMutablePointer<Block> {
        budget.take(Block.size)
        if let block = free {
            free = block.pointee.next
            freeCount -= 1
            block.initialize(to: Block())
            return block
        }
        let raw = UnsafeMutableRawPointer.allocate(byteCount: Block.size, alignment: 16)
        let block = raw.bindMemory(to: Block.self, capacity: 1)
        block.initialize(to: Block())
        return block
    }

    mutating func giveBack(_ block: UnsafeMutablePointer<Block>) {
        budget.giveBack(Block.size)
        guard freeCount < BlockPool.spares else {
            UnsafeMutableRawPointer(block).deallocate()
            return
        }
        block.pointee.next = free
        free = block
        freeCount += 1
    }
}

/// A pipe for splicing, at least 64 KiB.
struct SplicePipe {
    var read: Int32
    var write: Int32
    var capacity: Int
}

/// A worker's pipes: made on demand up to a cap, kept for its life. A pipe that came back is empty.
struct PipePool: ~Copyable {
    private var pipes: [SplicePipe] = []
    private var free: [Int32] = []
    /// Indices whose pipe was thrown away.
    private var vacant: [Int32] = []
    private let cap: Int
    /// From this one on descriptors are not for pipes.
    private let ceiling: Int
    /// Set when the kernel refused one or gave less than 64 KiB: tried again after a while.
    private var refusedUntil: Int64 = 0
    private static let wanted: Int64 = 1 << 20
    private static let least: Int64 = 64 << 10

    init(cap: Int, ceiling: Int) {
        (self.cap, self.ceiling) = (cap, ceiling)
        pipes.reserveCapacity(cap)
        free.reserveCapacity(cap)
    }

    deinit {
        for pipe in pipes where pipe.read >= 0 {
            _ = sluice_close(pipe.read)
            _ = sluice_close(pipe.write)
        }
    }

    /// The index of an empty pipe, or -1.
    mutating func take(now: Int64) -> Int32 {
        if let index = free.popLast() { return index }
        guard pipes.count - vacant.count < cap, now >= refusedUntil else { return -1 }
        var ends: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutableBytes(of: &ends) { sluice_pipe($0.bindMemory(to: Int32.self).baseAddress) }
        let size = made == 0 && ends.1 < ceiling ? sluice_pipe_set_size(ends.0, PipePool.wanted) : -1
        guard size >= PipePool.least else {
            if made == 0 {
                _ = sluice_close(ends.0)
                _ = sluice_close(ends.1)
            }
            refusedUntil = now + 1000
            return -1
        }
        let pipe = SplicePipe(read: ends.0, write: ends.1, capacity: Int(size))
        if let index = vacant.popLast() {
            pipes[Int(index)] = pipe
            return index
        }
        pipes.append(pipe)
        return Int32(pipes.count - 1)
    }

    mutating func giveBack(_ index: Int32) { free.append(index) }

    /// Instead of giving one back that could not be emptied: what is in it must never reach another connection.
    mutating func throwAway(_ index: Int32) {
        _ = sluice_close(pipes[Int(index)].read)
        _ = sluice_close(pipes[Int(index)].write)
        pipes[Int(index)] = SplicePipe(read: -1, write: -1, capacity: 0)
        vacant.append(index)
    }

    @inline(__always) subscript(_ index: Int32) -> SplicePipe { pipes[Int(index)] }
}
