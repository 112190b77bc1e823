internal import EngineCore
internal import EngineModel
internal import Observability
internal import Platform

// What results, and connections that failed, make of an endpoint.

extension CheckLoop {
    func take(_ result: CheckResult, of target: HealthTarget, _ plan: CheckPlan, began: Int64) {
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
            adding: isHealthy ? [] : .unhealthy, removing: isHealthy ? [.unhealthy, .unchecked] : .unchecked)
        note(target, before)
        if !isHealthy { readmitFellows(of: health) }
        if changed, wasChecked || !isHealthy {
            health.counters.noteTransition(to: isHealthy ? \.becameHealthy : \.becameUnhealthy)
        }
        log(target, isHealthy: isHealthy, isFirst: !wasChecked, text)
    }

    private func note(_ target: HealthTarget, _ before: Standing) {
        let standing = target.endpoint.standing
        guard before != standing else { return }
        changes.append(HealthChange(health: target.health, endpoint: target.endpoint, before: before, now: standing))
    }

    /// That a new endpoint passes is no news.
    private func log(_ target: HealthTarget, isHealthy: Bool, isFirst: Bool, _ failure: String?) {
        let (backend, endpoint) = ("\(target.health.key.backend)", "\(target.endpoint.address)")
        if !isHealthy {
            checker.logger.warning(
                "endpoint is unhealthy",
                ["backend": "\(backend)", "endpoint": "\(endpoint)", "problem": "\(failure ?? "")"])
        } else if !isFirst {
            checker.logger.info("endpoint is healthy", ["backend": "\(backend)", "endpoint": "\(endpoint)"])
        }
    }

    // MARK: Ejection

    /// The endpoints that its backend's connections go to, where those say something of them.
    private func fellows(of health: BackendHealth) -> [HealthTarget] {
        (observed[ObjectIdentifier(health)] ?? []).filter(\.isServing)
    }

    /// Connections to the endpoint failed, one after the other.
    func judge(_ endpoint: EndpointHealth) {
        guard let slot = slots.slot(of: endpoint), let target = slots[slot]?.target,
            let passive = target.health.key.checking.passive,
            endpoint.failures >= passive.consecutiveFailures, !endpoint.standing.contains(.ejected)
        else { return }
        let others = fellows(of: target.health).filter { $0.endpoint !== endpoint }
        guard
            EjectionRule.allows(
                endpoints: others.count + 1, ejected: others.count { $0.endpoint.standing.contains(.ejected) },
                usableOthers: others.count { $0.endpoint.isUsable }, maximumPercent: passive.maximumEjectionPercent,
                alwaysOne: passive.alwaysEjectsOne)
        else { return }
        eject(target, passive)
    }

    private func eject(_ target: HealthTarget, _ passive: PassiveHealthCheck) {
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
        note(target, endpoint.change(adding: .ejected, removing: []))
        target.health.counters.noteTransition(to: \.becameEjected)
        checker.logger.warning(
            "endpoint is ejected",
            [
                "backend": "\(target.health.key.backend)", "endpoint": "\(endpoint.address)",
                "problem": "\(failures) connections failed in a row",
                "seconds": "\((until - now) / 1_000_000_000)",
            ])
    }

    func endEjections() {
        guard !ejected.isEmpty else { return }
        for ejection in ejected.values where ejection.until <= now { readmit(ejection.target) }
    }

    private func readmit(_ target: HealthTarget) {
        let endpoint = target.endpoint
        ejected[ObjectIdentifier(endpoint)] = nil
        endpoint.record.withLock { $0.ejectedUntil = nil }
        _ = endpoint.takeFailures()
        note(target, endpoint.change(adding: [], removing: .ejected))
        checker.logger.info(
            "endpoint is no longer ejected",
            ["backend": "\(target.health.key.backend)", "endpoint": "\(endpoint.address)"])
    }

    /// The last endpoint that could be used cannot be used any more: those that are merely ejected serve rather than nobody.
    func readmitFellows(of health: BackendHealth) {
        guard !ejected.isEmpty else { return }
        let fellows = fellows(of: health)
        guard !fellows.contains(where: { $0.endpoint.isUsable }) else { return }
        for fellow in fellows where fellow.endpoint.standing == .ejected { readmit(fellow) }
    }
}
