import EngineCore
import EngineModel

@testable import Engine

// Circuit breakers and their queues, as `Worker+Circuit` and `Worker+Pending` go about them.

extension VirtualWorker {
    private static let eagerReturns = 4

    func meetCircuit(_ session: Session, _ backend: BackendRuntime) -> Outcome? {
        guard let circuit = backend.circuit, !backend.endpoints.isEmpty else { return nil }
        let isCounted = session.held.contains(.circuit)
        if !isCounted, let queue = circuit.queue, !queue.line.isEmpty { return wait(session, backend, circuit) }
        if backend.hasNoRoom(worker: index, now: milliseconds) { return wait(session, backend, circuit) }
        if isCounted { return nil }
        guard take(circuit, backend) else { return wait(session, backend, circuit) }
        session.held.insert(.circuit)
        return nil
    }

    private func take(_ circuit: BackendCircuit, _ backend: BackendRuntime) -> Bool {
        let isTaken = circuit.take()
        oracle.circuits.tookLevels(backend, isTaken)
        return isTaken
    }

    private func wait(_ session: Session, _ backend: BackendRuntime, _ circuit: BackendCircuit) -> Outcome {
        if session.attempts == 0 { leaveLevels(session, circuit, backend) }
        guard let queue = circuit.queue else {
            oracle.circuits.refused(session, backend)
            return .refuse(.circuitOpen)
        }
        return join(session, circuit, queue)
    }

    func meetFull(_ session: Session, _ backend: BackendRuntime) -> Outcome {
        guard let circuit = backend.circuit else { return .refuse(.circuitOpen) }
        return wait(session, backend, circuit)
    }

    private func join(_ session: Session, _ circuit: BackendCircuit, _ queue: BackendCircuit.Queue) -> Outcome {
        guard let backend = session.backend else { return .refuse(.internalError) }
        if let known = session.wait, known.until == 0 { return waitOn(session, known, queue) }
        let hasPlace = queue.length.waiting.take(atMost: queue.most)
        oracle.circuits.joins(session, backend, hasPlace)
        guard hasPlace else { return .refuse(.queueFull) }
        let (place, ahead) = queue.line.join(worker: index, slot: session.slot, levels: circuit.levels)
        let wait = PendingWait(queue, ticket: place.ticket, ahead: ahead, now: now, after: session.wait)
        session.wait = wait
        oracle.circuits.joined(session, queue.line, ahead: ahead)
        if let place = lines.firstIndex(where: { $0.line === queue.line }) {
            lines[place].connections += 1
        } else {
            lines.append(LocalLine(line: queue.line, connections: 1))
        }
        gateway.tell("worker \(index): #\(session.id) waits behind \(ahead)")
        _ = waitOn(session, wait, queue)
        if ahead == 0, wait.returns < VirtualWorker.eagerReturns || hasRoom(session, backend, circuit) {
            isWoken = true
        }
        return .wait
    }

    private func waitOn(_ session: Session, _ wait: PendingWait, _ queue: BackendCircuit.Queue) -> Outcome {
        session.stage = .pending
        session.stageDeadline = wait.deadline(queue.timeout)
        arm(session)
        return .wait
    }

    private func hasRoom(_ session: Session, _ backend: BackendRuntime, _ circuit: BackendCircuit) -> Bool {
        (session.held.contains(.circuit) || circuit.hasRoom) && !backend.hasNoRoom(worker: index, now: milliseconds)
    }

    func leaveQueue(_ session: Session, isServing: Bool = false) {
        guard let wait = session.wait, wait.until == 0 else { return }
        wait.until = now
        let next = wait.line.leave(wait.ticket)
        wait.length.waiting.giveBack()
        oracle.circuits.leaves(session, wait.line, isServing: isServing)
        if let place = lines.firstIndex(where: { $0.line === wait.line }) {
            lines[place].connections -= 1
            if lines[place].connections == 0 { lines.remove(at: place) }
        }
        if let next, !isServing || next.worker != index { gateway.wake(1 << UInt64(next.worker)) }
    }

    func serveLines() {
        for local in lines {
            for _ in 0..<local.line.count {
                guard let first = local.line.first, first.worker == index, goesOn(first.slot, local.line) else { break }
            }
        }
    }

    private func goesOn(_ slot: Int, _ line: PendingLine) -> Bool {
        guard let session = sessions[slot], session.stage == .pending, let backend = session.backend else {
            return false
        }
        if let circuit = backend.circuit, circuit.queue?.line === line {
            guard !backend.hasNoRoom(worker: index, now: milliseconds) else { return false }
            if !session.held.contains(.circuit) {
                guard circuit.hasRoom, take(circuit, backend) else { return false }
                session.held.insert(.circuit)
            }
        }
        guard let wait = session.wait else { return false }
        let waited = (now - wait.since) / 1_000_000
        session.totalDeadline += waited
        session.stageDeadline = 0
        session.stage = .choose
        advance(session)
        guard session.stage != .over, session.wait != nil else { return true }
        if session.stage == .pending {
            session.totalDeadline -= waited
            return false
        }
        leaveQueue(session, isServing: true)
        return true
    }

    // MARK: New tables

    func recheckPending() {
        guard !lines.isEmpty else { return }
        for session in open where session.stage == .pending { renew(session) }
        serveLines()
    }

    private func renew(_ session: Session) {
        guard session.attempts == 0, let known = session.backend, let wait = session.wait,
            let fresh = table.backends[known.configuration.id], fresh !== known
        else { return }
        let isSameLine = fresh.circuit?.queue?.line === wait.line
        if isSameLine { wait.line.add(fresh.circuit?.levels ?? []) } else { leaveQueue(session) }
        if session.held.contains(.circuit) { leaveCircuit(session) }
        session.backend = fresh
        session.tried = .init()
        guard !isSameLine else { return }
        session.stageDeadline = 0
        session.stage = .choose
        advance(session)
    }

    // MARK: Places

    private func takeRoom(_ session: Session, _ circuit: BackendCircuit, _ place: Int) -> Bool {
        let isTaken = circuit.rooms[place].take()
        if isTaken { session.room = circuit.rooms[place] }
        return isTaken
    }

    func takeRoom(_ session: Session, _ backend: BackendRuntime, _ endpoint: EndpointState) -> Bool {
        guard let circuit = backend.circuit, !circuit.rooms.isEmpty,
            let place = backend.endpoints.firstIndex(where: { $0 === endpoint })
        else { return true }
        let isTaken = takeRoom(session, circuit, place)
        oracle.circuits.tookRoom(session, backend, endpoint, isTaken)
        return isTaken
    }

    func leaveRoom(_ session: Session) {
        guard let room = session.room else { return }
        session.room = nil
        room.giveBack()
        oracle.circuits.leftRoom(session)
        guard let circuit = session.backend?.circuit else { return }
        gateway.wake(circuit.workersToWake())
    }

    func leaveCircuit(_ session: Session) {
        guard let backend = session.backend, let circuit = backend.circuit else { return }
        leaveLevels(session, circuit, backend)
    }

    private func leaveLevels(_ session: Session, _ circuit: BackendCircuit, _ backend: BackendRuntime) {
        guard session.held.contains(.circuit) else { return }
        session.held.remove(.circuit)
        circuit.giveBack()
        oracle.circuits.leftLevels(backend)
        gateway.wake(circuit.workersToWake())
    }
}
