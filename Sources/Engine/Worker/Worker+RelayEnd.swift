internal import CLinux
internal import COpenSSL
internal import EngineModel
internal import Glibc

// The ends of a relayed connection: FIN and close_notify passed on in kind, resets passed on as resets.

extension Worker {
    /// A side was reset. False: the connection is gone. `inbound`: the direction it is the source of.
    func sideFailed(_ slot: Int, _ inbound: Direction) -> Bool {
        let flow = flows + (2 * slot + inbound.rawValue)
        guard flow.pointee.flags.contains(.ended) else {
            // The client will never take the answer to what is still held of its request, or waits for its share.
            guard inbound == .request, flow.pointee.holdsData || isPaused(slot, .request) else { return true }
            close(slot, .clientReset, .client, reset: true)
            return false
        }
        guard inbound == .response, !flow.pointee.flags.contains(.sinkFailed) else {
            let wasReset = records[slot].endReason == .backendReset || records[slot].endReason == .clientReset
            if wasReset {
                finish(slot, reset: true)
            } else {
                close(slot, inbound == .request ? .clientReset : .backendReset, inbound.side, reset: true)
            }
            return false
        }
        // The backend had ended in order before: what it sent, here and in the kernel's queue, is still owed to the
        // client, and a reset would throw it away. Only the way to the backend is closed.
        let request = flows + 2 * slot
        dropHeld(request)
        request.pointee.flags = [.ended, .shutDown, .sinkFailed]
        guard flow.pointee.flags.contains(.shutDown) else { return true }
        linger(slot, records[slot].endReason, records[slot].endedFirst == 1 ? .backend : .client)
        return false
    }

    /// A plain read gave no bytes. False: the connection is gone.
    func readEnded(_ slot: Int, _ direction: Direction, _ result: Int64) -> Bool {
        if result == wouldBlock { return nothingToRead(slot, direction) }
        guard result == 0 else {
            return sourceFailed(slot, direction, direction == .request ? .clientReset : .backendReset)
        }
        return sourceEnded(slot, direction, truncated: false)
    }

    /// More will be told by epoll. But of a source that took no more bytes of the other direction nothing more is to come: it
    /// was not reset, or it would say so now. It failed us (want of memory), and what was lost on the way to it cannot be made good.
    private func nothingToRead(_ slot: Int, _ direction: Direction) -> Bool {
        sides[2 * slot + direction.rawValue].flags.remove(.readable)
        guard flows[2 * slot + direction.opposite.rawValue].flags.contains(.sinkFailed) else { return true }
        finish(slot, reset: true)
        return false
    }

    func tlsReadEnded(_ slot: Int, _ direction: Direction, _ ending: TLSReadEnding) -> Bool {
        switch ending {
        case .wouldBlock: return nothingToRead(slot, direction)
        case .none: return true
        case .closeNotify: return sourceEnded(slot, direction, truncated: false)
        case .truncated: return sourceEnded(slot, direction, truncated: true)
        case .reset: return sourceFailed(slot, direction, direction == .request ? .clientReset : .backendReset)
        case .failed: return sourceFailed(slot, direction, direction == .request ? .tlsError : .backendTLSError)
        }
    }

    private func sourceEnded(_ slot: Int, _ direction: Direction, truncated: Bool) -> Bool {
        let flow = flows + (2 * slot + direction.rawValue)
        let record = records + slot
        flow.pointee.flags.insert(truncated ? [.ended, .truncated] : .ended)
        if record.pointee.endedFirst < 0 {
            record.pointee.endedFirst = Int8(direction.rawValue)
            record.pointee.endReason =
                truncated ? .tlsTruncated : direction == .request ? .clientClosed : .backendClosed
        }
        // A reset that came after this end, but was seen before it was read: nobody acted on it then.
        if sides[2 * slot + direction.rawValue].flags.contains(.failed), !sideFailed(slot, direction) { return false }
        return passOnEnd(slot, direction)
    }

    /// Passes an end of stream on once everything read before it is written. False: the connection is gone.
    func passOnEnd(_ slot: Int, _ direction: Direction) -> Bool {
        let flow = flows + (2 * slot + direction.rawValue)
        guard !flow.pointee.holdsData, !flow.pointee.flags.contains(.shutDown) else { return true }
        let sink = sides + (2 * slot + 1 - direction.rawValue)
        if let ssl = sink.pointee.tls, !flow.pointee.flags.contains(.truncated),
            !sink.pointee.flags.contains(.tlsBroken)
        {
            guard sendCloseNotify(ssl, sink) else {
                flow.pointee.flags.insert(.shutdownPending)
                return true
            }
        }
        flow.pointee.flags.remove(.shutdownPending)
        flow.pointee.flags.insert(.shutDown)
        let opposite = flows + (2 * slot + direction.opposite.rawValue)
        if opposite.pointee.flags.contains(.shutDown) {
            if direction == .response, opposite.pointee.flags.contains(.sinkFailed) {
                // The backend took no more but ended in order: closing over what the client still sends would reset
                // the client, and lose what it has not read yet.
                linger(slot, records[slot].endReason, records[slot].endedFirst == 1 ? .backend : .client)
            } else {
                // close() sends the FIN.
                finish(slot, reset: false)
            }
            return false
        }
        guard sluice_shutdown_write(sink.pointee.descriptor) == 0 else {
            // It is not connected any more.
            records[slot].endedFirst = -1
            return sinkFailed(slot, direction)
        }
        records[slot].halfClosedAt = nowMilliseconds
        armTimer(slot)
        return true
    }

    private func finish(_ slot: Int, reset: Bool) {
        let record = records[slot]
        close(slot, record.endReason, record.endedFirst == 1 ? .backend : .client, reset: reset)
    }

    /// The source was reset, or its TLS broke: what it sent before has been passed on.
    private func sourceFailed(_ slot: Int, _ direction: Direction, _ reason: CloseReason) -> Bool {
        let opposite = flows[2 * slot + direction.opposite.rawValue]
        if opposite.flags.contains(.sinkFailed) {
            finish(slot, reset: true)
        } else {
            close(slot, reason, direction.side, reset: true)
        }
        return false
    }

    /// The sink takes no more (it was reset, or its TLS broke). Bytes it sent before may still wait to be read: they are
    /// relayed first.
    func sinkFailed(_ slot: Int, _ direction: Direction) -> Bool {
        let flow = flows + (2 * slot + direction.rawValue)
        let opposite = flows + (2 * slot + direction.opposite.rawValue)
        let sink = sides + (2 * slot + 1 - direction.rawValue)
        let record = records + slot
        if record.pointee.endedFirst < 0 {
            record.pointee.endedFirst = Int8(direction.opposite.rawValue)
            // The session may have been broken by what was read from it, before anything was written.
            let ofTLS = sink.pointee.flags.intersection([.tlsBroken, .tlsReset]) == .tlsBroken
            record.pointee.endReason =
                direction == .request
                ? ofTLS ? .backendTLSError : .backendReset : ofTLS ? .tlsError : .clientReset
        }
        let (flags, allowance) = (flow.pointee.flags.union([.ended, .shutDown, .sinkFailed]), flow.pointee.allowance)
        dropHeld(flow)
        (flow.pointee.flags, flow.pointee.allowance) = (flags, allowance)
        if opposite.pointee.flags.contains(.shutDown) {
            finish(slot, reset: true)
            return false
        }
        // A short read is not the last one: what comes behind it tells how it ended.
        sink.pointee.flags.insert([.readable, .hungUp])
        opposite.pointee.flags.insert(.ready)
        enqueue(slot, in: &ready)
        return true
    }
}
