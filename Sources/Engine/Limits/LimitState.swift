internal import EngineCore
internal import EngineModel
internal import Platform
internal import Synchronization

/// What is counted and spent under one ``LimitID``, over all workers: goes on from table to table, whatever becomes of the
/// values.
final class LimitState: Sendable {
    let id: LimitID
    /// Connections that have passed it and have not ended, of a level without a limit as well: one that comes later counts them.
    let open = OpenCount()
    /// 0: any number.
    private let most = Atomic<Int>(0)
    private let rate = Locked(SpentRate())
    private let compiled = Locked<AuthorizationLevel?>(nil)

    private struct SpentRate {
        /// The newest table's.
        var bucket: TokenBucket?
        var state = TokenBucket.full
    }

    init(id: LimitID) { self.id = id }

    /// How many may be open, as the newest table has it; nil: any number.
    var limit: Int? {
        let most = most.load(ordering: .relaxed)
        return most == 0 ? nil : most
    }

    func setLimit(_ limit: Int?) { most.store(limit ?? 0, ordering: .relaxed) }

    /// What the rate is from now on; of what was spent the same share stays spent.
    func setRate(_ rate: ConnectionRateLimit.Rate?, now: MonotonicTime) {
        let bucket = rate.map { TokenBucket($0) }
        self.rate.withLock { spent in
            if let bucket, let old = spent.bucket {
                spent.state = bucket.state(spent.state, of: old, now: now.nanoseconds)
            }
            if bucket == nil { spent.state = TokenBucket.full }
            spent.bucket = bucket
        }
    }

    /// Takes one new connection from the rate at `now` (monotonic nanoseconds); true without a rate.
    func takeRate(now: Int64) -> Bool {
        rate.withLock { spent in
            guard let bucket = spent.bucket else { return true }
            let next = bucket.step(spent.state, now: now)
            spent.state = next.state
            return next.isAllowed
        }
    }

    /// One for all listeners and routes that have the same rules: a hundred thousand blocks are not taken apart for each.
    func authorization(_ authorization: Authorization) -> AuthorizationLevel {
        compiled.withLock { known in
            if let known, known.configuration == authorization { return known }
            let level = AuthorizationLevel(authorization)
            known = level
            return level
        }
    }
}

/// Rules of one policy, made ready to be asked.
final class AuthorizationLevel: Sendable {
    let configuration: Authorization
    /// Nil: more rules than can be judged. Everybody is denied.
    private let rules: AuthorizationRules?
    let asksForCertificate: Bool

    init(_ configuration: Authorization) {
        self.configuration = configuration
        rules = AuthorizationRules(configuration)
        asksForCertificate = configuration.rules.contains { $0.principal.certificate != nil }
    }

    func step(_ progress: inout AuthorizationProgress, _ inputs: AuthorizationInputs) -> AuthorizationVerdict {
        rules?.step(&progress, inputs) ?? .deny(rule: nil)
    }

    func verdict(_ inputs: AuthorizationInputs) -> AuthorizationVerdict { rules?.verdict(inputs) ?? .deny(rule: nil) }
}

/// Open connections, exact over all workers, and which workers wait for one to end.
struct OpenCount: ~Copyable, Sendable {
    private let open = Atomic<Int>(0)
    /// A bit for each worker that stopped accepting because of it.
    private let waiting = Atomic<UInt64>(0)

    var value: Int { open.load(ordering: .relaxed) }

    /// Counts one more, where there are fewer than `most`.
    func take(atMost most: Int) -> Bool {
        var known = open.load(ordering: .relaxed)
        while known < most {
            let (isDone, found) = open.weakCompareExchange(
                expected: known, desired: known + 1, ordering: .sequentiallyConsistent)
            if isDone { return true }
            known = found
        }
        return false
    }

    /// Takes one back. The workers to wake, as bits: each was told that there is no room.
    func giveBack() -> UInt64 {
        let left = open.subtract(1, ordering: .sequentiallyConsistent).newValue
        assert(left >= 0, "a connection was given back that was never counted")
        guard waiting.load(ordering: .sequentiallyConsistent) != 0 else { return 0 }
        return waiting.exchange(0, ordering: .sequentiallyConsistent)
    }

    /// Whether there is room; where there is none, the next that ends wakes this worker. Noted before it is looked: an end in
    /// between is seen by one of the two.
    func hasRoom(atMost most: Int, elseWake worker: Int) -> Bool {
        if open.load(ordering: .sequentiallyConsistent) < most { return true }
        waiting.bitwiseOr(1 << UInt64(worker), ordering: .sequentiallyConsistent)
        return open.load(ordering: .sequentiallyConsistent) < most
    }
}
