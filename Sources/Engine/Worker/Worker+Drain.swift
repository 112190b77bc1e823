internal import CLinux
internal import COpenSSL
internal import EngineModel
internal import Synchronization

// Sessions that have outlived their listener or route by more than they were given.

extension Worker {
    /// Slots looked at, and sessions closed, in one turn.
    private static let sweepStride = 256
    private static let closesPerTurn = 32

    /// From the first slot; one that is under way goes on.
    func beginSweep() {
        if sweepNext < 0 { sweepNext = 0 }
        isGoingThroughSlots = true
    }

    func continueSweep() {
        let end = min(sweepNext + Worker.sweepStride, highestSlot)
        var left = Worker.closesPerTurn
        while sweepNext < end {
            if let reason = overdue(sweepNext) {
                guard left > 0 else { return }
                // Half of those that may linger is left to others; the next sweep finds the rest.
                guard shared.lingering.load(ordering: .relaxed) < EngineShared.lingeringLimit / 2 else {
                    sweepNext = -1
                    return
                }
                left -= 1
                shared.disrupted.add(1, ordering: .relaxed)
                endGently(sweepNext, reason)
            } else if let end = sessionEnd(sweepNext) {
                guard left > 0 else { return }
                left -= 1
                endSession(sweepNext, end)
            }
            sweepNext += 1
        }
        if sweepNext >= highestSlot { sweepNext = -1 }
    }

    private func overdue(_ slot: Int) -> CloseReason? {
        let record = records + slot
        let (id, milliseconds) = (record.pointee.id, nowMilliseconds)
        switch record.pointee.stage {
        case .free, .linger, .delay: return nil
        default: break
        }
        if let listener = record.pointee.listener,
            listener._withUnsafeGuaranteedRef({ $0.state.drain.isDue(id, now: milliseconds) })
        {
            return .listenerRemoved
        }
        if let route = record.pointee.route,
            route._withUnsafeGuaranteedRef({ $0.state.drain.isDue(id, now: milliseconds) })
        {
            return .routeDeleted
        }
        return nil
    }

    /// Both sides see an orderly end of what was passed on: close_notify where nothing is dropped, then FIN. The client is
    /// given time to answer it.
    func endGently(_ slot: Int, _ reason: CloseReason) {
        guard records[slot].stage == .relay else {
            if records[slot].stage == .handshake { countHandshake(slot, .terminateUnknown, .other) }
            return refuse(slot, reason, .proxy)
        }
        sendCloseNotifies(slot)
        // Closing over what the backend has sent meanwhile would reset it.
        let backend = sides[2 * slot + 1].descriptor
        _ = sluice_shutdown_write(backend)
        for _ in 0..<8 where sluice_recv(backend, scratch, Worker.scratchSize, 0) <= 0 { break }
        linger(slot, reason, .proxy)
    }

    /// Says to both sides that no more comes, where nothing is dropped.
    func sendCloseNotifies(_ slot: Int) {
        for index in 0..<2 {
            let direction: Direction = index == 0 ? .request : .response
            let flow = flows + (2 * slot + direction.rawValue)
            let sink = sides + (2 * slot + 1 - direction.rawValue)
            guard let ssl = sink.pointee.tls, !sink.pointee.flags.contains(.tlsBroken), !flow.pointee.holdsData,
                flow.pointee.flags.isDisjoint(with: [.shutDown, .sinkFailed, .truncated])
            else { continue }
            _ = sendCloseNotify(ssl, sink)
        }
    }
}
