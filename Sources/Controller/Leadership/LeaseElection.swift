internal import KubernetesAPI
internal import Platform
internal import Primitives

/// One candidate's part in the election by a Lease, without I/O: it is told what happened and when, and says what to
/// send. The rules are those of client-go's leader election, with one more: leadership is believed until
/// `renewDeadline` after the *sending* of the last renewal that succeeded, so that it ends by itself, whatever becomes
/// of answers, before another candidate may take the lease. Only differences of the own monotonic clock count; times
/// in the Lease are for people.
struct LeaseElection {
    /// Timing as client-go has it: lease 15 s, renewal given up after 10 s, tried every 2 s.
    struct Timing: Hashable, Sendable {
        var leaseDuration: Duration = .seconds(15)
        var renewDeadline: Duration = .seconds(10)
        var retryPeriod: Duration = .seconds(2)
    }

    enum Request: Hashable, Sendable {
        case get
        case create(LeaseRecord)
        /// Replaces the object, guarded by its resourceVersion.
        case update(ObservedLease, LeaseRecord)
    }

    /// A request on its way. A later one has a greater number.
    struct Attempt: Hashable, Sendable {
        var number: UInt64
        var request: Request
    }

    enum Answer: Hashable, Sendable {
        case lease(ObservedLease)
        case notFound
        /// Somebody else wrote first.
        case conflict
        case failed
    }

    let identity: String
    let timing: Timing
    private(set) var observed: ObservedLease?
    /// When ``observed`` was first seen with this record.
    private var observedAt: MonotonicTime
    /// Leadership is believed until then; nil: not at all.
    private(set) var validUntil: MonotonicTime?
    private var pending: (attempt: Attempt, since: MonotonicTime)?
    private var lastNumber: UInt64 = 0
    private(set) var nextAttempt: MonotonicTime
    private var random: SplitMix64
    /// Survives the forgetting of ``observed``: a record seen before keeps the time it was first seen.
    private var lastRecord: LeaseRecord?

    init(identity: String, timing: Timing = Timing(), now: MonotonicTime, seed: UInt64) {
        (self.identity, self.timing, observedAt, nextAttempt) = (identity, timing, now, now)
        random = SplitMix64(seed: seed)
    }

    func isLeader(at now: MonotonicTime) -> Bool { validUntil.map { now < $0 } ?? false }

    /// How long an answer is waited for: a lost one must leave time for further attempts before the deadline.
    var requestTimeout: Duration { timing.renewDeadline / 2 }

    /// When ``poll(now:wall:)`` is due.
    var wakeTime: MonotonicTime {
        let attempt = pending.map { $0.since + requestTimeout } ?? nextAttempt
        return min(attempt, validUntil ?? attempt)
    }

    /// What is to be sent now, if anything. `wall`: MicroTime for the record.
    mutating func poll(now: MonotonicTime, wall: String) -> Attempt? {
        if let end = validUntil, now >= end { validUntil = nil }
        if let pending {
            guard now >= pending.since + requestTimeout else { return nil }
            // Given up; an answer that comes later is not believed. What it did is learned by reading.
            self.pending = nil
            observed = nil
            nextAttempt = now
        }
        guard now >= nextAttempt else { return nil }
        // A holder's record is renewed as it was last seen; who is not sure of it reads first.
        if isLeader(at: now), let observed, observed.record.holder == identity {
            return send(.update(observed, renewed(observed.record, wall: wall)), now)
        }
        return send(.get, now)
    }

    /// Takes the answer to an attempt, and says what is to be sent at once, if anything. Answers to attempts that were
    /// given up are not believed.
    mutating func receive(_ answer: Answer, to number: UInt64, now: MonotonicTime, wall: String) -> Attempt? {
        guard let (attempt, since) = pending, attempt.number == number else { return nil }
        pending = nil
        switch (attempt.request, answer) {
        case (.get, .lease(let lease)): return consider(lease, now: now, wall: wall)
        case (.get, .notFound): return send(.create(firstRecord(wall: wall)), now)
        case (.create, .lease(let lease)), (.update, .lease(let lease)):
            observe(lease, now: now)
            if lease.record.holder == identity { validUntil = since + timing.renewDeadline }
            schedule(now)
        case (_, .conflict), (_, .failed), (.update, .notFound), (.create, .notFound):
            observed = nil
            // A leader whose record changed under it reads at once who holds it now.
            if isLeader(at: now), answer != .failed { return send(.get, now) }
            schedule(now)
        }
        return nil
    }

    private mutating func consider(_ lease: ObservedLease, now: MonotonicTime, wall: String) -> Attempt? {
        observe(lease, now: now)
        let holder = lease.record.holder
        if holder == identity { return send(.update(lease, renewed(lease.record, wall: wall)), now) }
        // Somebody else has it, or nobody: then we do not, whatever we believed.
        validUntil = nil
        let duration = max(Duration.seconds(lease.record.durationSeconds), timing.leaseDuration)
        guard holder.isEmpty || now >= observedAt + duration else {
            schedule(now)
            return nil
        }
        return send(.update(lease, taken(lease.record, wall: wall)), now)
    }

    private mutating func observe(_ lease: ObservedLease, now: MonotonicTime) {
        if lease.record != lastRecord { (lastRecord, observedAt) = (lease.record, now) }
        observed = lease
    }

    private mutating func send(_ request: Request, _ now: MonotonicTime) -> Attempt {
        lastNumber += 1
        let attempt = Attempt(number: lastNumber, request: request)
        pending = (attempt, now)
        return attempt
    }

    /// A leader comes back after the period, the others up to 2.2 times as late (client-go's jitter factor of 1.2).
    private mutating func schedule(_ now: MonotonicTime) {
        let jitter = isLeader(at: now) ? 0 : 1.2 * random.fraction()
        nextAttempt = now + timing.retryPeriod * (1 + jitter)
    }

    private var seconds: Int64 { max(1, timing.leaseDuration.wholeNanoseconds / 1_000_000_000) }

    private func firstRecord(wall: String) -> LeaseRecord {
        LeaseRecord(holder: identity, durationSeconds: seconds, acquireTime: wall, renewTime: wall, transitions: 0)
    }

    private func renewed(_ record: LeaseRecord, wall: String) -> LeaseRecord {
        var record = record
        (record.durationSeconds, record.renewTime) = (seconds, wall)
        return record
    }

    private func taken(_ record: LeaseRecord, wall: String) -> LeaseRecord {
        LeaseRecord(
            holder: identity, durationSeconds: seconds, acquireTime: wall, renewTime: wall,
            transitions: record.transitions + 1)
    }
}
