internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Primitives

// Limits of listeners and routes: who may connect, how often and how many at once. Each level is judged on its own, as early as
// its inputs are there, and all must let a connection pass before a backend is chosen.

/// What a connection holds of limits.
struct HeldLimits: OptionSet {
    let rawValue: UInt8
    /// It is counted at the listener's levels.
    static let listener = HeldLimits(rawValue: 1)
    static let route = HeldLimits(rawValue: 2)
    /// It was counted before it was accepted.
    static let reserved = HeldLimits(rawValue: 4)
    /// Authorization waits for its certificate.
    static let pending = HeldLimits(rawValue: 8)
    /// Its bandwidth was found to be limited: nothing to give back.
    static let throttled = HeldLimits(rawValue: 16)
    /// It is counted at the levels of its backend's circuit breakers.
    static let circuit = HeldLimits(rawValue: 32)
    /// It is counted among those of its source that wait to be judged.
    static let waiting = HeldLimits(rawValue: 64)
}

/// Authorization that a connection has begun and that waits for its client's certificate.
final class PendingAuthorization {
    var levels: [(level: LimitLevel, progress: AuthorizationProgress)] = []
}

extension Worker {
    /// The last stage before a backend is chosen. On plain TCP all limits are judged here, elsewhere what waited for the
    /// handshake.
    func admit(_ slot: Int) -> StageOutcome {
        if records[slot].route == nil, let refused = enterPlain(slot) { return refused }
        if records[slot].held.contains(.pending), !finishAuthorization(slot) { return .gone }
        return .proceed(.choose)
    }

    /// Without TLS the listener's fallback is the route. Nil: it passes.
    private func enterPlain(_ slot: Int) -> StageOutcome? {
        guard let listener = records[slot].listener else { return .refuse(.internalError, .proxy) }
        return listener._withUnsafeGuaranteedRef { listener -> StageOutcome? in
            guard passesListener(slot, listener, name: nil) else { return .gone }
            guard let route = listener.fallback else { return .refuse(.noRoute, .proxy) }
            setRoute(slot, route)
            return passesRoute(slot, route, name: nil) ? nil : .gone
        }
    }

    /// What the listener asks, once address and name are known. False: the connection was turned away.
    @inline(__always)
    func passesListener(_ slot: Int, _ listener: ListenerRuntime, name: String?) -> Bool {
        guard let limits = listener.limits else {
            if !records[slot].held.isEmpty { settleReservation(slot, keeping: nil) }
            return true
        }
        return passes(slot, limits, .listener, name)
    }

    @inline(__always)
    func passesRoute(_ slot: Int, _ route: RouteRuntime, name: String?) -> Bool {
        guard let limits = route.limits else { return true }
        return passes(slot, limits, .route, name)
    }

    private func passes(_ slot: Int, _ limits: LimitSet, _ part: HeldLimits, _ name: String?) -> Bool {
        if limits.hasAuthorization, !authorize(slot, limits, name) { return false }
        let client = records[slot].client.ip
        if limits.hasRates {
            for index in limits.levels.indices {
                guard let refusal = limits.levels[index].takeRates(client, now: now) else { continue }
                turnAway(slot, limits.levels[index], refusal)
                return false
            }
        }
        return count(slot, limits, part)
    }

    // MARK: Counts

    /// A connection whose hello is awaited. False: too many of its source wait already; it was turned away.
    @inline(__always)
    func mayWait(_ slot: Int, _ binding: BindingRuntime) -> Bool {
        guard let waiting = binding.waiting else { return true }
        guard let level = waiting.enter(records[slot].client.ip) else {
            records[slot].held.insert(.waiting)
            return true
        }
        turnAway(slot, level, .sourceConnections)
        return false
    }

    /// It waits no longer, at the binding where it did.
    @inline(__always)
    func endWaiting(_ slot: Int, _ binding: BindingRuntime) {
        guard records[slot].held.contains(.waiting) else { return }
        records[slot].held.remove(.waiting)
        binding.waiting?.leave(records[slot].client.ip)
    }

    /// Counts the connection at all levels, or at none.
    private func count(_ slot: Int, _ limits: LimitSet, _ part: HeldLimits) -> Bool {
        let client = records[slot].client.ip
        let reserved = part == .listener ? records[slot].reservation?.takeUnretainedValue() : nil
        for index in limits.levels.indices {
            let level = limits.levels[index]
            let refusal = level.enter(client, isReserved: reserved?.holds(level.state) == true)
            guard let refusal else { continue }
            for entered in limits.levels[..<index] {
                wake(entered.leave(client, isReserved: reserved?.holds(entered.state) == true))
            }
            turnAway(slot, level, refusal)
            return false
        }
        records[slot].held.insert(part)
        if part == .listener { settleReservation(slot, keeping: limits) }
        return true
    }

    /// The listener is known: what was reserved of its limits has become the connection's count there, the rest is given back.
    private func settleReservation(_ slot: Int, keeping limits: LimitSet?) {
        let record = records + slot
        guard record.pointee.held.contains(.reserved), let held = record.pointee.reservation else { return }
        record.pointee.held.remove(.reserved)
        record.pointee.reservation = nil
        let reservation = held.takeRetainedValue()
        for level in reservation.levels where limits?.levels.contains(where: { $0.state === level.state }) != true {
            wake(level.state.open.giveBack())
        }
    }

    /// At the end of a connection: once, however it ended.
    func giveBackLimits(_ slot: Int) {
        let record = records + slot
        let (held, client) = (record.pointee.held, record.pointee.client.ip)
        assert(!held.contains(.waiting), "its stage was not left")
        if held.contains(.circuit) { leaveCircuit(slot) }
        record.pointee.held = []
        if held.contains(.listener) { leave(record.pointee.listener?.takeUnretainedValue().limits, client) }
        if held.contains(.route) { leave(record.pointee.route?.takeUnretainedValue().limits, client) }
        if held.contains(.reserved), let reservation = record.pointee.reservation {
            record.pointee.reservation = nil
            reservation.takeRetainedValue().giveBack(self)
        }
        if held.contains(.pending) {
            record.pointee.pending?.release()
            record.pointee.pending = nil
        }
    }

    private func leave(_ limits: LimitSet?, _ client: IPAddress) {
        guard let limits else { return }
        for index in limits.levels.indices { wake(limits.levels[index].leave(client, isReserved: false)) }
    }

    // MARK: Authorization

    private func authorize(_ slot: Int, _ limits: LimitSet, _ name: String?) -> Bool {
        var inputs = addresses(slot)
        if let name { inputs.serverName = .known(name) }
        if awaitsCertificate(slot) { inputs.identity = .unknown }
        for index in limits.levels.indices where limits.levels[index].authorization != nil {
            let level = limits.levels[index]
            var progress = AuthorizationProgress()
            guard let isAllowed = judge(slot, level, &progress, inputs) else {
                pend(slot, level, progress)
                continue
            }
            if !isAllowed { return false }
        }
        return true
    }

    /// The handshake is over: every input is known. False: the connection was turned away.
    private func finishAuthorization(_ slot: Int) -> Bool {
        let record = records + slot
        record.pointee.held.remove(.pending)
        guard let held = record.pointee.pending else { return true }
        record.pointee.pending = nil
        let pending = held.takeRetainedValue()
        let inputs = everything(slot, withIdentity: true)
        for (level, progress) in pending.levels {
            var progress = progress
            guard judge(slot, level, &progress, inputs) == true else { return false }
        }
        return true
    }

    /// Nil: it waits for an input. False: the connection was turned away.
    private func judge(
        _ slot: Int, _ level: LimitLevel, _ progress: inout AuthorizationProgress, _ inputs: AuthorizationInputs
    ) -> Bool? {
        let verdict = level.authorization?.step(&progress, inputs) ?? .allow(rule: nil)
        let audits = progress.takeAudits()
        if audits != 0 { audit(slot, level, audits) }
        switch verdict {
        case .undecided: return nil
        case .allow(let rule):
            level.count(rule: rule)
            return true
        case .deny(let rule):
            level.count(rule: rule)
            turnAway(slot, level, rule: level.name(ofRule: rule))
            return false
        }
    }

    private func audit(_ slot: Int, _ level: LimitLevel, _ audits: UInt64) {
        var left = audits
        while left != 0 {
            let rule = left.trailingZeroBitCount
            left &= left - 1
            level.count(rule: rule)
            logAudit(slot, level, rule: level.name(ofRule: rule))
        }
    }

    func pend(_ slot: Int, _ level: LimitLevel, _ progress: AuthorizationProgress) {
        let record = records + slot
        let pending = record.pointee.pending?.takeUnretainedValue() ?? PendingAuthorization()
        pending.levels.append((level, progress))
        guard record.pointee.pending == nil else { return }
        record.pointee.pending = .passRetained(pending)
        record.pointee.held.insert(.pending)
    }

    // MARK: Inputs

    /// With what is known of every connection; there is nothing else.
    private func addresses(_ slot: Int) -> AuthorizationInputs {
        AuthorizationInputs(
            client: .known(records[slot].client.ip), peer: .known(records[slot].peer.ip), serverName: .absent,
            identity: .absent)
    }

    /// What is known of a connection after its handshake. `withIdentity`: some rule asks for the certificate.
    func everything(_ slot: Int, withIdentity: Bool) -> AuthorizationInputs {
        var inputs = addresses(slot)
        if let name = records[slot].serverName { inputs.serverName = .known(String(cString: name)) }
        if withIdentity, let ssl = sides[2 * slot].tls, let identity = verifiedIdentity(of: ssl) {
            inputs.identity = .known(identity)
        }
        return inputs
    }

    /// Whether the handshake may yet bring a certificate.
    private func awaitsCertificate(_ slot: Int) -> Bool {
        guard records[slot].inspectedAt != 0, records[slot].handshakenAt == 0, let listener = records[slot].listener
        else { return false }
        return listener._withUnsafeGuaranteedRef { $0.termination?.configuration.clientValidation != nil }
    }
}
