internal import KubernetesAPI
internal import KubernetesClient
internal import Platform
internal import Translation

/// Which statuses have to be written, in which order, and what became of it. A machine without I/O: it is told of outcomes
/// and answers, and says what to send. Belongs to one thread.
struct StatusBook {
    /// A request that is to be sent.
    struct Write: Hashable {
        enum Action: Hashable {
            /// The fields of `status` that change; guarded by the resource version.
            case patch([String: JSONValue], resourceVersion: String)
            /// After a conflict.
            case read
        }

        var target: StatusTarget
        /// Of the API, such as `v1`.
        var version: String
        var action: Action
    }

    /// Raw values are the label `result` of `sluice_status_updates_total`.
    enum Result: String, CaseIterable {
        case ok
        case conflict
        case error
    }

    /// What is worth a line in the log.
    enum Remark: Hashable {
        case refused(StatusTarget, APIError)
        case failed(StatusTarget, APIError)
        /// The API server drops part of what is written.
        case notKept(StatusTarget)
        case contested(StatusTarget)
    }

    let controllerName: String
    private let fieldManager: String
    var window = RequestWindow(16)
    /// Requests that wrote, or failed to, by result.
    var counts: [StatusKind: [Result: UInt64]] = [:]
    /// What the caller logs, and then removes.
    var remarks: [Remark] = []
    private(set) var entries: [StatusTarget: StatusEntry] = [:]
    var backOff: BackOff
    private var queues: [StatusKind: [StatusTarget]] = [:]
    private var heads: [StatusKind: Int] = [:]
    private var waiting: Set<StatusTarget> = []
    /// The earliest end of a wait; may be too early, never too late.
    private var earliestWait: MonotonicTime?
    /// Objects that are to be left as if we had never been: the installation is taken away.
    var retired: Set<StatusTarget> = []
    /// Whether outcomes keep coming that show what the server has: then what is gone will be seen to be.
    var followsWatch = true
    private var revision: UInt64?
    private var snapshot = ClusterSnapshot(asOf: 0)
    /// What was last taken: of the next only what differs is looked at.
    private var desired = StatusReport()
    private var observed = ObservedStatuses()
    /// Entries with something to do.
    private var busy = 0

    init(controllerName: String, seed: UInt64) {
        (self.controllerName, fieldManager) = (controllerName, ClusterWriter.fieldManager(of: controllerName))
        backOff = BackOff(seed: seed)
    }

    // MARK: What is to be done

    /// Takes over the newest outcome.
    mutating func take(_ outcome: Outcome) {
        let last = snapshot
        snapshot = outcome.snapshot
        defer {
            if last.gateways != snapshot.gateways || last.gatewayClasses != snapshot.gatewayClasses { lookAtLeft() }
        }
        if revision != outcome.statusRevision {
            revision = outcome.statusRevision
            takeDesired(outcome.statuses)
        }
        takeObserved(outcome.observed)
    }

    private mutating func takeDesired(_ report: StatusReport) {
        let changed = report.changedTargets(since: desired)
        desired = report
        for target in changed.sorted(by: { $0.key < $1.key }) {
            let status = report.status(of: target)
            if entries[target] == nil {
                guard let status else { continue }
                entries[target] = StatusEntry(desired: status)
            } else {
                guard entries[target]?.desired != status else { continue }
                let isRefused = edit(target) { $0.take(desired: status) }
                if isRefused { edit(target) { ($0.phase, $0.isRefused) = (.idle, false) } }
            }
            enqueue(target)
        }
    }

    /// Looks again at what is not ours any more. Whether somebody else's Gateway, or its class, has it now decides who takes
    /// back what we wrote, and neither is part of the object.
    private mutating func lookAtLeft() {
        for (target, entry) in entries where entry.desired == nil && entry.observed != nil {
            if target.kind == .gateway || target.kind == .listenerSet { enqueue(target) }
        }
    }

    private mutating func takeObserved(_ next: ObservedStatuses) {
        let last = observed
        observed = next
        for kind in StatusKind.allCases {
            let statuses = next.byKind[kind.rawValue] ?? [:]
            for key in statuses.changedKeys(since: last.byKind[kind.rawValue] ?? [:]) {
                let target = StatusTarget(kind: kind, key: key)
                if let status = statuses[key] {
                    if edit(target, { $0.take(observed: status) }) { enqueue(target) }
                } else if entries[target]?.observed != nil {
                    _ = edit(target) { $0.take(observed: nil) }
                    forget(target)
                }
            }
        }
    }

    /// Drops what is known of an object that is gone, and that nothing is to be said of, unless an answer is awaited.
    mutating func forget(_ target: StatusTarget) {
        guard let entry = entries[target], entry.observed == nil, entry.desired == nil else { return }
        guard entry.phase != .patching, entry.phase != .reading else { return }
        if entry.phase != .idle { busy -= 1 }
        entries[target] = nil
    }

    /// Nothing is to be written for now: another replica leads. What is to be done is found anew by ``restart()``.
    mutating func rest() {
        for target in queues.values.joined() where entries[target]?.phase == .queued {
            edit(target) { $0.phase = .idle }
        }
        (queues, heads) = ([:], [:])
    }

    /// Looks at every object again: leadership was won, and what a predecessor wrote meanwhile is unknown.
    mutating func restart() { for target in Array(entries.keys) { enqueue(target) } }

    @discardableResult
    mutating func edit<Value>(_ target: StatusTarget, _ body: (inout StatusEntry) -> Value) -> Value {
        var change = 0
        func counted(_ entry: inout StatusEntry) -> Value {
            if entry.phase != .idle { change -= 1 }
            defer { if entry.phase != .idle { change += 1 } }
            return body(&entry)
        }
        defer { busy += change }
        return counted(&entries[target, default: StatusEntry()])
    }

    mutating func enqueue(_ target: StatusTarget) {
        let isQueued = edit(target) { entry in
            switch entry.phase {
            case .patching, .reading: entry.isStale = true
            case .idle:
                entry.phase = .queued
                return true
            // What failed waits for its time, whatever changed: else a busy object would escape the back-off.
            case .queued, .waiting: break
            }
            return false
        }
        if isQueued { queues[target.kind, default: []].append(target) }
    }

    private mutating func dequeue() -> StatusTarget? {
        for kind in StatusKind.allCases {
            while let queue = queues[kind], !queue.isEmpty {
                let head = heads[kind, default: 0]
                let target = queue[head]
                if head + 1 == queue.count {
                    (queues[kind], heads[kind]) = ([], 0)
                } else {
                    heads[kind] = head + 1
                }
                if entries[target]?.phase == .queued { return target }
            }
        }
        return nil
    }

    /// What to send now, if anything. `wall`: seconds since 1970.
    mutating func next(now: MonotonicTime, wall: Int64) -> Write? {
        wakeDue(now)
        while window.hasRoom(at: now), let target = dequeue() {
            edit(target) { ($0.phase, $0.isStale) = (.idle, false) }
            if let entry = entries[target], entry.needsRead, let observed = entry.observed {
                return read(target, version: observed.version)
            }
            guard let write = plan(target, now: now, wall: wall) else { continue }
            if let notBefore = entries[target]?.notBefore, notBefore > now {
                wait(target, until: notBefore)
                continue
            }
            return send(write, .patching)
        }
        return nil
    }

    mutating func send(_ write: Write, _ phase: StatusEntry.Phase) -> Write {
        edit(write.target) { $0.phase = phase }
        window.inFlight += 1
        return write
    }

    /// Takes back a write that was not sent after all.
    mutating func abandon(_ write: Write) {
        window.inFlight -= 1
        edit(write.target) { $0.phase = .idle }
        enqueue(write.target)
    }

    /// Waits end on a grid, so that thousands of them do not wake the thread one by one.
    mutating func wait(_ target: StatusTarget, until: MonotonicTime) {
        let grid: Int64 = 50_000_000
        let end = MonotonicTime(nanoseconds: (until.nanoseconds / grid + 1) * grid)
        edit(target) { $0.phase = .waiting(until: end) }
        waiting.insert(target)
        earliestWait = min(earliestWait ?? end, end)
    }

    private mutating func wakeDue(_ now: MonotonicTime) {
        guard let earliestWait, earliestWait <= now else { return }
        self.earliestWait = nil
        for target in waiting {
            guard case .waiting(let until) = entries[target]?.phase else {
                waiting.remove(target)
                continue
            }
            guard until <= now else {
                self.earliestWait = min(self.earliestWait ?? until, until)
                continue
            }
            waiting.remove(target)
            edit(target) { ($0.phase, $0.isRefused) = (.idle, false) }
            enqueue(target)
        }
    }

    /// When ``next(now:wall:)`` may have something that it has not now, apart from what it is told.
    func wakeTime(after now: MonotonicTime) -> MonotonicTime? {
        let pause = window.pausedUntil.flatMap { $0 > now && queues.contains { !$0.value.isEmpty } ? $0 : nil }
        return [pause, earliestWait].compactMap { $0 }.min()
    }

    /// Nothing is to be written, and nothing is on its way.
    var isIdle: Bool { busy == 0 }

    // MARK: What is to be said

    func plan(_ target: StatusTarget, now: MonotonicTime, wall: Int64) -> Write? {
        guard let entry = entries[target], let current = entry.current(at: now) else { return nil }
        if let settled = entry.settled, settled == current.status { return nil }
        guard let changes = changes(target, entry, current, wall: wall) else { return nil }
        return Write(
            target: target, version: current.version,
            action: .patch(changes, resourceVersion: current.resourceVersion))
    }

    func changes(
        _ target: StatusTarget, _ entry: StatusEntry, _ current: ObservedStatus, wall: Int64
    ) -> [String: JSONValue]? {
        let merge = StatusMerge(controllerName: controllerName, now: TimeText.seconds(wall))
        guard let desired = entry.desired?.json else {
            // An answer says nothing about that.
            let isOursByRecord = entry.observed?.conditionManagers.contains(fieldManager) ?? false
            let wasOurs = entry.wasOurs || isOursByRecord
            guard retired.contains(target) || snapshot.isOursToTakeBack(target, wasOurs: wasOurs) else { return nil }
            return merge.takeBack(target.kind, from: current.status)
        }
        if isOutdated(target, desired, current) { return nil }
        return merge.changes(target.kind, in: target.key.namespace, from: current.status, to: desired)
    }

    /// Backend and GatewayParameters have no controller named in their status, so that two installations may answer the
    /// same one: who has seen the newer spec is right.
    private func isOutdated(_ target: StatusTarget, _ desired: JSONValue, _ current: ObservedStatus) -> Bool {
        guard target.kind == .backend || target.kind == .gatewayParameters else { return false }
        func newest(_ status: JSONValue?) -> Int64 {
            (status?["conditions"]?.elements ?? []).compactMap { $0["observedGeneration"]?.integer }.max() ?? 0
        }
        let seen = newest(current.status)
        return seen > newest(desired) && seen <= current.generation ?? 0
    }
}
