internal import EngineCore
internal import EngineModel
internal import Primitives
internal import Synchronization

// Which endpoint a connection goes to, and what becomes of one for which there is none yet.

extension Worker {
    func choose(_ slot: Int) -> StageOutcome {
        let record = records + slot
        guard let route = record.pointee.route else { return .refuse(.noRoute, .proxy) }
        if record.pointee.backend == nil {
            let next = route._withUnsafeGuaranteedRef {
                $0.only ?? ($0.tiers == nil ? $0.nextBackend() : nextOfTiers($0))
            }
            guard let next else { return .refuse(.invalidBackend, .proxy) }
            setBackend(slot, next)
        }
        guard let backend = record.pointee.backend?.takeUnretainedValue() else {
            return .refuse(.internalError, .proxy)
        }
        if backend.circuit != nil, let outcome = meetCircuit(slot, backend) { return outcome }
        if let endpoint = backend.only {
            record.pointee.tried.insert(0)
            return dial(slot, backend, endpoint)
        }
        guard !backend.endpoints.isEmpty else {
            if backend.resolved.isPending { return waitForEndpoint(slot, backend) }
            return .refuse(countUnserved(backend), .proxy)
        }
        if let balancer = backend.balancer { return choose(slot, backend, balancer) }
        let picked = backend.picker.pick(
            random: random.next(), active: { backend.endpoints[$0].active.load(ordering: .relaxed) },
            excluding: record.pointee.tried)
        guard let picked else { return .refuse(countUnserved(backend), .proxy) }
        record.pointee.tried.insert(picked)
        return dial(slot, backend, backend.endpoints[picked])
    }

    private func choose(_ slot: Int, _ backend: BackendRuntime, _ balancer: Balancer) -> StageOutcome {
        let record = records + slot
        let request = Balancer.Request(
            worker: handle.index, now: nowMilliseconds, client: record.pointee.client.ip, tried: record.pointee.tried)
        switch balancer.choose(request, random: &random, isFull: { backend.isFull($0) }) {
        case .endpoint(let index):
            record.pointee.tried.insert(index)
            return dial(slot, backend, backend.endpoints[index])
        case .awaited: return waitForEndpoint(slot, backend)
        case .nobody: return .refuse(countUnserved(backend), .proxy)
        case .full: return meetFull(slot, backend)
        }
    }

    private func setBackend(_ slot: Int, _ backend: BackendRuntime) {
        records[slot].backend = .passRetained(backend)
        backend.cells[handle.index].add(BackendField.active)
        records[slot].totalDeadline = nowMilliseconds + 3 * backend.connectTimeout
    }

    private func nextOfTiers(_ route: RouteRuntime) -> BackendRuntime? {
        route.tiers?.next(route.ticket, route.targets) { $0.prospect(worker: handle.index, now: nowMilliseconds) }
    }

    /// Nobody serves the connection: its backend has no address because names have none, or no endpoint at all, or none that
    /// can be used.
    func countUnserved(_ backend: BackendRuntime) -> CloseReason {
        let reason: CloseReason =
            if !backend.endpoints.isEmpty {
                backend.health != nil && !backend.picker.isEmpty ? .noHealthyEndpoint : .noEndpoints
            } else if backend.resolved.hasFailed || backend.resolved.isPending {
                .dnsError
            } else {
                .noEndpoints
            }
        let cells = backend.cells[handle.index]
        cells.add(BackendField.rejected(reason))
        if reason == .dnsError { cells.add(BackendField.connects(.dnsError)) }
        return reason
    }

    /// No answer yet for the backend's name, which the next table brings, or no check of its endpoints has ended.
    private func waitForEndpoint(_ slot: Int, _ backend: BackendRuntime) -> StageOutcome {
        let record = records + slot
        record.pointee.stage = .resolve
        if record.pointee.stageDeadline <= nowMilliseconds {
            record.pointee.stageDeadline = nowMilliseconds + backend.connectTimeout
        }
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
            guard record.pointee.stage == .resolve else { continue }
            renewBackend(slot)
            record.pointee.stage = .choose
            advance(slot)
        }
    }

    /// Gives a connection its backend as the newest table has it; one whose rule has fallbacks may get another one.
    private func renewBackend(_ slot: Int) {
        guard let old = records[slot].backend, let route = records[slot].route else { return }
        let backends = tables.value.backends
        let fresh: BackendRuntime? = route._withUnsafeGuaranteedRef { route in
            guard let tiers = route.tiers else { return backends[old._withUnsafeGuaranteedRef { $0.configuration.id }] }
            let targets = route.targets.map { target in target.map { backends[$0.configuration.id] ?? $0 } }
            return tiers.next(route.ticket, targets) { $0.prospect(worker: handle.index, now: nowMilliseconds) }
        }
        guard let fresh else { return }
        if records[slot].held.contains(.circuit) { leaveCircuit(slot) }
        old._withUnsafeGuaranteedRef { $0.cells[handle.index].subtract(BackendField.active) }
        fresh.cells[handle.index].add(BackendField.active)
        records[slot].backend = .passRetained(fresh)
        records[slot].tried = .init()
        old.release()
    }
}
