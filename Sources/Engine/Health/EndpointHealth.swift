internal import EngineCore
internal import EngineModel
internal import Platform
internal import Synchronization

// What is known of endpoints' health. Written by the checker and, for ejections, by workers; read by workers when they choose.

/// How an endpoint stands. Empty: it can be used.
struct Standing: OptionSet, Sendable {
    let rawValue: UInt8
    /// The last checks failed, or none has passed yet.
    static let unhealthy = Standing(rawValue: 1)
    /// Connections failed, one after the other: it stays out for a while.
    static let ejected = Standing(rawValue: 2)
    /// No check has come to an end yet. Together with ``unhealthy``, unless endpoints start healthy.
    static let unchecked = Standing(rawValue: 4)

    var isUsable: Bool { isDisjoint(with: [.unhealthy, .ejected]) }
}

/// Goes up with each change of an endpoint's standing: who has derived something from standings sees by it whether they still hold.
final class StandingChanges: Sendable {
    private let number = Atomic<UInt64>(1)
    /// Never 0. Standings that are read after it are at least as new.
    var count: UInt64 { number.load(ordering: .acquiring) }
    fileprivate func note() { number.add(1, ordering: .releasing) }
}

/// One endpoint of a backend, for all variants and tables with the same ``BackendHealth``.
final class EndpointHealth: Sendable {
    let address: StreamAddress
    private let bits: Atomic<UInt8>
    private let changes: StandingChanges
    private let firstUse: Atomic<Int64>
    private let recovery: Atomic<Int64>
    /// Connections that failed, one after the other.
    private let failedConnections = Atomic<Int>(0)
    /// The checker's, and for those who ask.
    let record: Locked<CheckRecord>

    /// One that is new. `isChecked`: whether there are checks; `startsHealthy`: whether it is used before the first.
    init(address: StreamAddress, isChecked: Bool, startsHealthy: Bool, changes: StandingChanges) {
        self.address = address
        self.changes = changes
        let standing: Standing = !isChecked ? [] : startsHealthy ? [.unchecked] : [.unchecked, .unhealthy]
        bits = Atomic(standing.rawValue)
        firstUse = Atomic(0)
        recovery = Atomic(0)
        record = Locked(CheckRecord(startsHealthy: startsHealthy))
    }

    /// One that goes on with other settings.
    init(continuing old: EndpointHealth, isChecked: Bool, changes: StandingChanges) {
        address = old.address
        self.changes = changes
        let past = old.record.withLock { $0 }
        // By the record, which the checker writes first.
        var standing: Standing = past.ejectedUntil == nil ? [] : .ejected
        if isChecked, !past.thresholds.isHealthy { standing.insert(.unhealthy) }
        if isChecked, !past.thresholds.isChecked { standing.insert(.unchecked) }
        bits = Atomic(standing.rawValue)
        firstUse = Atomic(old.firstUsableAt)
        recovery = Atomic(old.recoveredAt)
        failedConnections.store(old.failures, ordering: .relaxed)
        record = Locked(past)
    }

    /// When its first check let it be used, in milliseconds of the workers' clock; 0: not, or it was from its beginning.
    var firstUsableAt: Int64 { firstUse.load(ordering: .relaxed) }
    /// When it last became usable again; 0: never.
    var recoveredAt: Int64 { recovery.load(ordering: .relaxed) }

    /// How many connections failed in a row.
    var failures: Int { failedConnections.load(ordering: .relaxed) }
    /// Counts a connection that failed; how many did in a row.
    func noteFailure() -> Int { failedConnections.add(1, ordering: .relaxed).newValue }
    /// A connection was served.
    func noteSuccess() { if failures != 0 { failedConnections.store(0, ordering: .relaxed) } }
    /// Begins to count anew; how many there were.
    func takeFailures() -> Int { failedConnections.exchange(0, ordering: .relaxed) }

    var standing: Standing { Standing(rawValue: bits.load(ordering: .relaxed)) }
    var isUsable: Bool { standing.isUsable }

    /// Adds and removes; the standing before. The first result takes ``Standing/unchecked`` away in the same step in which it says
    /// whether the endpoint is healthy: that tells a new endpoint from one that recovers.
    /// `now`: nanoseconds of the monotonic clock.
    func change(
        adding added: Standing, removing removed: Standing, now: Int64 = MonotonicTime.now().nanoseconds
    ) -> Standing {
        var before = bits.load(ordering: .relaxed)
        while true {
            let wanted = Standing(rawValue: before).subtracting(removed).union(added).rawValue
            let (exchanged, original) = bits.compareExchange(
                expected: before, desired: wanted, ordering: .acquiringAndReleasing)
            if exchanged {
                if original != wanted { note(from: Standing(rawValue: original), to: Standing(rawValue: wanted), now) }
                return Standing(rawValue: original)
            }
            before = original
        }
    }

    private func note(from old: Standing, to new: Standing, _ now: Int64) {
        if new.isUsable, !old.isUsable {
            let milliseconds = max(1, now / 1_000_000)
            if old.contains(.unchecked) {
                firstUse.store(milliseconds, ordering: .relaxed)
            } else {
                recovery.store(milliseconds, ordering: .relaxed)
            }
        }
        changes.note()
    }
}

/// What checks and ejections have left of an endpoint's past. Times are nanoseconds of the monotonic clock.
struct CheckRecord: Sendable {
    var thresholds: HealthThresholds
    /// When the last check that ended began; nil: none has.
    var began: Int64?
    var last: EndpointHealthReport.Check?
    /// How often it was ejected.
    var ejections = 0
    /// Until when it is; nil: it is not.
    var ejectedUntil: Int64?

    init(startsHealthy: Bool) { thresholds = HealthThresholds(startsHealthy: startsHealthy) }
}
