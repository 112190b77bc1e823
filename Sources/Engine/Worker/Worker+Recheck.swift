internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

/// Policies that end sessions have changed (terminateExisting): by whose levels which sessions are judged again.
final class AuthorizationChange: Sendable {
    /// Keeps the states, whose identities are the keys.
    private let rechecks: [AuthorizationRecheck]
    private let levels: [ObjectIdentifier: [LimitLevel]]

    init(_ rechecks: [AuthorizationRecheck]) {
        self.rechecks = rechecks
        levels = Dictionary(
            rechecks.map { (ObjectIdentifier($0.state), $0.levels) }, uniquingKeysWith: { $1 })
    }

    func levels(of state: AnyObject) -> [LimitLevel] { levels[ObjectIdentifier(state)] ?? [] }
}

/// How far a worker has come with a change.
struct RecheckCursor {
    let change: AuthorizationChange
    var next = 0
}

extension Worker {
    /// Slots looked at, and sessions closed, in one turn.
    private static let recheckStride = 256
    private static let recheckCloses = 32

    func begin(_ change: AuthorizationChange) {
        rechecks.append(RecheckCursor(change: change))
        isGoingThroughSlots = true
    }

    func continueRechecks() {
        for index in rechecks.indices {
            var closes = 0
            let end = min(rechecks[index].next + Worker.recheckStride, highestSlot)
            while rechecks[index].next < end, closes < Worker.recheckCloses {
                if !isStillAllowed(rechecks[index].next, rechecks[index].change) { closes += 1 }
                rechecks[index].next += 1
            }
        }
        rechecks.removeAll { $0.next >= highestSlot }
    }

    /// False: the session was ended. One without a route has not been judged by older rules, and one in its handshake is judged
    /// when that is over.
    private func isStillAllowed(_ slot: Int, _ change: AuthorizationChange) -> Bool {
        let record = records + slot
        guard let listener = record.pointee.listener, let route = record.pointee.route else { return true }
        switch record.pointee.stage {
        case .free, .linger, .delay: return true
        default: break
        }
        let levels =
            listener._withUnsafeGuaranteedRef { change.levels(of: $0.state) }
            + route._withUnsafeGuaranteedRef { change.levels(of: $0.state) }
        guard !levels.isEmpty else { return true }
        if record.pointee.stage == .handshake {
            for level in levels { pend(slot, level, AuthorizationProgress()) }
            return true
        }
        let inputs = everything(slot, withIdentity: levels.contains { $0.authorization?.asksForCertificate == true })
        for level in levels {
            guard case .deny(let rule) = level.authorization?.verdict(inputs) else { continue }
            level.count(rule: rule)
            log(
                .info, "session is no longer allowed", slot: slot, reason: .authorizationDenied, detail: nil,
                policy: level.id.policy, rule: level.name(ofRule: rule))
            shared.disrupted.add(1, ordering: .relaxed)
            endGently(slot, .authorizationDenied)
            return false
        }
        return true
    }
}
