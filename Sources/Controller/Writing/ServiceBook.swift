internal import KubernetesAPI
internal import KubernetesClient
internal import Platform
internal import Translation

/// Which Services have to be applied or deleted, and what became of it. A machine without I/O; belongs to one thread.
struct ServiceBook {
    struct Write: Hashable {
        enum Action: Hashable {
            /// Server-side apply. Forced only where the Service is known to be ours.
            case apply(JSONValue, force: Bool, digest: String)
            case delete(uid: String?)
        }

        var key: ObjectKey
        var action: Action
    }

    enum Remark: Hashable {
        case failed(ObjectKey, gateway: ObjectKey?, APIError)
        /// A Service of that name stands there, and is none of ours.
        case foreign(ObjectKey, gateway: ObjectKey)
    }

    private struct Entry {
        var desired: DesiredService?
        /// Of ``desired``; made where it is first needed.
        var manifest: ServiceManifest?
        /// What was done last, and what the watch showed then: until it shows something else, nothing is done again.
        var done: Done?
        var isInFlight = false
        /// Nothing is to be done about it any more; only the answer on its way is waited for.
        var isDropped = false
        var notBefore: MonotonicTime?
        var failures = 0
        var repeats = 0
        var saidForeign = false
    }

    private struct Done {
        var action: Write.Action
        var living: Service?
        /// Till then the watch may still show what was before, in several steps.
        var settles: MonotonicTime
        var until: MonotonicTime

        /// Of what was applied; nil where it was deleted.
        var digest: String? { if case .apply(_, _, let digest) = action { digest } else { nil } }

        func answers(_ action: Write.Action, _ living: Service?, now: MonotonicTime) -> Bool {
            self.action.isSame(as: action) && (now < settles || (now < until && self.living == living))
        }
    }

    private var entries: [ObjectKey: Entry] = [:]
    private var services: [ObjectKey: Service] = [:]
    private var revision: UInt64?
    private var window = RequestWindow(4)
    private var backOff: BackOff
    var remarks: [Remark] = []
    /// nil: not known yet, and nothing is applied. `.some(nil)`: there is none.
    var owner: OwnerMarker?? {
        didSet {
            guard owner != oldValue else { return }
            for key in Array(entries.keys) { entries[key]?.manifest = nil }
            isDirty = true
        }
    }
    /// Whether ``next(now:)`` has to look at the Services at all, and when it has to in any case.
    private var isDirty = false
    private var nextLook: MonotonicTime?

    init(seed: UInt64) { backOff = BackOff(seed: seed) }

    mutating func take(_ outcome: Outcome) {
        guard revision != outcome.revision else { return }
        (revision, services) = (outcome.revision, outcome.snapshot.services)
        var wanted: [ObjectKey: DesiredService?] = [:]
        for service in outcome.infrastructure.services { wanted[service.key] = service }
        for key in outcome.infrastructure.staleServices { wanted.updateValue(nil, forKey: key) }
        for (key, entry) in entries where wanted[key] == nil {
            if entry.isInFlight { entries[key]?.isDropped = true } else { entries[key] = nil }
        }
        for (key, desired) in wanted {
            var entry = entries[key, default: Entry()]
            if entry.desired != desired {
                (entry.failures, entry.repeats, entry.notBefore, entry.manifest) = (0, 0, nil, nil)
            }
            (entry.desired, entry.isDropped) = (desired, false)
            entries[key] = entry
        }
        isDirty = true
    }

    /// Looks at everything again: leadership was won. What this replica did last still counts, for it may have lost the
    /// lead for a moment only; where a predecessor did something else since, the watch will show it.
    mutating func restart() {
        for key in Array(entries.keys) { entries[key]?.notBefore = nil }
        isDirty = true
    }

    /// What to send now, if anything.
    mutating func next(now: MonotonicTime) -> Write? {
        guard window.hasRoom(at: now), isDirty || nextLook.map({ $0 <= now }) ?? false else { return nil }
        for key in entries.keys.sorted() {
            guard let entry = entries[key], !entry.isInFlight, !entry.isDropped,
                entry.notBefore.map({ $0 <= now }) ?? true, let action = plan(key, entry, now: now)
            else { continue }
            entries[key]?.isInFlight = true
            window.inFlight += 1
            return Write(key: key, action: action)
        }
        (isDirty, nextLook) = (false, timers(after: now))
        return nil
    }

    /// When ``next(now:)`` may have something that it has not now.
    func wakeTime(after now: MonotonicTime) -> MonotonicTime? {
        [nextLook, window.pausedUntil].compactMap { $0 }.filter { $0 > now }.min()
    }

    private func timers(after now: MonotonicTime) -> MonotonicTime? {
        entries.values.flatMap { [$0.notBefore, $0.done?.settles, $0.done?.until] }.compactMap { $0 }.filter {
            $0 > now
        }.min()
    }

    var isIdle: Bool { window.inFlight == 0 }

    private mutating func plan(_ key: ObjectKey, _ entry: Entry, now: MonotonicTime) -> Write.Action? {
        let living = services[key]
        guard let action = action(key, entry, living) else {
            // Where the watch has caught up, a change from now on is somebody else's, and answered at once. Content that
            // is wanted by chance, because the watch is behind, proves nothing.
            if entry.done?.digest == entries[key]?.manifest?.digest { entries[key]?.done = nil }
            return nil
        }
        return entry.done?.answers(action, living, now: now) ?? false ? nil : action
    }

    private mutating func action(_ key: ObjectKey, _ entry: Entry, _ living: Service?) -> Write.Action? {
        // What is being deleted is waited for: an address that goes away is of no use to anybody.
        guard living?.metadata.deletionTimestamp == nil else { return nil }
        if let living, !isOurs(living, entry.desired) {
            if let desired = entry.desired, !entry.saidForeign {
                remarks.append(.foreign(key, gateway: desired.gateway))
                entries[key]?.saidForeign = true
            }
            return nil
        }
        guard let desired = entry.desired else { return living.map { .delete(uid: $0.metadata.uid) } }
        if let living, desired.mustRecreate { return .delete(uid: living.metadata.uid) }
        guard let owner else { return nil }
        let manifest = entry.manifest ?? ServiceManifest(desired, owner: owner)
        entries[key]?.manifest = manifest
        if let living, manifest.isSatisfied(by: living) { return nil }
        return .apply(manifest.object, force: living != nil, digest: manifest.digest)
    }

    /// Nothing without our labels is ever changed or deleted.
    private func isOurs(_ service: Service, _ desired: DesiredService?) -> Bool {
        let labels = service.metadata.labels ?? [:]
        guard ServiceNames.identity.allSatisfy({ labels[$0] != nil }) else { return false }
        return desired.map { $0.labels[ServiceNames.controller] == labels[ServiceNames.controller] } ?? true
    }

    /// Takes the answer to a write.
    mutating func receive(_ answer: Result<Void, APIError>, to write: Write, now: MonotonicTime) {
        window.inFlight -= 1
        isDirty = true
        guard var entry = entries[write.key] else { return }
        entry.isInFlight = false
        switch answer {
        case .success: window.succeeded()
        case .failure(.status(let status)) where status.code == 404 && write.action.isDelete: break
        case .failure(let error):
            entry.failures += 1
            entry.notBefore = now + pause(error, entry.failures, now)
            if error.code != 429 { remarks.append(.failed(write.key, gateway: entry.desired?.gateway, error)) }
            entries[write.key] = entry
            return
        }
        entry.failures = 0
        // A living Service that does not become what was applied: somebody changes it back, or the server fills in more.
        entry.repeats = entry.done?.action == write.action ? entry.repeats + 1 : 0
        if entry.repeats > 2 { entry.notBefore = now + backOff.wait(entry.repeats, floor: .seconds(1)) }
        entry.done = Done(
            action: write.action, living: services[write.key], settles: now + .seconds(2), until: now + .seconds(30))
        entries[write.key] = entry
    }

    private mutating func pause(_ error: APIError, _ failures: Int, _ now: MonotonicTime) -> Duration {
        guard case .status(let status) = error else {
            window.overloaded(now: now, pause: nil)
            return backOff.wait(failures)
        }
        switch status.code {
        case 429:
            window.overloaded(now: now, pause: status.retryAfter ?? .seconds(1))
            return .zero
        // Another manager's fields, or a Service that came meanwhile: the watch will show it.
        case 409: return backOff.wait(failures, floor: .seconds(1))
        case 400..<500 where status.code != 401 && status.code != 408:
            return backOff.wait(failures, floor: .seconds(60))
        default: return backOff.wait(failures, floor: status.retryAfter)
        }
    }
}

extension ServiceBook.Write.Action {
    fileprivate var isDelete: Bool { if case .delete = self { true } else { false } }

    /// Whether both leave the same Service: it may be forced once, and on a new one not.
    fileprivate func isSame(as other: Self) -> Bool {
        switch (self, other) {
        case (.apply(_, _, let left), .apply(_, _, let right)): left == right
        default: self == other
        }
    }
}

extension APIError {
    /// HTTP status code; nil where there was no answer.
    var code: Int? { if case .status(let status) = self { status.code } else { nil } }
}
