internal import CLinux
internal import COpenSSL
internal import EngineModel
internal import Glibc
internal import Platform
internal import Synchronization

// Connections that wait for room at a backend. They hold neither place nor endpoint meanwhile.

/// What a connection that waits, or has waited, knows of it.
final class PendingWait {
    let line: PendingLine
    let length: PendingLength
    let ticket: UInt64
    /// When this wait began, in nanoseconds.
    let since: Int64
    /// When it ended; 0: it still waits.
    var until: Int64 = 0
    /// How often it waited before, and for how many nanoseconds in all. What it did between does not count.
    let returns: Int
    private let before: Int64
    /// How many stood before it when it came.
    let ahead: Int

    init(_ queue: BackendCircuit.Queue, ticket: UInt64, ahead: Int, now: Int64, after last: PendingWait?) {
        self.ahead = last?.ahead ?? ahead
        (line, length) = (queue.line, queue.length)
        (self.ticket, since) = (ticket, now)
        (returns, before) = last.map { ($0.returns + 1, $0.total(now: now)) } ?? (0, 0)
    }

    /// Nanoseconds of all its waits.
    func total(now: Int64) -> Int64 { before + (until == 0 ? now : until) - since }

    /// When it has waited for `timeout` milliseconds in all, in milliseconds.
    func deadline(_ timeout: Int64) -> Int64 { (since - before) / 1_000_000 + timeout }
}

/// A line with connections of this worker.
struct LocalLine {
    let line: PendingLine
    var connections: Int
}

extension Worker {
    /// So often one that comes back looks for room at once; then only where there is some, else it waits until something ends.
    private static let eagerReturns = 4

    func joinQueue(
        _ slot: Int, _ backend: BackendRuntime, _ circuit: BackendCircuit, _ queue: BackendCircuit.Queue
    ) -> StageOutcome {
        if sides[2 * slot].flags.contains(.hungUp), hasLeft(slot) {
            close(slot, .clientClosed, .client, reset: false)
            return .gone
        }
        let record = records + slot
        let known = record.pointee.wait?.takeUnretainedValue()
        // Whoever shares a limit, and waits in no line or another, was quicker: it has its place still, and is woken there.
        if let known, known.until == 0 { return waitOn(slot, known, queue) }
        guard queue.length.waiting.take(atMost: queue.most) else { return refuse(backend, .queueFull) }
        let (place, ahead) = queue.line.join(worker: handle.index, slot: slot, levels: circuit.levels)
        // Whoever comes back, as its attempt failed, has waited already.
        let wait = PendingWait(queue, ticket: place.ticket, ahead: ahead, now: now, after: known)
        record.pointee.wait?.release()
        record.pointee.wait = .passRetained(wait)
        if let index = lines.firstIndex(where: { $0.line === queue.line }) {
            lines[index].connections += 1
        } else {
            lines.append(LocalLine(line: queue.line, connections: 1))
        }
        backend.cells[handle.index].add(BackendField.pending)
        _ = waitOn(slot, wait, queue)
        // What ended before it stood there woke nobody.
        if ahead == 0, wait.returns < Worker.eagerReturns || hasRoom(slot, backend, circuit) { handle.wake.signal() }
        return .wait
    }

    private func waitOn(_ slot: Int, _ wait: PendingWait, _ queue: BackendCircuit.Queue) -> StageOutcome {
        records[slot].stage = .pending
        records[slot].stageDeadline = wait.deadline(queue.timeout)
        armTimer(slot)
        return .wait
    }

    private func hasRoom(_ slot: Int, _ backend: BackendRuntime, _ circuit: BackendCircuit) -> Bool {
        (records[slot].held.contains(.circuit) || circuit.hasRoom)
            && !backend.hasNoRoom(worker: handle.index, now: nowMilliseconds)
    }

    /// It waits no longer, for whatever reason.
    func leaveQueue(_ slot: Int, isServing: Bool = false) {
        let record = records + slot
        guard let wait = record.pointee.wait?.takeUnretainedValue(), wait.until == 0 else { return }
        wait.until = now
        let next = wait.line.leave(wait.ticket)
        wait.length.waiting.giveBack()
        if let index = lines.firstIndex(where: { $0.line === wait.line }) {
            lines[index].connections -= 1
            if lines[index].connections == 0 { lines.remove(at: index) }
        }
        if let backend = record.pointee.backend?.takeUnretainedValue() {
            let cells = backend.cells[handle.index]
            cells.subtract(BackendField.pending)
            BackendField.queueDuration.record(now - wait.since, in: cells)
        }
        if let next, !isServing || next.worker != handle.index { wake(1 << UInt64(next.worker)) }
    }

    /// The connection is over.
    func endWait(_ slot: Int) {
        leaveQueue(slot)
        records[slot].wait?.release()
        records[slot].wait = nil
    }

    /// Something has ended, or something has changed: those that are first in their line may go on.
    func serveLines() {
        for local in lines { serve(local.line) }
    }

    private func serve(_ line: PendingLine) {
        // Each at most once: who comes back, as its attempt failed, looks again in another turn.
        for _ in 0..<line.count {
            guard let first = line.first, first.worker == handle.index, goesOn(first.slot, line) else { return }
        }
    }

    /// Whether the first of a line leaves it.
    private func goesOn(_ slot: Int, _ line: PendingLine) -> Bool {
        let record = records + slot
        guard record.pointee.stage == .pending, let backend = record.pointee.backend?.takeUnretainedValue() else {
            return false
        }
        if let circuit = backend.circuit, circuit.queue?.line === line {
            guard !backend.hasNoRoom(worker: handle.index, now: nowMilliseconds) else { return false }
            if !record.pointee.held.contains(.circuit) {
                guard circuit.hasRoom, circuit.take() else { return false }
                record.pointee.held.insert(.circuit)
            }
        }
        // It keeps its place until it has an endpoint: neither those behind it nor those who come now are quicker.
        guard let wait = record.pointee.wait?.takeUnretainedValue() else { return false }
        let (life, waited) = (record.pointee.life, (now - wait.since) / 1_000_000)
        record.pointee.totalDeadline += waited
        record.pointee.stageDeadline = 0
        record.pointee.stage = .choose
        advance(slot)
        guard record.pointee.life == life, record.pointee.wait != nil else { return true }
        if record.pointee.stage == .pending {
            record.pointee.totalDeadline -= waited
            return false
        }
        leaveQueue(slot, isServing: true)
        return true
    }

    /// After a new table: who waits does so by its values, and sees its endpoints. Those in a line that is no more look for room
    /// as if they had just come, but have waited already.
    func recheckPending() {
        guard !lines.isEmpty else { return }
        for slot in 0..<highestSlot where records[slot].stage == .pending { renew(slot) }
        serveLines()
    }

    private func renew(_ slot: Int) {
        let record = records + slot
        guard record.pointee.attempts == 0, let old = record.pointee.backend,
            let wait = record.pointee.wait?.takeUnretainedValue()
        else { return }
        let known = old.takeUnretainedValue()
        guard let fresh = tables.value.backends[known.configuration.id], fresh !== known else { return }
        let isSameLine = fresh.circuit?.queue?.line === wait.line
        if isSameLine { wait.line.add(fresh.circuit?.levels ?? []) } else { leaveQueue(slot) }
        exchangeBackend(slot, fresh)
        guard !isSameLine else { return }
        record.pointee.stageDeadline = 0
        record.pointee.stage = .choose
        advance(slot)
    }

    // MARK: Clients that leave

    /// The client of a waiting connection has ended its stream, or more.
    func clientHungUp(_ slot: Int) {
        guard sides[2 * slot].flags.contains(.hungUp), hasLeft(slot) else { return }
        close(slot, .clientClosed, .client, reset: false)
    }

    /// Whether nothing is left that could be asked of a backend for a client that has ended its stream: it has sent nothing, or
    /// only a hello, whose handshake it could not finish.
    private func hasLeft(_ slot: Int) -> Bool {
        if records[slot].tlsMode == .passthrough { return true }
        var byte: UInt8 = 0
        guard let ssl = sides[2 * slot].tls else {
            let count = sluice_recv(sides[2 * slot].descriptor, &byte, 1, messagePeek)
            return count <= 0 && count != wouldBlock
        }
        ERR_clear_error()
        let count = SSL_peek(ssl, &byte, 1)
        guard count <= 0 else { return false }
        let error = SSL_get_error(ssl, count)
        return error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE
    }
}
