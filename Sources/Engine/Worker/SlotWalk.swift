internal import EngineModel
internal import Platform

/// A question to every worker about its connections, or an order to end some. Workers hand over copies by the batch, which the
/// asking thread takes; one that is behind keeps nobody busy: workers that are far ahead of it leave their place with it.
final class SlotWalk: Sendable {
    struct Progress {
        var batches: [[ConnectionCopy]] = []
        /// Whether the asking thread has enough.
        var isOver = false
        /// Who waits for the asking thread, by worker, and where each goes on.
        var parked: [(worker: Int, next: Int)] = []
        var workersLeft = 0
    }
    /// An order to end connections, judged on the worker's thread, so that what is ended is as it was judged.
    struct Closing: Sendable {
        let reason: CloseReason
        let isWanted: @Sendable (ConnectionInfo) -> Bool
    }
    /// Batches that may wait for the asking thread before workers do.
    let batchLimit: Int
    /// Nil: only look.
    let closing: Closing?
    let progress = Monitored(Progress())

    init(closing: Closing? = nil, batchLimit: Int = 64) { (self.closing, self.batchLimit) = (closing, batchLimit) }
}

/// How far a worker has come with a walk.
struct SlotCursor: Sendable {
    let walk: SlotWalk
    var next = 0
}

extension Worker {
    /// Slots looked at in one turn.
    private static let walkStride = 256

    func begin(_ cursor: SlotCursor) {
        walks.append(cursor)
        isGoingThroughSlots = true
    }

    /// Goes on with all that looks at every slot, the same in each turn.
    func goThroughSlots() {
        if !walks.isEmpty { continueWalks() }
        if !rechecks.isEmpty { continueRechecks() }
        if sweepNext >= 0 { continueSweep() }
        if rebindNext >= 0 { continueRebind() }
        if hurryNext >= 0 { continueHurry() }
        isGoingThroughSlots =
            !walks.isEmpty || !rechecks.isEmpty || sweepNext >= 0 || rebindNext >= 0 || hurryNext >= 0
    }

    private func continueWalks() {
        for index in walks.indices {
            let end = min(walks[index].next + Worker.walkStride, highestSlot)
            let walk = walks[index].walk
            let batch = copies(of: walks[index].next..<max(end, walks[index].next), walk)
            walks[index].next = end
            let goesOn = walk.progress.update { progress in
                if !batch.isEmpty { progress.batches.append(batch) }
                if end >= highestSlot || progress.isOver {
                    progress.workersLeft -= 1
                    return false
                }
                guard progress.batches.count >= walk.batchLimit else { return true }
                progress.parked.append((handle.index, end))
                return false
            }
            if !goesOn { walks[index].next = .max }
        }
        walks.removeAll { $0.next == .max }
    }

    private func copies(of slots: Range<Int>, _ walk: SlotWalk) -> [ConnectionCopy] {
        var batch: [ConnectionCopy] = []
        batch.reserveCapacity(min(slots.count, openCount))
        for slot in slots {
            guard let copy = copy(slot) else { continue }
            if let closing = walk.closing {
                guard closing.isWanted(ConnectionInfo(copy)) else { continue }
                close(slot, closing.reason, .proxy, reset: false)
            }
            batch.append(copy)
        }
        return batch
    }
}

extension Engine {
    /// Asks every worker, and hands each connection to `take` on this thread until that says false, or all were seen.
    func walk(_ walk: SlotWalk, take: (ConnectionInfo) -> Bool) {
        walk.progress.update { $0.workersLeft = workers.count }
        for worker in workers { worker.post(.walk(SlotCursor(walk: walk))) }
        while true {
            let step = walk.progress.wait(until: .now() + .milliseconds(100)) { progress -> SlotWalk.Progress? in
                guard !progress.batches.isEmpty || progress.workersLeft <= 0 else { return nil }
                defer { (progress.batches, progress.parked) = ([], []) }
                return progress
            }
            for place in step?.parked ?? [] {
                workers[place.worker].post(.walk(SlotCursor(walk: walk, next: place.next)))
            }
            for copy in step?.batches.joined() ?? [].joined() where !take(ConnectionInfo(copy)) {
                return walk.progress.update { $0.isOver = true }
            }
            if let step, step.workersLeft <= 0 { return }
            // Workers that have ended answer no more.
            let isStopped = shared.progress.wait(until: .now()) { $0.running == 0 ? true : nil } ?? false
            if isStopped, walk.progress.update({ $0.batches.isEmpty }) { return }
        }
    }
}
