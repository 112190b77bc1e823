internal import CLinux
internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

// Listeners that stop accepting at their connection limit (Pause). Their clients wait in the kernel's queue.

extension PauseSet {
    /// Counts a connection that is about to be accepted at every level, or at none. Nil: there is room; else the level that has
    /// none, which wakes the worker when it has.
    func reserve(_ worker: Worker) -> LimitLevel? {
        for (index, level) in levels.enumerated() {
            var isTaken = level.state.open.take(atMost: level.most)
            while !isTaken, level.state.open.hasRoom(atMost: level.most, elseWake: worker.handle.index) {
                isTaken = level.state.open.take(atMost: level.most)
            }
            guard !isTaken else { continue }
            for reserved in levels[..<index] { worker.wake(reserved.state.open.giveBack()) }
            return level
        }
        return nil
    }

    func giveBack(_ worker: Worker) {
        for level in levels { worker.wake(level.state.open.giveBack()) }
    }

    /// False: the next connection that ends at a full level wakes the worker.
    fileprivate func hasRoom(for worker: Int) -> Bool {
        levels.allSatisfy { $0.state.open.hasRoom(atMost: $0.most, elseWake: worker) }
    }
}

extension Worker {
    /// Workers, as bits, whose listeners may have room again.
    @inline(__always)
    func wake(_ workers: UInt64) {
        if workers != 0 { shared.wake(workers) }
    }

    /// Where nobody waits yet, the next who comes is told of as any other.
    func pauseAtLimit(_ slot: Int, _ level: LimitLevel) {
        let waiting = try? pollReadable([listeners[slot]], timeout: .zero)
        guard waiting?.isEmpty != true else { return }
        level.hits.add(.connections)
        guard pausedAtLimit.insert(slot).inserted else { return }
        watchListener(slot)
        log(.info, "listener waits at its connection limit", limit: .connectionLimit)
    }

    /// Listens again where there is room.
    func resumeAtLimit() {
        let table = tables.value
        for slot in pausedAtLimit {
            let pauses = slot < table.bindings.count ? table.bindings[slot]?.pauses : nil
            guard pauses?.hasRoom(for: handle.index) != false else { continue }
            pausedAtLimit.remove(slot)
            watchListener(slot)
        }
    }
}

extension EngineShared {
    func wake(_ workers: UInt64) {
        let all = wakes.withLock { $0 }
        var left = workers
        while left != 0 {
            let worker = left.trailingZeroBitCount
            left &= left - 1
            if worker < all.count { all[worker].signal() }
        }
    }
}
