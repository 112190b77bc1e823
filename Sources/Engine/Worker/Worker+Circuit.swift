internal import EngineCore
internal import EngineModel
internal import Synchronization

// Circuit breakers: how many connections may go through a target, and to each endpoint. A connection is counted at all levels from
// before its first endpoint is chosen, and at its endpoint from before it is dialled; an attempt that has failed counts no more.

extension Worker {
    /// What a backend with circuit breakers says to a connection that is about to be given an endpoint; nil: it may go on, and at
    /// least one endpoint is not full, unless none can be used.
    func meetCircuit(_ slot: Int, _ backend: BackendRuntime) -> StageOutcome? {
        guard let circuit = backend.circuit, !backend.endpoints.isEmpty else { return nil }
        let isCounted = records[slot].held.contains(.circuit)
        if !isCounted, let queue = circuit.queue, !queue.line.isEmpty { return wait(slot, backend, circuit) }
        if backend.hasNoRoom(worker: handle.index, now: nowMilliseconds) { return wait(slot, backend, circuit) }
        if isCounted { return nil }
        guard circuit.take() else { return wait(slot, backend, circuit) }
        records[slot].held.insert(.circuit)
        return nil
    }

    /// A limit is met.
    private func wait(_ slot: Int, _ backend: BackendRuntime, _ circuit: BackendCircuit) -> StageOutcome {
        // One that cannot be given an endpoint keeps nobody from another backend, unless it was given one before.
        if records[slot].attempts == 0 { leaveLevels(slot, circuit) }
        guard let queue = circuit.queue else { return refuse(backend, .circuitOpen) }
        return joinQueue(slot, backend, circuit, queue)
    }

    /// All endpoints that may be used became full while one was chosen.
    func meetFull(_ slot: Int, _ backend: BackendRuntime) -> StageOutcome {
        guard let circuit = backend.circuit else { return refuse(backend, .circuitOpen) }
        return wait(slot, backend, circuit)
    }

    /// The same backend by a newer table. What the connection was counted at by the old one is given back.
    func exchangeBackend(_ slot: Int, _ fresh: BackendRuntime) {
        guard let old = records[slot].backend else { return }
        if records[slot].held.contains(.circuit) { leaveCircuit(slot) }
        records[slot].backend = .passRetained(fresh)
        records[slot].tried = TriedEndpoints()
        old.release()
    }

    func refuse(_ backend: BackendRuntime, _ reason: CloseReason) -> StageOutcome {
        backend.cells[handle.index].add(BackendField.rejected(reason))
        return .refuse(reason, .proxy)
    }

    /// Counts the connection at the endpoint that it is about to dial. False: others came first, another one has to be chosen.
    func takeRoom(_ slot: Int, _ backend: BackendRuntime, _ endpoint: EndpointState) -> Bool {
        guard let circuit = backend.circuit, !circuit.rooms.isEmpty,
            let index = backend.endpoints.firstIndex(where: { $0 === endpoint })
        else { return true }
        let room = circuit.rooms[index]
        guard room.take() else { return false }
        records[slot].room = .passRetained(room)
        return true
    }

    /// Its attempt has ended, or its session.
    func leaveRoom(_ slot: Int) {
        guard let held = records[slot].room else { return }
        records[slot].room = nil
        held.takeRetainedValue().giveBack()
        guard let circuit = records[slot].backend?.takeUnretainedValue().circuit else { return }
        wake(circuit.workersToWake())
    }

    /// At the end of a connection: what it was counted at.
    func leaveCircuit(_ slot: Int) {
        guard let backend = records[slot].backend?.takeUnretainedValue(), let circuit = backend.circuit else { return }
        leaveLevels(slot, circuit)
    }

    private func leaveLevels(_ slot: Int, _ circuit: BackendCircuit) {
        guard records[slot].held.contains(.circuit) else { return }
        records[slot].held.remove(.circuit)
        circuit.giveBack()
        wake(circuit.workersToWake())
    }
}
