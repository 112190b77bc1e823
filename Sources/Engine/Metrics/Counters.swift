internal import Observability
internal import Platform
internal import Synchronization

/// One worker's counters of one identity. Only that worker writes; any thread reads whole values.
typealias Cells = UnsafeMutablePointer<Atomic<UInt64>>

extension UnsafeMutablePointer where Pointee == Atomic<UInt64> {
    /// Correct only on the owning worker: no locked instruction.
    @inline(__always) func add(_ field: Int, _ amount: UInt64 = 1) {
        let cell = self + CounterSlab.place(of: field)
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
    }
    /// Gauges wrap below zero in one cell; the sum over workers is right.
    @inline(__always) func subtract(_ field: Int, _ amount: UInt64 = 1) {
        let cell = self + CounterSlab.place(of: field)
        cell.pointee.store(cell.pointee.load(ordering: .relaxed) &- amount, ordering: .relaxed)
    }
}

/// The cells of each worker, valid as long as their block.
struct WorkerCells: @unchecked Sendable {
    // Sendable because cells are atomics.
    fileprivate let base: Cells

    @inline(__always) subscript(_ worker: Int) -> Cells { base + worker * CounterSlab.pieceCells }
}

/// A block of counters per worker for one identity, surviving routing tables.
final class CounterBlock: @unchecked Sendable {
    // Sendable because cells are atomics and the memory stays until the last holder is gone.
    let cells: WorkerCells
    private let workers: Int
    let fields: Int
    private let slab: CounterSlab

    init(fields: Int, workers: Int, slab: CounterSlab) {
        self.fields = fields
        self.workers = workers
        self.slab = slab
        cells = WorkerCells(base: slab.take(fields: fields, workers: workers))
    }

    deinit { slab.giveBack(cells.base, fields: fields) }

    @inline(__always) func cells(worker: Int) -> Cells { cells[worker] }

    /// The sum over workers.
    func sum(_ field: Int) -> UInt64 {
        var total: UInt64 = 0
        let place = CounterSlab.place(of: field)
        for worker in 0..<workers { total &+= cells[worker][place].load(ordering: .relaxed) }
        return total
    }
}

/// Memory for counter blocks in large zeroed pieces, so that a block nobody touches costs no physical page.
///
/// A chunk has planes: the first sixteen cells of all its blocks, then the next sixteen of all, and so on. So the cells that
/// every connection counts in lie close together, two cache lines for each identity and worker, however many identities there
/// are; and the pages of what hardly ever happens stay untouched.
final class CounterSlab: @unchecked Sendable {
    // Sendable because `state` is behind a lock.
    private struct State {
        var chunks: [ZeroedPages] = []
        /// By number of planes: the chunk that is being handed out.
        var open: [Int: Open] = [:]
        var free: [Int: [Cells]] = [:]

        mutating func addChunk(_ planes: Int) -> Open {
            let cells = planes * CounterSlab.planeCells
            let chunk = ZeroedPages(cells * MemoryLayout<Atomic<UInt64>>.stride)
            chunks.append(chunk)
            return Open(base: chunk.base.bindMemory(to: Atomic<UInt64>.self, capacity: cells))
        }
    }
    private struct Open {
        var base: Cells
        /// Pieces taken of each plane.
        var used = 0
    }
    private let state = Locked(State())
    static let pieceCells = 16
    private static let piecesPerPlane = 8192
    private static let planeCells = pieceCells * piecesPerPlane

    /// Where a field's cell is, from the first one of its worker.
    @inline(__always) static func place(of field: Int) -> Int {
        (field / pieceCells) &* planeCells &+ field % pieceCells
    }

    private static func planes(_ fields: Int) -> Int { (fields + pieceCells - 1) / pieceCells }

    /// A piece of each plane for each worker, all zero.
    func take(fields: Int, workers: Int) -> Cells {
        let planes = CounterSlab.planes(fields)
        return state.withLock { state in
            if let block = state.free[planes]?.popLast() {
                CounterSlab.clear(block, planes, workers)
                return block
            }
            var open =
                state.open[planes].flatMap { $0.used + workers <= CounterSlab.piecesPerPlane ? $0 : nil }
                ?? state.addChunk(planes)
            let block = open.base + open.used * CounterSlab.pieceCells
            open.used += workers
            state.open[planes] = open
            return block
        }
    }

    /// Writes only where something was counted: pages that were never written stay so.
    private static func clear(_ block: Cells, _ planes: Int, _ workers: Int) {
        for plane in 0..<planes {
            for index in 0..<workers * pieceCells where block[plane * planeCells + index].load(ordering: .relaxed) != 0
            {
                block[plane * planeCells + index].store(0, ordering: .relaxed)
            }
        }
    }

    func giveBack(_ block: Cells, fields: Int) {
        state.withLock { $0.free[CounterSlab.planes(fields), default: []].append(block) }
    }
}

/// Where a histogram's cells are: one for each bucket, and the sum in nanoseconds. Histograms that a connection counts in
/// together may lie interleaved, so that their first buckets share a cache line.
struct HistogramLayout: Sendable {
    let start: Int
    let stride: Int
    let sumField: Int
    let bounds: HistogramBounds

    /// `stride`: fields from one bucket to the next. `sum`: nil stands for the field behind the buckets.
    init(start: Int, stride: Int = 1, sum: Int? = nil, bounds: HistogramBounds) {
        (self.start, self.stride, self.bounds) = (start, stride, bounds)
        sumField = sum ?? start + stride * bounds.bucketCount
    }

    /// The first field behind the buckets, and behind the sum where that follows them.
    var end: Int { max(start + stride * (bounds.bucketCount - 1), sumField) + 1 }

    @inline(__always) func record(_ nanoseconds: Int64, in cells: Cells) {
        let value = UInt64(clamping: nanoseconds)
        cells.add(start + stride * bounds.bucket(ofNanoseconds: value))
        cells.add(sumField, value)
    }

    func counts(_ block: CounterBlock) -> [UInt64] {
        (0..<bounds.bucketCount).map { block.sum(start + stride * $0) }
    }
}
