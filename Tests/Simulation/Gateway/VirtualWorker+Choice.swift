import EngineCore
import EngineModel
import Platform
import Synchronization

@testable import Engine

// Which endpoint a connection goes to, as `Worker+Choose`, `Worker+Circuit` and `Worker+Connect` go about it.

extension VirtualWorker {
    func choose(_ session: Session) -> Outcome {
        guard let route = session.route else { return .refuse(.noRoute) }
        if session.backend == nil {
            guard let next = nextBackend(route) else { return .refuse(.invalidBackend) }
            session.backend = next
            session.totalDeadline = milliseconds + 3 * next.connectTimeout
        }
        guard let backend = session.backend else { return .refuse(.internalError) }
        if backend.circuit != nil, let outcome = meetCircuit(session, backend) { return outcome }
        if let endpoint = backend.only {
            session.tried.insert(0)
            return dial(session, backend, endpoint)
        }
        guard !backend.endpoints.isEmpty else { return .refuse(.noEndpoints) }
        guard let balancer = backend.balancer else { return chooseByWeight(session, backend) }
        let request = Balancer.Request(
            worker: index, now: milliseconds, client: session.address, tried: session.tried)
        let choice = balancer.choose(request, random: &random, isFull: { backend.isFull($0) })
        oracle.choices.judged(choice, session, backend, balancer.view(worker: index, now: milliseconds), now: now)
        switch choice {
        case .endpoint(let place):
            session.tried.insert(place)
            return dial(session, backend, backend.endpoints[place])
        case .awaited: return waitForEndpoint(session, backend)
        case .nobody: return .refuse(.noHealthyEndpoint)
        case .full: return meetFull(session, backend)
        }
    }

    private func chooseByWeight(_ session: Session, _ backend: BackendRuntime) -> Outcome {
        let picked = backend.picker.pick(
            random: random.next(), active: { backend.endpoints[$0].active.load(ordering: .relaxed) },
            excluding: session.tried)
        oracle.choices.judgedByWeight(picked, session, backend)
        guard let picked else { return .refuse(.noEndpoints) }
        session.tried.insert(picked)
        return dial(session, backend, backend.endpoints[picked])
    }

    private func nextBackend(_ route: RouteRuntime) -> BackendRuntime? {
        if let only = route.only { return only }
        guard let tiers = route.tiers else {
            let next = route.nextBackend()
            oracle.weights.chose(next, of: route)
            return next
        }
        return next(of: tiers, route, route.targets)
    }

    private func next(of tiers: RouteTiers, _ route: RouteRuntime, _ targets: [BackendRuntime?]) -> BackendRuntime? {
        let next = tiers.next(route.ticket, targets) { $0.prospect(worker: index, now: milliseconds) }
        oracle.choices.judgedTier(next, route, targets)
        return next
    }

    // MARK: Endpoints that nothing is known of

    private func waitForEndpoint(_ session: Session, _ backend: BackendRuntime) -> Outcome {
        session.stage = .resolve
        if session.stageDeadline <= milliseconds { session.stageDeadline = milliseconds + backend.connectTimeout }
        if !session.awaitsEndpoint {
            session.awaitsEndpoint = true
            waitingForEndpoints.append(session.id)
        }
        arm(session)
        return .wait
    }

    func recheckWaiting() {
        let waiting = waitingForEndpoints
        waitingForEndpoints = []
        for id in waiting {
            guard let session = session(id) else { continue }
            session.awaitsEndpoint = false
            guard session.stage == .resolve else { continue }
            renewBackend(session)
            session.stage = .choose
            advance(session)
        }
    }

    private func renewBackend(_ session: Session) {
        guard let old = session.backend, let route = session.route else { return }
        var fresh = table.backends[old.configuration.id]
        if let tiers = route.tiers {
            let targets = route.targets.map { target in target.map { table.backends[$0.configuration.id] ?? $0 } }
            fresh = next(of: tiers, route, targets)
        }
        guard let fresh else { return }
        if session.held.contains(.circuit) { leaveCircuit(session) }
        session.backend = fresh
        session.tried = .init()
    }

    // MARK: Connecting

    private func dial(_ session: Session, _ backend: BackendRuntime, _ endpoint: EndpointState) -> Outcome {
        releaseEndpoint(session)
        if backend.circuit != nil, !takeRoom(session, backend, endpoint) { return .again }
        session.endpoint = endpoint
        endpoint.active.add(1, ordering: .relaxed)
        oracle.dialled(session, endpoint)
        session.attempts = min(session.attempts, 254) + 1
        session.dialledAt = now
        session.stageDeadline = min(milliseconds + backend.connectTimeout, session.totalDeadline)
        gateway.tell("worker \(index): #\(session.id) dials \(endpoint.address)")
        session.stage = .connect
        arm(session)
        guard case .ip(let address) = endpoint.address else { return .refuse(.internalError) }
        switch gateway.faults[address] ?? .none(delay: 0) {
        case .none(let delay):
            gateway.send(
                .connected(session.id, attempt: session.attempts), to: index, after: 50_000 + delay * 1_000_000)
        case .resets: gateway.send(.connected(session.id, attempt: session.attempts), to: index, after: 50_000)
        case .refuses: gateway.send(.refused(session.id, attempt: session.attempts), to: index, after: 50_000)
        case .silent: break
        }
        return .wait
    }

    func attemptFailed(_ session: Session, _ reason: CloseReason) {
        guard let backend = session.backend else { return close(session, reason) }
        noteFailedAttempt(session, backend)
        let settings = backend.configuration.settings
        guard Int(session.attempts) <= settings.retries else { return close(session, reason) }
        let due = milliseconds + settings.retryPause(after: session.attempts, random: random.next())
        guard due < session.totalDeadline else { return close(session, reason) }
        releaseEndpoint(session)
        session.stage = .retry
        session.stageDeadline = due
        arm(session)
    }

    func releaseEndpoint(_ session: Session) {
        guard let endpoint = session.endpoint else { return }
        leaveRoom(session)
        endpoint.active.subtract(1, ordering: .relaxed)
        oracle.released(session, endpoint)
        session.endpoint = nil
    }

    // MARK: What connections say of endpoints

    private static let resetTime: Int64 = 1_000_000_000

    private func observed(_ session: Session, _ backend: BackendRuntime) -> EndpointHealth? {
        session.endpoint.flatMap { backend.observed[ObjectIdentifier($0)] }
    }

    private func noteFailedAttempt(_ session: Session, _ backend: BackendRuntime) {
        guard backend.isObserved, let health = observed(session, backend) else { return }
        noteFailure(health, backend)
    }

    private func noteFailure(_ health: EndpointHealth, _ backend: BackendRuntime) {
        oracle.standings.connectionFailed(health)
        guard let limit = backend.health?.failureLimit, health.noteFailure() >= limit,
            !health.standing.contains(.ejected)
        else { return }
        gateway.checker.suspect(health)
    }

    func noteResponse(_ session: Session) {
        guard let backend = session.backend, backend.isObserved, let health = observed(session, backend) else { return }
        oracle.standings.connectionServed(health)
        health.noteSuccess()
    }

    func noteEnd(_ session: Session, _ backend: BackendRuntime, _ reason: CloseReason) {
        guard session.stage == .relay, !session.hasAnswered, let health = observed(session, backend) else { return }
        if now - session.connectedAt >= VirtualWorker.resetTime {
            oracle.standings.connectionServed(health)
            health.noteSuccess()
        } else if reason == .backendReset {
            noteFailure(health, backend)
        }
    }
}
