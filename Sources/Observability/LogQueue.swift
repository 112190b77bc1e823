internal import Platform

/// Lines on their way to a slow stream: bounded, so that whoever logs waits for a mutex at most, never for the stream.
/// What does not fit is counted and reported in one line once there is space again.
final class LogQueue: Sendable {
    struct Limits: Sendable {
        var lines = 8192
        var bytes = 4 << 20
    }

    private struct State {
        var pending: [UInt8] = []
        var pendingLines = 0
        var isWriting = false
        var isClosed = false
        var unreported: UInt64 = 0
        var dropped: UInt64 = 0
    }

    private let state = Monitored(State())
    private let limits: Limits

    init(limits: Limits) { self.limits = limits }

    /// Lines that were never written: the queue was full, or the stream refused them.
    var dropped: UInt64 { state.wait { $0.dropped as UInt64? } ?? 0 }

    func append(_ line: [UInt8]) {
        state.update { state in
            let fits = state.pendingLines < limits.lines && state.pending.count + line.count <= limits.bytes
            guard fits, !state.isClosed else {
                state.dropped += 1
                state.unreported += 1
                return
            }
            state.pending.append(contentsOf: line)
            state.pendingLines += 1
        }
    }

    /// Nothing is taken any more; the writer ends once it has written what waits.
    func close() { state.update { $0.isClosed = true } }

    /// Waits until everything that was appended is written or given up; false when the deadline came first.
    func waitUntilWritten(until deadline: MonotonicTime) -> Bool {
        state.wait(until: deadline) { $0.pending.isEmpty && !$0.isWriting && $0.unreported == 0 ? true : nil } ?? false
    }

    /// The writer's thread: hands batches of whole lines to `write` until the queue is closed and empty.
    func run(write: ([UInt8]) throws -> Void, dropReport: (UInt64) -> [UInt8]) {
        while let (batch, lines, unreported) = nextBatch() {
            let report = unreported > 0 ? dropReport(unreported) : []
            var lost = 0
            do { try write(batch + report) } catch { lost = lines }
            state.update { state in
                state.isWriting = false
                state.dropped += UInt64(lost)
            }
        }
    }

    private func nextBatch() -> (batch: [UInt8], lines: Int, unreported: UInt64)? {
        let next: (batch: [UInt8], lines: Int, unreported: UInt64)?? = state.wait { state in
            if state.pending.isEmpty, state.unreported == 0 {
                let end: (batch: [UInt8], lines: Int, unreported: UInt64)? = nil
                return state.isClosed ? .some(end) : .none
            }
            let batch = (batch: state.pending, lines: state.pendingLines, unreported: state.unreported)
            (state.pending, state.pendingLines, state.unreported, state.isWriting) = ([], 0, 0, true)
            return .some(batch)
        }
        return next ?? nil
    }
}
