internal import EngineCore
internal import CLinux
internal import COpenSSL
internal import EngineModel

extension Worker {
    /// One timer per connection: the earliest of what it waits for. Activity does not touch the wheel; an idle deadline
    /// that has moved is found out when it fires.
    func armTimer(_ slot: Int) {
        let deadline = nextDeadline(slot)
        if deadline > 0 { timers.schedule(Int32(slot), at: deadline) } else { timers.cancel(Int32(slot)) }
    }

    private func nextDeadline(_ slot: Int) -> Int64 {
        let record = records + slot
        guard record.pointee.stage == .relay else { return record.pointee.stageDeadline }
        var deadline = earlier(.max, record.pointee.keepaliveAt)
        if let route = record.pointee.route {
            deadline = earlier(deadline, route._withUnsafeGuaranteedRef { relayDeadline(slot, $0) })
        }
        deadline = earlier(deadline, record.pointee.nextLineAt)
        for index in 0..<2 where flows[2 * slot + index].heldSince > 0 {
            deadline = earlier(deadline, flows[2 * slot + index].heldSince + Worker.pipeHoldMilliseconds)
        }
        return deadline == .max ? 0 : deadline
    }

    /// Most sessions may only be idle for too long.
    @inline(__always)
    private func relayDeadline(_ slot: Int, _ route: RouteRuntime) -> Int64 {
        let record = records + slot
        guard route.maxDuration == 0, !route.hasTimeoutsOfSides, record.pointee.halfClosedAt == 0,
            record.pointee.throttles == nil
        else { return expiry(slot, route).at }
        return route.idleTimeout > 0 ? record.pointee.lastActivity + route.idleTimeout : .max
    }

    /// A candidate of 0 is none.
    @inline(__always)
    private func earlier(_ deadline: Int64, _ candidate: Int64) -> Int64 {
        candidate > 0 ? min(deadline, candidate) : deadline
    }

    func expireTimers() {
        while true {
            let expired = timers.nextExpired(now: nowMilliseconds)
            guard let expired else { return }
            expire(Int(expired))
        }
    }

    /// Milliseconds that a handshake is given more when its turn has not come.
    private static let extraTime: Int64 = 1000

    private func expire(_ slot: Int) {
        // The peer has done its part: what is short is our own time, for which nobody is to blame.
        if records[slot].queued, records[slot].stage == .handshake || records[slot].stage == .backendHandshake {
            records[slot].stageDeadline = nowMilliseconds + Worker.extraTime
            return armTimer(slot)
        }
        // What was awaited has come, and stands in a queue: it is in time.
        if hasAwaited(slot) {
            let (stage, life, attempts) = (records[slot].stage, records[slot].life, records[slot].attempts)
            advance(slot)
            guard records[slot].stage == stage, records[slot].life == life, records[slot].attempts == attempts else {
                // A stage that goes on with the time of the one before has none left.
                if records[slot].stage != .free, !timers.isScheduled(Int32(slot)) { armTimer(slot) }
                return
            }
        }
        switch records[slot].stage {
        case .free: return
        case .proxyHeader: expireProxyHeader(slot)
        case .startTLS, .inspect: refuse(slot, .inspectionTimeout, .client)
        case .handshake:
            countHandshake(slot, .terminateUnknown, .timeout)
            refuse(slot, .tlsHandshakeTimeout, .client)
        case .admit, .choose: refuse(slot, .internalError, .proxy)
        case .pending:
            guard let backend = records[slot].backend?.takeUnretainedValue() else { return }
            follow(slot, refuse(backend, .queueTimeout))
        case .resolve:
            let backend = records[slot].backend?.takeUnretainedValue()
            refuse(slot, backend.map(countUnserved) ?? .dnsError, .proxy)
        case .retry:
            records[slot].stage = .choose
            advance(slot)
        case .connect where !races.isEmpty && beginRace(slot): return
        case .connect, .greet, .backendStartTLS:
            follow(slot, attemptFailed(slot, .connectTimeout, .timeout, "no answer in time"))
        case .backendHandshake:
            sides[2 * slot + 1].flags.insert(.tlsBroken)
            if let backend = records[slot].backend?.takeUnretainedValue() { dropSession(slot, backend) }
            follow(slot, attemptFailed(slot, .connectTimeout, .tlsError, "no TLS handshake in time"))
        case .linger: endLingering(slot)
        case .delay: endDelay(slot)
        case .relay: expireRelay(slot)
        }
    }

    private func hasAwaited(_ slot: Int) -> Bool {
        switch records[slot].stage {
        case .proxyHeader, .startTLS, .inspect: sides[2 * slot].flags.contains(.readable)
        case .backendStartTLS: sides[2 * slot + 1].flags.contains(.readable)
        case .connect, .greet: !sides[2 * slot + 1].flags.isDisjoint(with: [.writable, .failed])
        default: false
        }
    }

    private func expireRelay(_ slot: Int) {
        let record = records + slot
        // Bytes that wait for their turn here came in time.
        if record.pointee.queued {
            let life = record.pointee.life
            serve(slot)
            guard record.pointee.life == life, record.pointee.stage == .relay else { return }
        }
        let milliseconds = nowMilliseconds
        if let route = record.pointee.route {
            if route._withUnsafeGuaranteedRef({ $0.firstByteTimeout > 0 }), !readFirstByte(slot) { return }
            let end = route._withUnsafeGuaranteedRef { expiry(slot, $0) }
            if end.at <= milliseconds { return endInTime(slot, end) }
        }
        if record.pointee.nextLineAt > 0, record.pointee.nextLineAt <= milliseconds { logPeriodic(slot) }
        if record.pointee.keepaliveAt > 0, record.pointee.keepaliveAt <= milliseconds, !lookAtPeers(slot) {
            return
        }
        for index in 0..<2 {
            let flow = flows + (2 * slot + index)
            guard flow.pointee.heldSince > 0,
                flow.pointee.heldSince + Worker.pipeHoldMilliseconds <= milliseconds
            else { continue }
            emptyPipe(flow)
        }
        armTimer(slot)
    }
}
