import EngineModel
import Platform

@testable import Engine

/// How each endpoint has to stand, from the results of its checks and the connections to it alone.
final class StandingBook {
    final class Entry {
        /// Kept, so that its identity stays its own.
        let health: EndpointHealth
        let backend: BackendID
        let hasPlan: Bool
        var results: [Bool] = []
        /// How many results there were when it became healthy last.
        var since = 0
        var isHealthy: Bool
        /// Connections in a row.
        var failures = 0
        var ejections = 0
        var ejectedUntil: Int64?
        /// As bits: sets of options are slow where they are not optimised.
        var before: UInt8
        /// Milliseconds; 0: never.
        var firstUse: Int64 = 0
        var recovery: Int64 = 0

        init(_ health: EndpointHealth, _ backend: BackendID, hasPlan: Bool, startsHealthy: Bool) {
            (self.health, self.backend, self.hasPlan, isHealthy) = (health, backend, hasPlan, startsHealthy)
            before = 0
            before = expected
        }

        init(_ health: EndpointHealth, continuing old: Entry) {
            (self.health, backend, hasPlan) = (health, old.backend, old.hasPlan)
            (results, since, isHealthy) = (old.results, old.since, old.isHealthy)
            (failures, ejections, ejectedUntil) = (old.failures, old.ejections, old.ejectedUntil)
            (before, firstUse, recovery) = (old.before, old.firstUse, old.recovery)
        }

        var expected: UInt8 {
            (hasPlan && !isHealthy ? Entry.unhealthy : 0) | (ejectedUntil == nil ? 0 : Entry.ejected)
                | (hasPlan && results.isEmpty ? Entry.unchecked : 0)
        }

        var isUsable: Bool { expected & (Entry.unhealthy | Entry.ejected) == 0 }

        static let (unhealthy, ejected, unchecked): (UInt8, UInt8, UInt8) = (1, 2, 4)
    }

    private unowned let oracle: Oracle
    private var entries: [ObjectIdentifier: Entry] = [:]
    private var current: [BackendID: [StreamAddress: Entry]] = [:]
    private var suspicion: (entry: Entry, until: Int64?)?

    init(_ oracle: Oracle) { self.oracle = oracle }

    func entry(_ health: EndpointHealth) -> Entry? { entries[ObjectIdentifier(health)] }
    func entry(_ backend: BackendID, _ address: StreamAddress) -> Entry? { current[backend]?[address] }

    func compiled(_ compiler: TableCompiler) {
        for (id, backend) in compiler.backends {
            let before = current[id] ?? [:]
            var now: [StreamAddress: Entry] = [:]
            for health in backend.standings {
                let (old, hasPlan) = (before[health.address], backend.health?.plan != nil)
                if let old, old.health === health {
                    now[health.address] = old
                } else if let old, old.hasPlan == hasPlan {
                    now[health.address] = Entry(health, continuing: old)
                } else {
                    let starts = backend.configuration.settings.health.active?.startsHealthy ?? true
                    now[health.address] = Entry(health, id, hasPlan: hasPlan, startsHealthy: starts)
                }
                entries[ObjectIdentifier(health)] = now[health.address]
            }
            current[id] = now
        }
    }

    // MARK: What happened

    func result(_ health: EndpointHealth, passed: Bool, _ settings: ActiveHealthCheck) {
        guard let entry = entry(health) else { return oracle.fail("health", "an unknown endpoint was checked") }
        entry.results.append(passed)
        let row = entry.results.reversed().prefix { $0 == passed }.count
        if passed, !entry.isHealthy {
            let hasFailed = entry.results[entry.since...].contains(false)
            guard row >= (hasFailed ? settings.healthyThreshold : 1) else { return }
            (entry.isHealthy, entry.since) = (true, entry.results.count)
        } else if !passed, entry.isHealthy, row >= settings.unhealthyThreshold {
            entry.isHealthy = false
        }
    }

    func connectionFailed(_ health: EndpointHealth) { entry(health)?.failures += 1 }
    func connectionServed(_ health: EndpointHealth) { entry(health)?.failures = 0 }

    // MARK: Ejections

    private func fellows(of health: BackendHealth, in targets: [HealthTarget]) -> [Entry] {
        guard health.key.checking.passive != nil else { return [] }
        return targets.filter { $0.health === health && $0.isServing }.compactMap { entry($0.endpoint) }
    }

    func willSuspect(_ target: HealthTarget, _ targets: [HealthTarget], now: Int64) {
        suspicion = nil
        guard let entry = entry(target.endpoint) else { return }
        suspicion = (entry, nil)
        guard let passive = target.health.key.checking.passive, entry.ejectedUntil == nil,
            entry.failures >= passive.consecutiveFailures
        else { return }
        let others = fellows(of: target.health, in: targets).filter { $0 !== entry }
        guard others.contains(where: \.isUsable) else { return }
        let out = others.count { $0.ejectedUntil != nil }
        let share = Double(out + 1) / Double(others.count + 1) * 100
        let isAllowed = out == 0 && passive.alwaysEjectsOne || share <= Double(passive.maximumEjectionPercent) + 1e-9
        guard isAllowed else { return }
        let base = passive.baseEjectionTime.wholeNanoseconds
        let time = min(base * Int64(entry.ejections + 1), max(base, 300_000_000_000))
        let interval = passive.interval.wholeNanoseconds
        suspicion?.until = now + (time % interval == 0 ? time : (time / interval + 1) * interval)
    }

    func didSuspect(_ target: HealthTarget, now: Int64) {
        guard let suspicion, suspicion.entry.health === target.endpoint else { return }
        let entry = suspicion.entry
        if let until = suspicion.until { (entry.ejectedUntil, entry.failures) = (until, 0) }
        if suspicion.until != nil { entry.ejections += 1 }
        compare(entry, now)
    }

    /// Who came back from an ejection did so in time, or because nobody else can be used.
    func follow(_ targets: [HealthTarget], now: Int64) {
        var healths: [ObjectIdentifier: Bool] = [:]
        for target in targets where entry(target.endpoint)?.ejectedUntil != nil {
            let id = ObjectIdentifier(target.health)
            if healths[id] == nil {
                healths[id] = fellows(of: target.health, in: targets).contains(where: \.isUsable)
            }
        }
        for target in targets {
            guard let entry = entry(target.endpoint), let until = entry.ejectedUntil,
                target.endpoint.standing.rawValue & Entry.ejected == 0
            else { continue }
            let isNeeded = healths[ObjectIdentifier(target.health)] == false
            oracle.require(
                "ejection", now >= until || isNeeded,
                "\(entry.health.address) is back \((until - now) / 1_000_000) ms too early")
            (entry.ejectedUntil, entry.failures) = (nil, 0)
        }
        for target in targets {
            guard let entry = entry(target.endpoint) else { continue }
            compare(entry, now)
        }
    }

    /// The checker has had its turn.
    func checked(_ targets: [HealthTarget], now: Int64) {
        follow(targets, now: now)
        for target in targets {
            guard let entry = entry(target.endpoint) else { continue }
            if let until = entry.ejectedUntil {
                oracle.require("ejection", now < until, "\(entry.health.address) stays out for too long")
            }
            guard target.isServing, entry.expected == Entry.ejected else { continue }
            let fellows = fellows(of: target.health, in: targets)
            oracle.require(
                "ejection", fellows.isEmpty || fellows.contains(where: \.isUsable),
                "\(entry.health.address) is left out though nobody else can be used")
        }
    }

    private func compare(_ entry: Entry, _ now: Int64) {
        let (actual, expected) = (entry.health.standing.rawValue, entry.expected)
        oracle.require(
            "health", actual == expected,
            "\(entry.health.address) stands \(actual), should \(expected) after \(entry.results.suffix(6))")
        oracle.require(
            "ejection", entry.health.failures == entry.failures,
            "\(entry.health.address) has \(entry.health.failures) failed connections, should \(entry.failures)")
        let out = Entry.unhealthy | Entry.ejected
        if expected & out == 0, entry.before & out != 0 {
            if entry.before & Entry.unchecked != 0 {
                entry.firstUse = now / 1_000_000
            } else {
                entry.recovery = now / 1_000_000
            }
        }
        entry.before = expected
    }
}
