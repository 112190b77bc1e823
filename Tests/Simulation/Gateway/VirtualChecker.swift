import EngineCore
import EngineModel
import Observability
import Platform
import Primitives

@testable import Engine

/// The checker's thread without sockets: its judge, its slots and its timers, with results that the world decides.
final class VirtualChecker {
    weak var gateway: Gateway?
    private var judge = StandingJudge(logger: .disabled)
    private var slots = CheckSlots()
    private var timers = TimerWheel()
    private var ledger = TimerLedger()
    /// The token of the check that is under way, by slot.
    private var running: [Int32: UInt64] = [:]
    private var random: SplitMix64
    private var mail: [HealthTarget]?
    private var suspects: [EndpointHealth] = []
    var results: [(slot: Int32, token: UInt64, passed: Bool)] = []
    private(set) var targets: [HealthTarget] = []

    init(random: SplitMix64) { self.random = random }

    // MARK: For other threads

    func use(_ targets: [HealthTarget]) { mail = targets.sorted { $0.order < $1.order } }
    func suspect(_ endpoint: EndpointHealth) {
        if !suspects.contains(where: { $0 === endpoint }) { suspects.append(endpoint) }
    }

    // MARK: Turns

    private var timersDue: Int64 = .max

    var nextTurn: Int64 { min(timersDue, judge.nextEnd ?? .max) }

    func isRunnable(_ now: Int64) -> Bool {
        mail != nil || !suspects.isEmpty || !results.isEmpty || nextTurn <= now
    }

    func turn(_ now: Int64) {
        guard let gateway else { return }
        let ended = results
        results = []
        for result in ended where running[result.slot] == result.token { end(result.slot, result.passed, now) }
        if let targets = mail {
            mail = nil
            take(targets, now)
        }
        let suspected = suspects
        suspects = []
        for endpoint in suspected { judgeSuspect(endpoint, now) }
        ledger.willExpire(now / 1_000_000)
        while let slot = timers.nextExpired(now: now / 1_000_000) {
            ledger.expired(slot, now: now / 1_000_000, gateway.oracle)
            begin(slot, now)
        }
        ledger.checkRest(timers.millisecondsUntilNext(now: now / 1_000_000), now: now / 1_000_000, gateway.oracle)
        timersDue =
            timers.millisecondsUntilNext(now: now / 1_000_000).map { (now / 1_000_000 + $0) * 1_000_000 } ?? .max
        judge.endEjections(now: now)
        gateway.healthChanges += judge.takeChanges()
        gateway.oracle.standings.checked(targets, now: now)
    }

    private func take(_ wanted: [HealthTarget], _ now: Int64) {
        let identities = Set(wanted.map { ObjectIdentifier($0.endpoint) })
        for endpoint in slots.endpoints.filter({ !identities.contains($0) }) {
            judge.drop(endpoint)
            guard let slot = slots.slot(endpoint) else { continue }
            running[slot] = nil
            timers.cancel(slot)
            ledger.cancelled(slot)
            _ = slots.remove(endpoint)
        }
        for target in wanted where slots.slot(of: target.endpoint) == nil { add(target, now) }
        targets = wanted
        judge.use(wanted, now: now)
    }

    private func add(_ target: HealthTarget, _ now: Int64) {
        let last = target.endpoint.lastCheckBegan
        let slot = slots.insert(target, began: last ?? now)
        timers.reserve(slots: slots.count)
        judge.add(target)
        guard let plan = target.health.plan else { return }
        let jitter = plan.initialJitter > 0 ? Int64.random(in: 0...plan.initialJitter, using: &random) : 0
        schedule(slot, at: max(now, last.map { $0 + interval(target, plan) } ?? now + jitter))
    }

    private func interval(_ target: HealthTarget, _ plan: CheckPlan) -> Int64 {
        target.endpoint.standing.contains(.unhealthy) ? plan.unhealthyInterval : plan.interval
    }

    private func schedule(_ slot: Int32, at time: Int64) {
        timers.schedule(slot, at: (time + 999_999) / 1_000_000)
        ledger.scheduled(slot, at: (time + 999_999) / 1_000_000)
    }

    // MARK: Checks

    private func begin(_ slot: Int32, _ now: Int64) {
        guard let gateway, let entry = slots[slot], let plan = entry.target.health.plan else { return }
        slots[slot]?.began = now
        let token = slots.token(slot)
        running[slot] = token
        guard case .ip(let address) = entry.target.endpoint.address else { return }
        var (passed, after) = (true, Int64(100_000))
        switch gateway.faults[address] ?? .none(delay: 0) {
        case .none(let delay): after += delay * 1_000_000
        case .refuses: passed = false
        case .silent: after = .max
        case .resets: break
        }
        if after >= plan.timeout { (passed, after) = (false, plan.timeout) }
        gateway.events.add(.check(slot: slot, token: token, passed: passed), at: now + after)
    }

    private func end(_ slot: Int32, _ passed: Bool, _ now: Int64) {
        running[slot] = nil
        guard let gateway, let entry = slots[slot], let plan = entry.target.health.plan else { return }
        let failure = passed ? nil : CheckFailure(reason: .timeout, problem: "no answer")
        gateway.oracle.standings.result(entry.target.endpoint, passed: passed, plan.settings)
        judge.take(
            CheckResult(failure: failure, duration: now - entry.began), of: entry.target, plan, began: entry.began,
            now: now)
        gateway.tell(
            "check of \(entry.target.endpoint.address) \(passed ? "passed" : "failed"): "
                + "\(entry.target.endpoint.standing.rawValue)")
        gateway.oracle.standings.follow(targets, now: now)
        schedule(slot, at: max(now, entry.began + interval(entry.target, plan)))
    }

    private func judgeSuspect(_ endpoint: EndpointHealth, _ now: Int64) {
        guard let gateway, let slot = slots.slot(of: endpoint), let target = slots[slot]?.target else { return }
        gateway.oracle.standings.willSuspect(target, targets, now: now)
        judge.suspect(target, now: now)
        gateway.oracle.standings.didSuspect(target, now: now)
        gateway.tell("\(endpoint.address) is suspected: \(endpoint.standing.rawValue)")
    }
}

extension HealthTarget {
    /// Turns must not depend on the order of a set.
    fileprivate var order: String { "\(health.key.backend) \(endpoint.address)" }
}
