internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform

/// What results, and connections that failed, make of endpoints. Belongs to the checker's thread; it has no clock: times are
/// nanoseconds of the monotonic one.
struct StandingJudge {
    private struct Ejection {
        let target: HealthTarget
        let until: Int64
    }
    private let logger: Logger
    /// Not told yet, oldest first.
    private var changes: [HealthChange] = []
    /// Endpoints that are out, and when they come back.
    private var ejected: [ObjectIdentifier: Ejection] = [:]
    /// Of backends whose connections say something of them, by their health.
    private var observed: [ObjectIdentifier: [HealthTarget]] = [:]

    init(logger: Logger) { self.logger = logger }

    /// When the first ejection ends; nil: nobody is out.
    var nextEnd: Int64? { ejected.values.lazy.map(\.until).min() }

    mutating func takeChanges() -> [HealthChange] {
        guard !changes.isEmpty else { return [] }
        defer { changes = [] }
        return changes
    }

    // MARK: Targets

    /// One more is judged from now on, perhaps one that was out under other settings.
    mutating func add(_ target: HealthTarget) {
        guard let until = target.endpoint.ejectedUntil else { return }
        ejected[ObjectIdentifier(target.endpoint)] = Ejection(target: target, until: until)
    }

    mutating func drop(_ endpoint: ObjectIdentifier) { ejected[endpoint] = nil }

    /// These are all there are now.
    mutating func use(_ targets: [HealthTarget], now: Int64) {
        observed = Dictionary(grouping: targets.lazy.filter { $0.health.failureLimit != nil }) {
            ObjectIdentifier($0.health)
        }
        // Who was usable may be gone, or get no connections any more.
        for fellows in observed.values { readmitFellows(of: fellows[0].health, now) }
    }

    // MARK: Results of checks

    /// `began`: when the check did.
    mutating func take(_ result: CheckResult, of target: HealthTarget, _ plan: CheckPlan, began: Int64, now: Int64) {
        let (health, endpoint) = (target.health, target.endpoint)
        health.counters.note(result)
        let text = result.failure?.text(plan.script)
        let wasChecked: Bool
        let (changed, isHealthy): (Bool, Bool)
        (wasChecked, changed, isHealthy) = endpoint.record.withLock { record in
            let wasChecked = record.thresholds.isChecked
            let changed = record.thresholds.note(
                passed: result.failure == nil, healthyThreshold: plan.settings.healthyThreshold,
                unhealthyThreshold: plan.settings.unhealthyThreshold)
            record.began = began
            record.last = EndpointHealthReport.Check(
                time: realtimeNanoseconds() / 1_000_000, duration: .nanoseconds(result.duration), failure: text)
            return (wasChecked, changed, record.thresholds.isHealthy)
        }
        if wasChecked, !changed { return }
        let before = endpoint.change(
            adding: isHealthy ? [] : .unhealthy, removing: isHealthy ? [.unhealthy, .unchecked] : .unchecked, now: now)
        note(target, before)
        // Also where it has become healthy while it was out: it may be the only one that is.
        readmitFellows(of: health, now)
        if changed, wasChecked || !isHealthy {
            health.counters.noteTransition(to: isHealthy ? \.becameHealthy : \.becameUnhealthy)
        }
        log(target, isHealthy: isHealthy, isFirst: !wasChecked, text)
    }

    private mutating func note(_ target: HealthTarget, _ before: Standing) {
        let standing = target.endpoint.standing
        guard before != standing else { return }
        changes.append(HealthChange(health: target.health, endpoint: target.endpoint, before: before, now: standing))
    }

    /// That a new endpoint passes is no news.
    private func log(_ target: HealthTarget, isHealthy: Bool, isFirst: Bool, _ failure: String?) {
        let (backend, endpoint) = ("\(target.health.key.backend)", "\(target.endpoint.address)")
        if !isHealthy {
            logger.warning(
                "endpoint is unhealthy",
                ["backend": "\(backend)", "endpoint": "\(endpoint)", "problem": "\(failure ?? "")"])
        } else if !isFirst {
            logger.info("endpoint is healthy", ["backend": "\(backend)", "endpoint": "\(endpoint)"])
        }
    }

    // MARK: Ejection

    /// The endpoints that its backend's connections go to, where those say something of them.
    private func fellows(of health: BackendHealth) -> [HealthTarget] {
        (observed[ObjectIdentifier(health)] ?? []).filter(\.isServing)
    }

    /// Connections to the endpoint failed, one after the other.
    mutating func suspect(_ target: HealthTarget, now: Int64) {
        let endpoint = target.endpoint
        guard let passive = target.health.key.checking.passive,
            endpoint.failures >= passive.consecutiveFailures, !endpoint.standing.contains(.ejected)
        else { return }
        let others = fellows(of: target.health).filter { $0.endpoint !== endpoint }
        guard
            EjectionRule.allows(
                endpoints: others.count + 1, ejected: others.count { $0.endpoint.standing.contains(.ejected) },
                usableOthers: others.count { $0.endpoint.isUsable }, maximumPercent: passive.maximumEjectionPercent,
                alwaysOne: passive.alwaysEjectsOne)
        else { return }
        eject(target, passive, now)
    }

    private mutating func eject(_ target: HealthTarget, _ passive: PassiveHealthCheck, _ now: Int64) {
        let endpoint = target.endpoint
        let count = endpoint.record.withLock { record in
            record.ejections += 1
            return record.ejections
        }
        let time = EjectionRule.time(count: count, base: passive.baseEjectionTime.wholeNanoseconds)
        // Ejections are looked at again from time to time, not each at its own.
        let interval = max(1_000_000, passive.interval.wholeNanoseconds)
        let until = now + (time + interval - 1) / interval * interval
        endpoint.record.withLock { $0.ejectedUntil = until }
        let failures = endpoint.takeFailures()
        ejected[ObjectIdentifier(endpoint)] = Ejection(target: target, until: until)
        note(target, endpoint.change(adding: .ejected, removing: [], now: now))
        target.health.counters.noteTransition(to: \.becameEjected)
        logger.warning(
            "endpoint is ejected",
            [
                "backend": "\(target.health.key.backend)", "endpoint": "\(endpoint.address)",
                "problem": "\(failures) connections failed in a row",
                "seconds": "\((until - now) / 1_000_000_000)",
            ])
    }

    mutating func endEjections(now: Int64) {
        guard !ejected.isEmpty else { return }
        for ejection in ejected.values where ejection.until <= now { readmit(ejection.target, now) }
    }

    private mutating func readmit(_ target: HealthTarget, _ now: Int64) {
        let endpoint = target.endpoint
        ejected[ObjectIdentifier(endpoint)] = nil
        endpoint.record.withLock { $0.ejectedUntil = nil }
        _ = endpoint.takeFailures()
        note(target, endpoint.change(adding: [], removing: .ejected, now: now))
        logger.info(
            "endpoint is no longer ejected",
            ["backend": "\(target.health.key.backend)", "endpoint": "\(endpoint.address)"])
    }

    /// Where no endpoint can be used, those that are merely ejected serve rather than nobody.
    private mutating func readmitFellows(of health: BackendHealth, _ now: Int64) {
        guard !ejected.isEmpty else { return }
        let fellows = fellows(of: health)
        guard !fellows.contains(where: { $0.endpoint.isUsable }) else { return }
        for fellow in fellows where fellow.endpoint.standing == .ejected { readmit(fellow, now) }
    }
}
