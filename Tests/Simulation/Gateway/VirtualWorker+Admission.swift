import EngineModel

@testable import Engine

// From an arrival to a backend, as `Worker+Admission` and `Worker+Choose` go about it.

extension VirtualWorker {
    func accept(_ number: Int, _ client: Client) {
        guard let listener = table.listeners[number] else { return }
        let session = newSession(client, listener)
        gateway.tell("worker \(index): #\(session.id) arrives at \(listener.state.id.listener) from \(session.address)")
        guard passes(session, listener.limits, .listener) else { return }
        guard let route = listener.fallback else { return close(session, .noRoute) }
        session.route = route
        guard passes(session, route.limits, .route) else { return }
        advance(session)
    }

    /// False: it was turned away.
    private func passes(_ session: Session, _ limits: LimitSet?, _ part: HeldLimits) -> Bool {
        guard let limits else { return true }
        if limits.hasRates {
            for level in limits.levels {
                let refusal = level.takeRates(session.address, now: now)
                oracle.rates.judged(level.configuration, session.address, refusal, now: now)
                guard let refusal else { continue }
                close(session, refusal.reason)
                return false
            }
        }
        for (place, level) in limits.levels.enumerated() {
            let refusal = level.enter(session.address, isReserved: false)
            oracle.limits.entered(level.configuration, session, refusal)
            guard let refusal else { continue }
            for entered in limits.levels[..<place] {
                gateway.wake(entered.leave(session.address, isReserved: false))
                oracle.limits.left(entered.configuration, session)
            }
            close(session, refusal.reason)
            return false
        }
        session.held.insert(part)
        return true
    }

    func giveBackLimits(_ session: Session) {
        if session.held.contains(.circuit) { leaveCircuit(session) }
        for (part, limits) in [(HeldLimits.listener, session.listener.limits), (.route, session.route?.limits)]
        where session.held.contains(part) {
            for level in limits?.levels ?? [] {
                gateway.wake(level.leave(session.address, isReserved: false))
                oracle.limits.left(level.configuration, session)
            }
        }
        session.held = []
    }

    // MARK: Stages

    enum Outcome {
        case wait, gone, again, relay
        case refuse(CloseReason)
    }

    func advance(_ session: Session) {
        var rounds = 0
        while session.stage == .choose, !oracle.hasFailed {
            rounds += 1
            if rounds > 100 { return oracle.fail("spin", "#\(session.id) chooses for ever") }
            follow(session, choose(session))
        }
    }

    func follow(_ session: Session, _ outcome: Outcome) {
        switch outcome {
        case .wait, .gone, .again: return
        case .relay: beginRelay(session)
        case .refuse(let reason): close(session, reason)
        }
    }

    /// Once, however it ends.
    func close(_ session: Session, _ reason: CloseReason) {
        guard session.stage != .over else { return oracle.fail("close", "#\(session.id) is closed twice") }
        gateway.tell("worker \(index): #\(session.id) ends: \(reason.rawValue)")
        oracle.closed(session, reason, now: now)
        if session.stage == .pending { leaveQueue(session) }
        if let backend = session.backend, backend.isObserved { noteEnd(session, backend, reason) }
        giveBackLimits(session)
        endThrottle(session)
        releaseEndpoint(session)
        leaveQueue(session)
        session.wait = nil
        session.stage = .over
        free(session)
    }
}
