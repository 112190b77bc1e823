internal import Observability
internal import Platform
internal import Synchronization

/// One worker's counters of one identity. Only that worker writes; any thread reads whole values.
typealias Cells = UnsafeMutablePointer<Atomic<UInt64>>

extension UnsafeMutablePointer where Pointee == Atomic<UInt64> {
    /// Correct only on the owning worker: no locked instruction.
    @inline(__always) func add(_ field: Int, _ amount: UInt64 = 1) {
        self[field].store(self[field].load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
    /// Gauges wrap below zero in one cell; the sum over workers is right.
    @inline(__always) func subtract(_ field: Int, _ amount: UInt64 = 1) {
        self[field].store(self[field].load(ordering: .relaxed) &- amount, ordering: .relaxed)
    }
}

/// A block of counters per worker for one identity, cache line by cache line, surviving routing tables.
final class CounterBlock: @unchecked Sendable {
    // Sendable because cells are atomics and the memory stays until the last holder is gone.
    private let base: Cells
    private let stride: Int
    private let workers: Int
    let fields: Int
    private let slab: CounterSlab

    init(fields: Int, workers: Int, slab: CounterSlab) {
        self.fields = fields
        self.workers = workers
        self.slab = slab
        stride = (fields + 7) / 8 * 8
        base = slab.take(cells: stride * workers)
    }

    deinit { slab.giveBack(base, cells: stride * workers) }

    @inline(__always) func cells(worker: Int) -> Cells { base + worker * stride }

    /// The sum over workers.
    func sum(_ field: Int) -> UInt64 {
        var total: UInt64 = 0
        for worker in 0..<workers { total &+= base[worker * stride + field].load(ordering: .relaxed) }
        return total
    }
}

/// Memory for counter blocks in large zeroed pieces, so that a block nobody touches costs no physical page.
final class CounterSlab: @unchecked Sendable {
    // Sendable because `state` is behind a lock.
    private struct State {
        /// The last one is being handed out.
        var chunks: [ZeroedPages] = []
        var offset = 0
        var free: [Int: [Cells]] = [:]
    }
    private let state = Locked(State())
    private static let chunkSize = 4 << 20

    func take(cells: Int) -> Cells {
        state.withLock { state in
            if let block = state.free[cells]?.popLast() {
                for index in 0..<cells { block[index].store(0, ordering: .relaxed) }
                return block
            }
            let size = cells * 8
            let chunk: ZeroedPages
            if let last = state.chunks.last, state.offset + size <= last.size {
                chunk = last
            } else {
                chunk = ZeroedPages(max(CounterSlab.chunkSize, size))
                state.chunks.append(chunk)
                state.offset = 0
            }
            let raw = chunk.base.advanced(by: state.offset)
            state.offset += size
            return raw.bindMemory(to: Atomic<UInt64>.self, capacity: cells)
        }
    }

    func giveBack(_ block: Cells, cells: Int) {
        state.withLock { $0.free[cells, default: []].append(block) }
    }
}

/// Where a histogram's cells start: one per bucket, then the sum in nanoseconds.
struct HistogramLayout: Sendable {
    let start: Int
    let bounds: HistogramBounds

    var sumField: Int { start + bounds.bucketCount }
    var end: Int { sumField + 1 }

    @inline(__always) func record(_ nanoseconds: Int64, in cells: Cells) {
        let value = UInt64(clamping: nanoseconds)
        cells.add(start + bounds.bucket(ofNanoseconds: value))
        cells.add(sumField, value)
    }

    func counts(_ block: CounterBlock) -> [UInt64] { (0..<bounds.bucketCount).map { block.sum(start + $0) } }
}
