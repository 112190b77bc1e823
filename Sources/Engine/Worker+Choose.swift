internal import CLinux
internal import EngineCore
internal import EngineModel
internal import Synchronization

// Which endpoint a connection goes to, and what becomes of one for which there is none yet.

extension Worker {
    func choose(_ slot: Int) -> StageOutcome {
        let record = records + slot
        guard let route = record.pointee.route else { return .refuse(.noRoute, .proxy) }
        if record.pointee.backend == nil {
            guard let backend = route._withUnsafeGuaranteedRef({ $0.nextBackend() }) else {
                return .refuse(.invalidBackend, .proxy)
            }
            record.pointee.backend = .passRetained(backend)
            backend.cells[handle.index].add(BackendField.active)
            record.pointee.totalDeadline = nowMilliseconds + 3 * backend.connectTimeout
        }
        guard let backend = record.pointee.backend?.takeUnretainedValue() else {
            return .refuse(.internalError, .proxy)
        }
        if let endpoint = backend.only {
            record.pointee.tried.insert(0)
            return dial(slot, backend, endpoint)
        }
        guard !backend.endpoints.isEmpty else {
            if backend.resolved.isPending { return waitForEndpoint(slot, backend) }
            return .refuse(countUnresolved(backend), .proxy)
        }
        let picked = backend.picker.pick(
            random: random.next(), active: { backend.endpoints[$0].active.load(ordering: .relaxed) },
            excluding: record.pointee.tried)
        guard let picked else {
            backend.cells[handle.index].add(BackendField.rejected(.noEndpoints))
            return .refuse(.noEndpoints, .proxy)
        }
        record.pointee.tried.insert(picked)
        return dial(slot, backend, backend.endpoints[picked])
    }

    /// A backend without an address: because its names have none, or because it has no endpoint at all.
    func countUnresolved(_ backend: BackendRuntime) -> CloseReason {
        let reason: CloseReason = backend.resolved.hasFailed || backend.resolved.isPending ? .dnsError : .noEndpoints
        let cells = backend.cells[handle.index]
        cells.add(BackendField.rejected(reason))
        if reason == .dnsError { cells.add(BackendField.connects(.dnsError)) }
        return reason
    }

    /// No answer yet for the backend's name, which the next table brings, or no check of its endpoints has ended.
    private func waitForEndpoint(_ slot: Int, _ backend: BackendRuntime) -> StageOutcome {
        let record = records + slot
        record.pointee.stage = .resolve
        if record.pointee.stageDeadline == 0 { record.pointee.stageDeadline = nowMilliseconds + backend.connectTimeout }
        if !record.pointee.awaitsEndpoint {
            record.pointee.awaitsEndpoint = true
            waitingForEndpoints.append(Int32(slot))
        }
        armTimer(slot)
        return .wait
    }

    /// After a new table, or the first results of checks: those that wait look again.
    func recheckWaiting() {
        guard !waitingForEndpoints.isEmpty else { return }
        let waiting = waitingForEndpoints
        waitingForEndpoints.removeAll(keepingCapacity: true)
        for index in waiting {
            let slot = Int(index)
            let record = records + slot
            record.pointee.awaitsEndpoint = false
            guard record.pointee.stage == .resolve, let old = record.pointee.backend else { continue }
            let id = old._withUnsafeGuaranteedRef { $0.configuration.id }
            if let fresh = tables.value.backends[id] {
                record.pointee.backend = .passRetained(fresh)
                old.release()
            }
            record.pointee.stage = .choose
            advance(slot)
        }
    }
}
