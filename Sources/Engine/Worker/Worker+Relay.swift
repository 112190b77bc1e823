internal import CLinux
internal import COpenSSL
internal import EngineModel
internal import Glibc

// Moving bytes. One round is one read (or splice) and the write of what it gave; a direction that may have more goes to
// the tail of the ready list, so that one fast stream cannot starve the others.

extension Worker {
    static let pipeHoldMilliseconds: Int64 = 1000
    private static let settleMilliseconds: Int64 = 15_000
    private static let chattyRead = 64 << 10
    private static let tightRead = 16 << 10
    /// A splice that moves less is no longer bulk.
    private static let leastSplice = 16 << 10

    func beginRelay(_ slot: Int) {
        let record = records + slot
        record.pointee.stage = .relay
        record.pointee.stageDeadline = 0
        let milliseconds = nowMilliseconds
        record.pointee.lastActivity = milliseconds
        record.pointee.keepaliveAt = milliseconds + Worker.settleMilliseconds
        flows[2 * slot].lastByteAt = milliseconds
        flows[2 * slot + 1].lastByteAt = milliseconds
        if let cells = record.pointee.routeCells { RouteField.setup.record(now - record.pointee.acceptedAt, in: cells) }
        if bandwidthChanges != 0 { limitBandwidth(slot) }
        if access != nil { logOpen(slot) }
        armTimer(slot)
        if sides[2 * slot].flags.contains(.readable) { guard relayRound(slot, .request) else { return } }
        if sides[2 * slot + 1].flags.contains(.readable) { _ = relayRound(slot, .response) }
    }

    /// An epoll event of an established connection: only the signalled direction is pumped, except that a TLS session
    /// may need to write in order to read and the other way round.
    @inline(__always)
    func relayEvent(_ slot: Int, _ index: Int, _ events: UInt32) {
        let side = sides + (2 * slot + index)
        let inbound: Direction = index == 0 ? .request : .response
        if side.pointee.tls != nil { side.pointee.flags.insert(.readable) }
        if side.pointee.flags.contains(.failed), !sideFailed(slot, inbound) { return }
        if side.pointee.flags.contains(.readable) {
            let flow = flows + (2 * slot + inbound.rawValue)
            if flow.pointee.bulk < 2 {
                guard relayRound(slot, inbound) else { return }
            } else if flow.pointee.flags.contains(.paced) {
                awaitLook(slot, flow)
            } else {
                awaitRound(slot, flow)
            }
        }
        guard events & epollOut != 0 else { return }
        let outbound = flows + (2 * slot + inbound.opposite.rawValue)
        guard outbound.pointee.holdsData || outbound.pointee.flags.contains(.shutdownPending) else { return }
        // A steady one must not wait for its next look: its sink may have run dry.
        if outbound.pointee.bulk >= 2, !outbound.pointee.flags.contains(.paced) {
            awaitRound(slot, outbound)
        } else {
            _ = relayRound(slot, inbound.opposite)
        }
    }

    /// Bulk takes its turn behind who says little. Not inlined, or those would pay for it by each event.
    @inline(never)
    private func awaitRound(_ slot: Int, _ flow: UnsafeMutablePointer<Flow>) {
        flow.pointee.flags.insert(.ready)
        enqueue(slot, in: &ready)
    }

    /// One round of one direction. False: the connection is gone.
    @inline(__always)
    func relayRound(_ slot: Int, _ direction: Direction) -> Bool {
        let flow = flows + (2 * slot + direction.rawValue)
        let source = sides + (2 * slot + direction.rawValue)
        let sink = sides + (2 * slot + 1 - direction.rawValue)
        if flow.pointee.holdsData {
            switch flush(slot, flow, sink) {
            case .blocked: return true
            case .failed: return sinkFailed(slot, direction)
            case .done: break
            }
        }
        if flow.pointee.flags.contains(.ended) { return passOnEnd(slot, direction) }
        guard source.pointee.flags.contains(.readable) else { return true }
        guard flow.pointee.allowance > 0 else { return limitedRound(slot, direction) }
        let isTight = shared.budget.isTight
        if flow.pointee.bulk >= 2, source.pointee.tls == nil, sink.pointee.tls == nil, !isTight,
            !flow.pointee.flags.contains(.noSplice), !source.pointee.flags.contains(.urgent)
        {
            let pipe = pipes.take(now: nowMilliseconds)
            if pipe >= 0 { return spliceRound(slot, direction, flow, source, sink, pipe) }
        }
        let size = isTight ? Worker.tightRead : flow.pointee.bulk >= 2 ? Worker.scratchSize : Worker.chattyRead
        return copyRound(slot, direction, flow, source, sink, min(size, flow.pointee.allowance))
    }

    // MARK: By copying

    @inline(__always)
    private func copyRound(
        _ slot: Int, _ direction: Direction, _ flow: UnsafeMutablePointer<Flow>, _ source: UnsafeMutablePointer<Side>,
        _ sink: UnsafeMutablePointer<Side>, _ size: Int
    ) -> Bool {
        let count: Int
        if source.pointee.tls == nil {
            let result = sluice_recv(source.pointee.descriptor, scratch, size, 0)
            if result <= 0 { return readEnded(slot, direction, result) }
            count = Int(result)
            // A short read empties the socket; a FIN that is known to be queued must still be read.
            if count < size, source.pointee.flags.isDisjoint(with: .moreAfterShortRead) {
                source.pointee.flags.remove(.readable)
            }
        } else {
            let result = readTLS(source, size)
            if result.count == 0 { return tlsReadEnded(slot, direction, result.ending) }
            count = result.count
            // An ending behind these bytes is met again by the next read.
            if result.ending == .wouldBlock { source.pointee.flags.remove(.readable) }
        }
        noteRead(slot, direction, flow, wasFull: count == size)
        noteBytes(slot, direction, flow, count)
        guard !flow.pointee.flags.contains(.sinkFailed) else { return again(slot, flow, source) }
        let written = write(sink, scratch, count)
        guard written >= 0 else { return sinkFailed(slot, direction) }
        if written < count {
            hold(flow, scratch + written, count - written)
            return true
        }
        return again(slot, flow, source)
    }

    @inline(__always)
    private func again(_ slot: Int, _ flow: UnsafeMutablePointer<Flow>, _ source: UnsafeMutablePointer<Side>) -> Bool {
        if source.pointee.flags.contains(.readable) { awaitRound(slot, flow) }
        return true
    }

    @inline(__always)
    private func noteBytes(_ slot: Int, _ direction: Direction, _ flow: UnsafeMutablePointer<Flow>, _ count: Int) {
        let record = records + slot
        flow.pointee.bytes &+= UInt64(count)
        if flow.pointee.allowance != .max { flow.pointee.allowance -= count }
        record.pointee.lastActivity = nowMilliseconds
        flow.pointee.lastByteAt = nowMilliseconds
        guard let cells = record.pointee.routeCells else { return }
        if direction == .request {
            if record.pointee.firstRequestByteAt == 0 { record.pointee.firstRequestByteAt = now }
            cells.add(RouteField.requestBytes, UInt64(count))
        } else {
            if record.pointee.firstResponseByteAt == 0 {
                record.pointee.firstResponseByteAt = now
                RouteField.firstByte.record(now - record.pointee.connectedAt, in: cells)
                noteResponse(slot)
            }
            cells.add(RouteField.responseBytes, UInt64(count))
        }
    }

    /// Bytes the sink took, which marks it unwritable when they are fewer; -1: it failed.
    @inline(__always)
    private func write(_ sink: UnsafeMutablePointer<Side>, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int {
        guard sink.pointee.tls == nil else { return writeTLS(sink, bytes, count) }
        let result = sluice_send(sink.pointee.descriptor, bytes, count, 0)
        if result >= 0 { return Int(result) }
        return result == wouldBlock ? 0 : -1
    }

    // MARK: What the sink did not take

    private enum FlushResult { case done, blocked, failed }

    private func hold(_ flow: UnsafeMutablePointer<Flow>, _ bytes: UnsafeMutableRawPointer, _ count: Int) {
        var offset = 0
        while offset < count {
            let block = blocks.take()
            let size = min(Block.capacity, count - offset)
            block.bytes.copyMemory(from: bytes + offset, byteCount: size)
            block.pointee.end = size
            if let tail = flow.pointee.heldTail { tail.pointee.next = block } else { flow.pointee.held = block }
            flow.pointee.heldTail = block
            offset += size
        }
    }

    private func flush(
        _ slot: Int, _ flow: UnsafeMutablePointer<Flow>, _ sink: UnsafeMutablePointer<Side>
    ) -> FlushResult {
        if flow.pointee.pipe >= 0 {
            let pipe = pipes[flow.pointee.pipe]
            while flow.pointee.pipeBytes > 0 {
                let moved = sluice_splice(pipe.read, sink.pointee.descriptor, flow.pointee.pipeBytes)
                guard moved > 0 else { return moved == wouldBlock ? .blocked : .failed }
                flow.pointee.pipeBytes -= Int(moved)
                shared.budget.giveBack(Int(moved))
                noteFlushed(slot, flow)
            }
            pipes.giveBack(flow.pointee.pipe)
            flow.pointee.pipe = -1
            flow.pointee.heldSince = 0
        }
        while let block = flow.pointee.held {
            let written = write(sink, block.bytes + block.pointee.start, block.count)
            guard written >= 0 else { return .failed }
            block.pointee.start += written
            if written > 0 { noteFlushed(slot, flow) }
            guard block.count == 0 else { return .blocked }
            flow.pointee.held = block.pointee.next
            if flow.pointee.held == nil { flow.pointee.heldTail = nil }
            blocks.giveBack(block)
        }
        return .done
    }

    /// A slow reader is not idle, nor is whoever it keeps from sending.
    private func noteFlushed(_ slot: Int, _ flow: UnsafeMutablePointer<Flow>) {
        records[slot].lastActivity = nowMilliseconds
        flow.pointee.lastByteAt = nowMilliseconds
    }

    /// A pipe that a blocked direction held for too long is needed elsewhere: its bytes move into buffers.
    func emptyPipe(_ flow: UnsafeMutablePointer<Flow>) {
        guard flow.pointee.pipe >= 0 else { return }
        let pipe = pipes[flow.pointee.pipe]
        while flow.pointee.pipeBytes > 0 {
            let count = sluice_read(pipe.read, scratch, min(Worker.scratchSize, flow.pointee.pipeBytes))
            guard count > 0 else {
                // What is left still belongs to this direction: tried again.
                flow.pointee.heldSince = nowMilliseconds
                return
            }
            hold(flow, scratch, Int(count))
            flow.pointee.pipeBytes -= Int(count)
            shared.budget.giveBack(Int(count))
        }
        pipes.giveBack(flow.pointee.pipe)
        flow.pointee.pipe = -1
        flow.pointee.heldSince = 0
    }

    /// Gives back what a direction holds, and makes it one that has only just begun; but what came through stays known.
    @inline(__always)
    func dropHeld(_ flow: UnsafeMutablePointer<Flow>) {
        if flow.pointee.holdsData { giveBackHeld(flow) }
        let bytes = flow.pointee.bytes
        flow.initialize(to: Flow())
        flow.pointee.bytes = bytes
    }

    private func giveBackHeld(_ flow: UnsafeMutablePointer<Flow>) {
        if flow.pointee.pipe >= 0 {
            shared.budget.giveBack(flow.pointee.pipeBytes)
            drain(flow.pointee.pipe, flow.pointee.pipeBytes)
        }
        while let block = flow.pointee.held {
            flow.pointee.held = block.pointee.next
            blocks.giveBack(block)
        }
    }

    /// Throws away what a pipe holds and gives it back.
    private func drain(_ index: Int32, _ bytes: Int) {
        var left = bytes
        while left > 0 {
            let count = sluice_read(pipes[index].read, scratch, min(Worker.scratchSize, left))
            guard count > 0 else { return pipes.throwAway(index) }
            left -= Int(count)
        }
        pipes.giveBack(index)
    }

    // MARK: By splice

    private func spliceRound(
        _ slot: Int, _ direction: Direction, _ flow: UnsafeMutablePointer<Flow>, _ source: UnsafeMutablePointer<Side>,
        _ sink: UnsafeMutablePointer<Side>, _ index: Int32
    ) -> Bool {
        let pipe = pipes[index]
        let result = sluice_splice(
            source.pointee.descriptor, pipe.write, min(pipe.capacity, flow.pointee.allowance))
        guard result > 0 else {
            pipes.giveBack(index)
            if result == -Int64(EINVAL) || result == -Int64(ENOSYS) {
                flow.pointee.flags.insert(.noSplice)
                return again(slot, flow, source)
            }
            return readEnded(slot, direction, result)
        }
        let count = Int(result)
        noteBytes(slot, direction, flow, count)
        noteSplice(slot, direction, flow, count >= Worker.leastSplice)
        if flow.pointee.flags.contains(.sinkFailed) {
            drain(index, count)
            return again(slot, flow, source)
        }
        var left = count
        while left > 0 {
            let moved = sluice_splice(pipe.read, sink.pointee.descriptor, left)
            if moved > 0 {
                left -= Int(moved)
                continue
            }
            flow.pointee.pipe = index
            flow.pointee.pipeBytes = left
            shared.budget.take(left)
            guard moved == wouldBlock else { return sinkFailed(slot, direction) }
            flow.pointee.heldSince = nowMilliseconds
            armTimer(slot)
            return true
        }
        pipes.giveBack(index)
        guard flow.pointee.flags.contains(.paced), count < pipe.capacity / 4 else { return again(slot, flow, source) }
        if source.pointee.flags.contains(.readable) { awaitLook(slot, flow) }
        return true
    }
}
