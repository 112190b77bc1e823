@testable import Engine
import EngineModel
import Observability
import Testing

@Suite("Counters")
struct CounterTests {
    @Test("Cells of blocks, workers and fields are apart")
    func apart() {
        let (slab, workers) = (CounterSlab(), 3)
        let blocks = (0..<300).map { index in
            CounterBlock(
                fields: [ListenerField.count, RouteField.count, BackendField.count][index % 3], workers: workers,
                slab: slab)
        }
        for (index, block) in blocks.enumerated() {
            for worker in 0..<workers {
                for field in 0..<block.fields { block.cells[worker].add(field, UInt64(1000 * index + field)) }
            }
        }
        for (index, block) in blocks.enumerated() {
            for field in 0..<block.fields { #expect(block.sum(field) == UInt64(workers * (1000 * index + field))) }
        }
    }

    @Test("A block that is handed out again counts from zero")
    func again() {
        let slab = CounterSlab()
        var block: CounterBlock? = CounterBlock(fields: RouteField.count, workers: 2, slab: slab)
        let first = block?.cells[0]
        for field in 0..<RouteField.count { block?.cells[1].add(field, 7) }
        block = nil
        let next = CounterBlock(fields: RouteField.count, workers: 2, slab: slab)
        #expect(next.cells[0] == first)
        #expect((0..<RouteField.count).allSatisfy { next.sum($0) == 0 })
    }

    @Test("Every count of a route has a cell of its own")
    func routeFields() {
        var fields = [RouteField.opened, RouteField.active, RouteField.requestBytes, RouteField.responseBytes]
        fields += cells(of: RouteField.duration) + cells(of: RouteField.setup) + cells(of: RouteField.firstByte)
        fields += [RouteField.throttled(.request), RouteField.throttled(.response)]
        for reason in CloseReason.allCases {
            fields += CloseSide.allCases.map { RouteField.closed(reason, $0) }
        }
        #expect(Set(fields).count == fields.count)
        #expect(fields.max() == RouteField.count - 1)
    }

    @Test("Every count of a backend has a cell of its own")
    func backendFields() {
        var fields = [BackendField.active, BackendField.retries, BackendField.droppedTLVs]
        fields += cells(of: BackendField.connectDuration)
        fields += ConnectResult.allCases.map(BackendField.connects) + CloseReason.allCases.map(BackendField.rejected)
        fields += [BackendField.pending] + cells(of: BackendField.queueDuration)
        fields += SessionEnd.allCases.map(BackendField.sessionsClosed)
        #expect(Set(fields).count == fields.count)
        #expect(fields.max() == BackendField.count - 1)
    }

    private func cells(of histogram: HistogramLayout) -> [Int] {
        (0..<histogram.bounds.bucketCount).map { histogram.start + histogram.stride * $0 } + [histogram.sumField]
    }
}
