internal import CLinux
internal import EngineCore
internal import Glibc
internal import Observability
internal import Platform
internal import Primitives

/// The state of the thread `health`: made on it, gone with it. Each check costs it a socket, a connect, one wait and a close; no more
/// than ``mostRuns`` are under way, the others wait for their turn. Times are nanoseconds of the monotonic clock.
final class CheckLoop {
    let checker: HealthChecker
    var slots = CheckSlots()
    var timers: TimerWheel
    private var queue = CheckQueue()
    private var running = 0
    var now: Int64
    private var random = SplitMix64(seed: UInt64(truncatingIfNeeded: MonotonicTime.now().nanoseconds))
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    private var events = [epoll_event](repeating: epoll_event(), count: 256)
    private var isStopping = false
    private var judge: StandingJudge
    private var shortageLoggedAt: Int64 = .min

    static let mostRuns = 1024

    init(_ checker: HealthChecker) {
        self.checker = checker
        judge = StandingJudge(logger: checker.logger)
        now = MonotonicTime.now().nanoseconds
        timers = TimerWheel(now: now / 1_000_000)
    }

    deinit { scratch.deallocate() }

    func run() {
        while !isStopping {
            wait()
            now = MonotonicTime.now().nanoseconds
            expireTimers()
            judge.endEjections(now: now)
            startQueued()
            let changes = judge.takeChanges()
            if !changes.isEmpty { checker.reports.post(changes) }
        }
        for slot in 0..<Int32(slots.count) { slots[slot]?.run = nil }
    }

    private func wait() {
        var timeout: Int64 = -1
        if !queue.isEmpty, running < CheckLoop.mostRuns {
            timeout = 0
        } else {
            let next = timers.millisecondsUntilNext(now: now / 1_000_000)
            let back = judge.nextEnd.map { max(0, ($0 - now + 999_999) / 1_000_000) }
            if let soonest = [next, back].compactMap(\.self).min() { timeout = min(soonest, 60_000) }
        }
        // All that is there comes before what is late: where this thread had to wait, it is not the endpoints that were slow.
        let due = timeout < 0 ? .max : now + timeout * 1_000_000 + TurnLateness.least
        for round in 0..<8 {
            let count = sluice_epoll_wait(checker.epoll.raw, &events, Int32(events.count), Int32(timeout))
            now = MonotonicTime.now().nanoseconds
            for index in 0..<Int(max(0, count)) { take(events[index]) }
            // The first look of a process that was stopped may show what was there before (``TurnLateness``).
            guard count == events.count || round == 0 && now > due else { return }
            timeout = 0
        }
    }

    private func take(_ event: epoll_event) {
        guard event.data.u64 != EventToken.wake else { return takeMail() }
        let slot = CheckSlots.slot(event.data.u64)
        // Its check may have ended in this very turn.
        guard let run = Int(slot) < slots.count ? slots[slot]?.run : nil, run.token == event.data.u64 else { return }
        run.handle(event.events, now: now, scratch)
        follow(run, slot)
    }

    // MARK: Targets

    private func takeMail() {
        checker.wake.drain()
        let mail = checker.mail.withLock { mail in
            defer { (mail.targets, mail.suspects) = (nil, [:]) }
            return mail
        }
        isStopping = mail.stopped
        if let targets = mail.targets { use(targets) }
        for endpoint in mail.suspects.values {
            guard let slot = slots.slot(of: endpoint), let target = slots[slot]?.target else { continue }
            judge.suspect(target, now: now)
        }
    }

    private func use(_ targets: [HealthTarget]) {
        let wanted = Set(targets.map { ObjectIdentifier($0.endpoint) })
        for endpoint in slots.endpoints.filter({ !wanted.contains($0) }) { drop(endpoint) }
        for target in targets where slots.slot(of: target.endpoint) == nil { add(target) }
        judge.use(targets, now: now)
    }

    private func drop(_ endpoint: ObjectIdentifier) {
        judge.drop(endpoint)
        guard let slot = slots.slot(endpoint) else { return }
        if slots[slot]?.run != nil { running -= 1 }
        timers.cancel(slot)
        _ = slots.remove(endpoint)
    }

    private func add(_ target: HealthTarget) {
        let last = target.endpoint.lastCheckBegan
        let slot = slots.insert(target, began: last ?? now)
        timers.reserve(slots: slots.count)
        judge.add(target)
        guard let plan = target.health.plan else { return }
        // Settings that changed go on in the rhythm there was; what is new begins within its jitter.
        let first = last.map { $0 + interval(of: target, plan) } ?? now + jitter(plan.initialJitter)
        schedule(slot, at: max(now, first))
    }

    private func jitter(_ most: Int64) -> Int64 { most > 0 ? Int64.random(in: 0...most, using: &random) : 0 }

    private func interval(of target: HealthTarget, _ plan: CheckPlan) -> Int64 {
        target.endpoint.standing.contains(.unhealthy) ? plan.unhealthyInterval : plan.interval
    }

    private func schedule(_ slot: Int32, at time: Int64) {
        timers.schedule(slot, at: (time + 999_999) / 1_000_000)
    }

    // MARK: Checks

    private func expireTimers() {
        while let slot = timers.nextExpired(now: now / 1_000_000) {
            if let run = slots[slot]?.run {
                run.expire(now: now, scratch)
                follow(run, slot)
            } else if slots[slot]?.isQueued == false {
                slots[slot]?.isQueued = true
                queue.push(slot)
            }
        }
    }

    /// Some at a time, so that answers are not left waiting.
    private func startQueued() {
        for _ in 0..<64 where running < CheckLoop.mostRuns {
            guard let slot = queue.pop() else { return }
            guard slots[slot]?.isQueued == true, let target = slots[slot]?.target, let plan = target.health.plan
            else { continue }
            now = MonotonicTime.now().nanoseconds
            let run = CheckRun(plan, endpoint: target.endpoint.address, token: slots.token(slot), now: now)
            slots[slot]?.isQueued = false
            slots[slot]?.began = now
            slots[slot]?.run = run
            running += 1
            run.start(checker.epoll, now: now, scratch)
            follow(run, slot)
        }
    }

    /// After anything that happened to a check: it has ended, or waits.
    private func follow(_ run: CheckRun, _ slot: Int32) {
        guard run.isDone else { return schedule(slot, at: run.deadline) }
        running -= 1
        slots[slot]?.run = nil
        guard let entry = slots[slot], let plan = entry.target.health.plan else { return }
        if let result = run.result {
            judge.take(result, of: entry.target, plan, began: entry.began, now: now)
        } else if let shortage = run.shortage {
            logShortage(shortage)
        }
        schedule(slot, at: max(now, entry.began + interval(of: entry.target, plan)))
    }

    /// Our own want of something makes no endpoint unhealthy.
    private func logShortage(_ problem: String) {
        guard now - 10_000_000_000 > shortageLoggedAt else { return }
        shortageLoggedAt = now
        checker.logger.warning("health checks cannot be made", ["problem": "\(problem)"])
    }
}
