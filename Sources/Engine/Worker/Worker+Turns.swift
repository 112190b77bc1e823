internal import CLinux
internal import Synchronization

// Whose turn it is. A turn of the loop serves established traffic first. Connections that come or go follow, for a time, and so
// do listeners: however many come at once, those that are there already wait for no more than that.

extension Worker {
    /// The nanoseconds of a turn for established connections that may have more, where there are many.
    private static let readyBudget: Int64 = 500_000
    /// The least nanoseconds of a turn for connections that come or go, and for taking new ones.
    private static let leastBudget: Int64 = 300_000
    /// The least for handshakes: one that computes, or some that only end. Asking epoll once more costs a hundredth of one.
    private static let leastHandshakeBudget: Int64 = 50_000

    func dispatch(_ token: UInt64, _ events: UInt32) {
        let slot = EventToken.slot(token)
        let record = records + slot
        guard record.pointee.life & 0x3fff_ffff == EventToken.life(token), record.pointee.stage != .free else { return }
        let side = EventToken.side(token)
        let flags = sides + (2 * slot + side)
        if events & (epollIn | epollPeerClosed | epollHangUp | epollError) != 0 {
            flags.pointee.flags.insert(.readable)
        }
        let isLeaving = events & (epollPeerClosed | epollHangUp) != 0 && !flags.pointee.flags.contains(.hungUp)
        if isLeaving { flags.pointee.flags.insert(.hungUp) }
        if events & epollOut != 0 { flags.pointee.flags.insert(.writable) }
        if events & epollError != 0 { flags.pointee.flags.insert(.failed) }
        if events & epollUrgent != 0 { flags.pointee.flags.insert([.urgent, .readable]) }
        guard record.pointee.stage == .relay else { return pipelineEvent(slot, side) }
        if isLeaving || isNew(slot), putOff(slot, side, events) { return }
        relayEvent(slot, side, events)
    }

    func serveReady() {
        guard !ready.isEmpty else { return }
        // One round for each that was queued when the turn began; those that want more go to the tail. A round of bulk takes some
        // 50 µs: where there are many of them the rest keep their places for the next turn, and who says little does not wait
        // for all.
        var left = ready.count
        let end = left > 8 ? sluice_monotonic_ns() + Worker.readyBudget : .max
        while left > 0, let slot = ready.pop(records) {
            left -= 1
            serve(slot)
            if left & 1 == 0, end != .max, sluice_monotonic_ns() >= end { return }
        }
    }

    /// A round for each direction of a slot from a queue that is owed one.
    func serve(_ slot: Int) {
        guard records[slot].stage == .relay else { return finishSlot(slot) }
        guard serveReady(slot, .request) else { return }
        _ = serveReady(slot, .response)
    }

    /// False: the connection is gone.
    @inline(__always)
    private func serveReady(_ slot: Int, _ direction: Direction) -> Bool {
        let flow = flows + (2 * slot + direction.rawValue)
        guard flow.pointee.flags.contains(.ready) else { return true }
        flow.pointee.flags.remove(.ready)
        return relayRound(slot, direction)
    }

    /// Where some wait: to call it costs each turn as much as an event.
    func serveHandshakes() {
        let end = endOfShare(atLeast: Worker.leastHandshakeBudget)
        while let slot = handshakes.pop(records) {
            switch records[slot].stage {
            case .free: finishSlot(slot)
            // It got there while it stood in this queue: a round that it asked for is still owed to it.
            case .relay: enqueue(slot, in: &ready)
            default: advance(slot)
            }
            if sluice_monotonic_ns() >= end { return }
        }
    }

    // MARK: Those that come or go

    /// Whether the backend has not answered yet, nor the client sent much: some clients only ever send.
    @inline(__always)
    private func isNew(_ slot: Int) -> Bool {
        records[slot].firstResponseByteAt == 0 && flows[2 * slot].bytes < 16 << 10
    }

    /// Until when those who come or go have their turn: a quarter of what it took so far, so that a long turn of busy
    /// established traffic leaves them their share.
    private func endOfShare(atLeast least: Int64 = Worker.leastBudget) -> Int64 {
        let time = sluice_monotonic_ns()
        return time + max(least, (time - now) / 4)
    }

    /// Puts off what an event of a relaying connection asks for. False: it has to be seen to at once.
    private func putOff(_ slot: Int, _ index: Int, _ events: UInt32) -> Bool {
        let side = sides + (2 * slot + index)
        let (inbound, outbound) = (flows + (2 * slot + index), flows + (2 * slot + 1 - index))
        guard side.pointee.flags.isDisjoint(with: .failed), !inbound.pointee.flags.contains(.paced) else {
            return false
        }
        if side.pointee.tls != nil { side.pointee.flags.insert(.readable) }
        if side.pointee.flags.contains(.readable) { inbound.pointee.flags.insert(.ready) }
        if events & epollOut != 0, outbound.pointee.holdsData || outbound.pointee.flags.contains(.shutdownPending) {
            outbound.pointee.flags.insert(.ready)
        }
        enqueue(slot, in: &comers)
        return true
    }

    func serveComers() {
        guard !comers.isEmpty else { return }
        var left = comers.count
        // The clock is looked at where there are many only.
        let end = left > 8 ? endOfShare() : .max
        while left > 0, let slot = comers.pop(records) {
            left -= 1
            switch records[slot].stage {
            case .free: finishSlot(slot)
            case .relay: serve(slot)
            case .handshake, .backendHandshake: enqueueHandshake(slot)
            default: advance(slot)
            }
            if left & 3 == 0, end != .max, sluice_monotonic_ns() >= end { return }
        }
    }

    /// Takes from every listener that has something, or from those that the time suffices for: each turn begins with another one.
    func acceptCallers() {
        guard !callers.isEmpty else { return }
        let first = callers.count == 1 ? 0 : Int(handle.turns.load(ordering: .relaxed) % UInt64(callers.count))
        let end = callers.count == 1 ? .max : endOfShare()
        for step in 0..<callers.count {
            acceptBatch(callers[(first + step) % callers.count])
            if end != .max, sluice_monotonic_ns() >= end { break }
        }
        callers.removeAll(keepingCapacity: true)
    }
}
