import EngineCore
import EngineModel
import Platform
import Synchronization

@testable import Engine

// Sessions: their bytes under limits of bandwidth, their timeouts and their ends.

extension VirtualWorker {
    private static let mostAtOnce = 256 << 10

    func take(_ happening: Happening) {
        switch happening {
        case .arrives: return
        case .connected(let id, let attempt):
            guard let session = session(id), session.stage == .connect, session.attempts == attempt else { return }
            session.connectedAt = now
            beginRelay(session)
        case .refused(let id, let attempt):
            guard let session = session(id), session.stage == .connect, session.attempts == attempt else { return }
            attemptFailed(session, .connectRefused)
        case .answers(let id):
            guard let session = session(id), session.stage == .relay else { return }
            if !session.hasAnswered { noteResponse(session) }
            session.hasAnswered = true
            session.lastActivity = milliseconds
            session.bytesLeft = session.client.bytes
            session.isReady = session.bytesLeft > 0
        case .resets(let id):
            guard let session = session(id), session.stage == .relay else { return }
            close(session, .backendReset)
        case .leaves(let id):
            guard let session = session(id) else { return }
            close(session, .clientClosed)
        }
    }

    func beginRelay(_ session: Session) {
        session.stage = .relay
        session.lastActivity = milliseconds
        limitBandwidth(session)
        arm(session)
        gateway.tell("worker \(index): #\(session.id) is connected")
        guard case .ip(let address)? = session.endpoint?.address else { return }
        gateway.send(.leaves(session.id), to: index, after: session.client.lasts * 1_000_000)
        if gateway.faults[address] == .resets {
            gateway.send(.resets(session.id), to: index, after: 1_000_000)
        } else {
            gateway.send(.answers(session.id), to: index, after: session.client.answers * 1_000_000)
        }
    }

    // MARK: Bandwidth, of the response

    func limitBandwidth(_ session: Session) {
        guard let route = session.route else { return }
        let levels = (session.listener.state.bandwidth.levels + route.state.bandwidth.levels)
            .filter { $0.bucket(.response) != nil }
        if session.throttle.draws(from: levels) { return }
        pauses.reserve(flows: sessions.count)
        if session.throttle.pausedSince != 0 { stopPause(session) }
        session.throttle.giveBack()
        let new = levels.compactMap { level in
            level.bucket(.response).map { bucket in
                ThrottleLevel(
                    level, bucket, .response, client: session.address, after: session.throttle.level(level.id), now: now
                )
            }
        }
        session.throttle.end(now: now)
        session.throttle = Throttle(new, waited: session.throttle.waited)
        oracle.bandwidth.bound(session, levels, now: now)
        session.isReady = session.bytesLeft > 0
    }

    func round(_ session: Session) {
        session.isReady = false
        guard session.stage == .relay, session.throttle.pausedSince == 0 else { return }
        let isLimited = session.throttle.isLimited
        let allowance = isLimited ? session.throttle.take(upTo: VirtualWorker.mostAtOnce, now: now) : 64 << 10
        guard allowance > 0 else { return pause(session) }
        let moved = min(allowance, session.bytesLeft)
        session.bytesLeft -= moved
        session.lastActivity = milliseconds
        gateway.tell("worker \(index): #\(session.id) moves \(moved) bytes of \(allowance)")
        oracle.bandwidth.moved(session, moved, now: now)
        guard isLimited else {
            session.isReady = session.bytesLeft > 0
            return
        }
        session.throttle.spent(moved)
        if session.bytesLeft == 0 { session.throttle.giveBack() } else { pause(session) }
    }

    private func pause(_ session: Session) {
        let wait = session.throttle.wait(now: now)
        oracle.bandwidth.reserved(session, wait, now: now)
        guard wait > 0 else {
            session.isReady = true
            return
        }
        session.throttle.pausedSince = now
        oracle.bandwidth.pauses(session, wait, now: now)
        pauses.set(session.slot, due: now + wait)
    }

    func endPause(_ slot: Int) {
        guard let session = sessions[slot] else { return oracle.fail("timers", "a pause of a free slot has ended") }
        oracle.bandwidth.goesOn(session, now: now)
        _ = session.throttle.endWait(now: now)
        session.isReady = true
    }

    private func stopPause(_ session: Session) {
        pauses.cancel(session.slot)
        oracle.bandwidth.stopped(session)
        _ = session.throttle.endWait(now: now)
    }

    func endThrottle(_ session: Session) {
        if session.throttle.pausedSince != 0 { stopPause(session) }
        session.throttle.end(now: now)
        session.throttle = Throttle()
        oracle.bandwidth.ended(session)
    }

    // MARK: Time

    private func expiry(_ session: Session) -> (at: Int64, reason: CloseReason) {
        guard let route = session.route else { return (.max, .idleTimeout) }
        if session.throttle.pausedSince != 0 { session.lastActivity = milliseconds }
        var end = (at: Int64.max, reason: CloseReason.idleTimeout)
        if route.maxDuration > 0 {
            end = (session.acceptedAt / 1_000_000 + route.maxDuration(of: session.id), .maxDuration)
        }
        if route.idleTimeout > 0, session.lastActivity + route.idleTimeout < end.at {
            end = (session.lastActivity + route.idleTimeout, .idleTimeout)
        }
        return end
    }

    func relayDeadline(_ session: Session) -> Int64 { expiry(session).at }

    func expireRelay(_ session: Session) {
        let end = expiry(session)
        if end.at <= milliseconds { close(session, end.reason) } else { arm(session) }
    }

    // MARK: Drains

    /// As `Worker.overdue` and `Worker.sessionEnd` judge it.
    func endIfOverdue(_ session: Session) {
        guard session.stage != .over else { return }
        if session.listener.state.drain.isDue(session.id, now: milliseconds) { return close(session, .listenerRemoved) }
        if session.route?.state.drain.isDue(session.id, now: milliseconds) == true {
            return close(session, .routeDeleted)
        }
        guard session.stage == .relay else { return }
        if let closing = session.endpoint?.sessions.value, isDue(session, closing) {
            return close(session, closing.end.reason)
        }
        if let rule = session.route?.fallbackRule, let backend = session.backend,
            let closing = rule.closing(of: backend.configuration.id), isDue(session, closing)
        {
            close(session, closing.end.reason)
        }
    }

    private func isDue(_ session: Session, _ closing: SessionClosing) -> Bool {
        closing.concerns(dialledAt: session.dialledAt) && closing.isDue(session.id, now: milliseconds)
    }
}
