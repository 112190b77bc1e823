internal import EngineModel
internal import Inspection
internal import KubernetesAPI
internal import KubernetesClient
internal import Observability
internal import Platform
internal import Primitives
internal import Translation

/// The state of the controller's thread: made on it, gone with it.
final class ControllerLoop {
    /// What does not change while it runs.
    struct Setup: Sendable {
        let target: any ConfigurationTarget
        let options: TranslationOptions
        let logger: Logger
        let localAddresses: @Sendable () -> [IPAddress]
        let onOutcome: (@Sendable (Outcome) -> Void)?
        let onConfiguration: (@Sendable (EngineConfiguration) -> Void)?
    }

    private let setup: Setup
    private let translator: Translator
    private let publish: (ControllerState) -> Void
    private var state = ControllerState()
    private var report = StatusReport()
    private var notices: [Notice] = []
    private var composer = StatusComposer()
    /// What was last translated; nil before the first time.
    private var snapshot: ClusterSnapshot?
    /// What may differ from that in the newest state of the source; nil: not known.
    private var touched: TouchedObjects? = TouchedObjects()
    private var result: TranslationResult?
    /// The report with the engine's answer.
    private var composed = StatusReport()
    /// Counts evaluations and answers of the engine, and those of them that changed ``composed``.
    private var revision: UInt64 = 0
    private var statusRevision: UInt64 = 0
    /// What the API server has; nil where the source is no cluster.
    private var observed: ObservedStatuses?
    private var faults: [ClusterState.Fault] = []
    /// Conditions that changed since an outcome was last handed over.
    private var changes: [StatusItem] = []

    init(_ setup: Setup, publish: @escaping (ControllerState) -> Void) {
        (self.setup, self.publish) = (setup, publish)
        translator = Translator(options: setup.options)
    }

    private enum Work {
        case load(ClusterSnapshot, isComplete: Bool, touched: TouchedObjects?, seen: MonotonicTime)
        case cluster(ClusterState, seen: MonotonicTime)
        case listenersChanged(Acknowledgement)
        case stop
    }

    /// When what evaluating left over is given back to the system: after some quiet, and when there is none in the end.
    private var tidying: (quiet: MonotonicTime, latest: MonotonicTime)?

    /// Works until it is told to stop.
    func run(_ mailbox: Monitored<Controller.Mailbox>) {
        while true {
            switch nextWork(mailbox) {
            case .stop: return
            case nil: break
            case .load(let snapshot, let isComplete, let touched, let seen):
                self.touched = TouchedObjects.merged(self.touched, touched)
                load(snapshot, isComplete: isComplete, seen: seen)
            case .cluster(let state, let seen): take(state, seen: seen)
            case .listenersChanged(let acknowledgement): listenersChanged(acknowledgement)
            }
            // Not only in quiet: work that keeps coming and evaluates nothing must not put it off for ever.
            reconsider()
            tidy()
        }
    }

    private func tidy() {
        guard let tidying, min(tidying.quiet, tidying.latest) <= .now() else { return }
        self.tidying = nil
        Host.giveBackMemory()
    }

    private func nextWork(_ mailbox: Monitored<Controller.Mailbox>) -> Work? {
        mailbox.wait(until: wakeTime) { mailbox in
            if mailbox.stopping { return .stop }
            if let (snapshot, isComplete, touched, seen) = mailbox.snapshot {
                mailbox.snapshot = nil
                return .load(snapshot, isComplete: isComplete, touched: touched, seen: seen)
            }
            if let (state, seen) = mailbox.cluster {
                mailbox.cluster = nil
                return .cluster(state, seen: seen)
            }
            guard let acknowledgement = mailbox.acknowledgement else { return nil }
            mailbox.acknowledgement = nil
            return .listenersChanged(acknowledgement)
        }
    }

    /// When the passing of time alone changes what the snapshot means. The monotonic clock waits, the wall's decides:
    /// it is looked at again each minute, for it may be set.
    private var wakeTime: MonotonicTime? {
        let reconsidering = result?.reconsiderAt.map {
            MonotonicTime.now() + .seconds(min(max($0 - wallSeconds(), 1), 60))
        }
        return [reconsidering, tidying?.quiet, tidying?.latest].compactMap { $0 }.min()
    }

    private func reconsider() {
        guard let reconsiderAt = result?.reconsiderAt, var snapshot, wallSeconds() >= reconsiderAt else { return }
        snapshot.asOf = wallSeconds()
        evaluate(snapshot, seen: .now())
        publishAll()
    }

    private func load(_ snapshot: ClusterSnapshot, isComplete: Bool, seen: MonotonicTime) {
        evaluate(snapshot, seen: seen)
        count(isComplete: isComplete, seen: seen)
        publishAll()
    }

    /// A cluster's state: translated where more than statuses changed.
    private func take(_ cluster: ClusterState, seen: MonotonicTime) {
        touched = TouchedObjects.merged(touched, cluster.touched)
        guard cluster.isSynced || snapshot != nil else { return }
        // Nothing is written from what a cache on disk had.
        observed = cluster.isFromCache ? nil : cluster.observed
        // What was touched and is as it was is rare; to look for it among thousands is not worth while.
        let isTouched = touched.map { !$0.isEmpty } ?? false
        let isNew =
            isTouched || snapshot?.isEqual(to: cluster.snapshot) != true
            || snapshot?.validityDiffers(at: cluster.snapshot.asOf) == true
        if isNew { evaluate(cluster.snapshot, seen: seen) } else { touched = TouchedObjects() }
        if isNew || faults != cluster.faults { count(isComplete: cluster.faults.isEmpty, seen: seen) }
        faults = cluster.faults
        publishAll()
    }

    private func count(isComplete: Bool, seen: MonotonicTime) {
        state.reloads.durations.record(.now() - seen)
        state.reloads.lastSucceeded = isComplete
        if isComplete {
            state.reloads.succeeded += 1
            state.reloads.lastSuccess = realtimeNanoseconds()
        } else {
            state.reloads.failed += 1
        }
    }

    private func publishAll() {
        publish(state)
        guard let observed, let result, let snapshot, let onOutcome = setup.onOutcome else { return }
        onOutcome(
            Outcome(
                revision: revision, statusRevision: statusRevision, statuses: composed,
                infrastructure: result.infrastructure,
                notices: result.notices, changes: changes, faults: faults, snapshot: snapshot, observed: observed))
        changes = []
    }

    private func listenersChanged(_ acknowledgement: Acknowledgement) {
        // One that was sent before the last application says nothing about it.
        guard let current = state.acknowledgement, acknowledgement.generation >= current.generation else { return }
        state.acknowledgement = acknowledgement
        close(report)
        publishAll()
    }

    private func evaluate(_ snapshot: ClusterSnapshot, seen: MonotonicTime) {
        let quiet = MonotonicTime.now() + .seconds(5)
        tidying = (quiet, tidying?.latest ?? quiet + .seconds(60))
        let (begun, before) = (MonotonicTime.now(), translator.counts.whole)
        let result = translator.translate(snapshot, touched: touched)
        // Letting go of thousands of objects takes its time: after traffic follows.
        let last = (self.snapshot, self.result, state.configuration)
        defer { withExtendedLifetime(last) {} }
        (self.snapshot, self.result, touched) = (snapshot, result, TouchedObjects())
        state.snapshot = snapshot
        let differs = translator.configurationDiffers ?? (state.configuration != result.configuration)
        if differs { apply(result.configuration, seen: seen) }
        report = result.statuses
        close(report)
        remark(result.notices)
        state.certificates.update(result.certificates)
        state.reconciles.record(
            translator.counts.whole == before ? .incremental : .full, differs ? .applied : .unchanged, .now() - begun)
    }

    /// Makes a configuration the one that is served, and remembers what is other than before.
    private func apply(_ configuration: EngineConfiguration, seen: MonotonicTime) {
        let started = MonotonicTime.now()
        let acknowledgement = setup.target.apply(configuration, change: translator.change)
        let end = MonotonicTime.now()
        let before = state.configuration
        state.configuration = configuration
        state.acknowledgement = acknowledgement
        state.appliedAt = wallSeconds()
        setup.onConfiguration?(configuration)
        setup.logger.info(
            "configuration applied",
            [
                LogKey.generation: LogValue(acknowledgement.generation),
                "listeners": LogValue(configuration.listeners.count),
                "backends": LogValue(configuration.backends.count), "took": LogValue(end - started),
            ])
        let step = ConfigurationStep(
            generation: acknowledgement.generation, appliedAt: realtimeNanoseconds() / 1_000_000,
            milliseconds: (end - seen).inMilliseconds,
            changes: ConfigurationStep.differences(
                from: before ?? EngineConfiguration(), to: configuration, before == nil ? nil : translator.change))
        state.history = [step] + state.history.prefix(ControllerState.historyLength - 1)
    }

    /// Closes the open conditions with what the engine last said, and logs those that say something new.
    private func close(_ report: StatusReport) {
        let next = composer.compose(report, state.acknowledgement, addresses: setup.localAddresses())
        revision += 1
        let targets = next.changedTargets(since: composed)
        composed = next
        state.report = next
        guard !targets.isEmpty || statusRevision == 0 else { return }
        statusRevision += 1
        keep(targets)
    }

    /// Keeps what is said now of objects of which something else was said before.
    private func keep(_ targets: [StatusTarget]) {
        let now = wallSeconds()
        var changed: [StatusStore.Change] = []
        for target in targets {
            let kind = target.kind.rawValue
            let items = composed.items(of: target)
            state.counts.replace(kind, state.statuses.conditions(of: kind, target.key), with: items.map(\.condition))
            changed += state.statuses.update(kind, target.key, items, now: now)
        }
        changed.sort { $0.key < $1.key }
        if setup.onOutcome != nil, observed != nil { changes += changed.map(\.item) }
        for change in changed { setup.logger.logChange(change.item, isNew: change.isNew) }
    }

    private func remark(_ current: [Notice]) {
        guard current != notices else { return }
        let known = Set(notices)
        for notice in current where !known.contains(notice) {
            setup.logger.warning(
                "notice", [LogKey.object: "\(notice.kind) \(notice.key)", "detail": LogValue(notice.message)])
        }
        notices = current
        state.notices = current
    }
}

extension StatusStore.Change {
    fileprivate var key: StatusStore.Key {
        StatusStore.Key(subject: item.subject, type: item.condition.type.rawValue)
    }
}

extension Duration {
    fileprivate var inMilliseconds: Double {
        Double(components.seconds) * 1e3 + Double(components.attoseconds) / 1e15
    }
}

/// Seconds since 1970.
func wallSeconds() -> Int64 { realtimeNanoseconds() / 1_000_000_000 }

extension ClusterSnapshot {
    /// Whether both hold the same objects, whenever they were taken. Where nothing changed, the dictionaries share
    /// their storage, and that is all that is compared.
    fileprivate func isEqual(to other: ClusterSnapshot) -> Bool {
        var other = other
        other.asOf = asOf
        return self == other
    }
}
