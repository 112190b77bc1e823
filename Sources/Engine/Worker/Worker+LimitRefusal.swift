internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

// How limits turn a connection away: told in the log, at once or after a delay.

extension Worker {
    /// Not allowed by a rule; empty: by default.
    func turnAway(_ slot: Int, _ level: LimitLevel, rule: String) {
        log(
            .info, "connection refused", slot: slot, reason: .authorizationDenied, detail: nil, policy: level.id.policy,
            rule: rule)
        endUnserved(slot, .authorizationDenied, .proxy)
    }

    func turnAway(_ slot: Int, _ level: LimitLevel, _ refusal: LimitRefusal) {
        let reason = refusal.reason
        log(.info, "connection refused", slot: slot, reason: reason, detail: nil, policy: level.id.policy)
        guard refusal.isDelayed, level.closeDelay > 0 else { return endUnserved(slot, reason, .proxy) }
        delay(slot, reason, level.closeDelay)
    }

    /// The connection counts as ended, but is told so later: who comes back at once comes back less often. It holds nothing but
    /// its socket, and only so many do.
    private func delay(_ slot: Int, _ reason: CloseReason, _ milliseconds: Int64) {
        guard shared.delayed.add(1, ordering: .relaxed).newValue <= shared.delayedLimit else {
            shared.delayed.subtract(1, ordering: .relaxed)
            return endUnserved(slot, reason, .proxy)
        }
        leaveStage(slot)
        countClose(slot, reason, .proxy)
        records[slot].endReason = reason
        records[slot].stage = .delay
        records[slot].stageDeadline = nowMilliseconds + milliseconds
        armTimer(slot)
    }

    /// A direction waits for its share of a bandwidth: told once in a connection's life.
    func noteThrottled(_ slot: Int) {
        let record = records + slot
        record.pointee.held.insert(.throttled)
        noteThrottled(record.pointee.listener?.takeUnretainedValue().limits)
        noteThrottled(record.pointee.route?.takeUnretainedValue().limits)
    }

    private func noteThrottled(_ limits: LimitSet?) {
        guard let limits else { return }
        for index in limits.levels.indices where limits.levels[index].configuration.bandwidth != nil {
            return limits.levels[index].hits.add(.bandwidth)
        }
    }

    /// Its time is over, or the client has left.
    func endDelay(_ slot: Int) {
        shared.delayed.subtract(1, ordering: .relaxed)
        guard records[slot].inspectedAt != 0, takeLingering() else { return release(slot, reset: true) }
        sendAlert(slot, records[slot].endReason)
        awaitClientsEnd(slot)
    }

    /// Without telling the client.
    func dropDelayed(_ slot: Int) {
        shared.delayed.subtract(1, ordering: .relaxed)
        release(slot, reset: true)
    }

    func logAudit(_ slot: Int, _ level: LimitLevel, rule: String) {
        let key = "\(level.id.policy)/\(rule)"
        guard let suppressed = auditLimiter.admit(key, now: MonotonicTime(nanoseconds: now)) else { return }
        let record = records[slot]
        let listener = record.listener?.takeUnretainedValue()
        let route = record.route?.takeUnretainedValue()
        shared.logger.info(
            "connection matches a rule that audits",
            [
                "connection_id": "\(String(record.id, radix: 16))",
                "downstream_remote_address": "\(record.client)",
                "listener": "\(listener.map { "\($0.state.id)" } ?? "")",
                "route": "\(route.map { "\($0.configuration.id)" } ?? "")",
                "policy": "\(level.id.policy)",
                "authz_rule": "\(rule)",
                "suppressed": LogValue(suppressed),
            ])
    }
}
