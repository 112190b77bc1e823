internal import EngineModel
internal import KubernetesAPI
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
    }

    private let setup: Setup
    private let publish: (ControllerState) -> Void
    private var state = ControllerState()
    private var report = StatusReport()
    private var notices: Set<Notice> = []

    init(_ setup: Setup, publish: @escaping (ControllerState) -> Void) { (self.setup, self.publish) = (setup, publish) }

    private enum Work {
        case load(ClusterSnapshot, isComplete: Bool, seen: MonotonicTime)
        case listenersChanged(Acknowledgement)
        case stop
    }

    /// Works until it is told to stop.
    func run(_ mailbox: Monitored<Controller.Mailbox>) {
        while true {
            switch nextWork(mailbox) {
            case .stop: return
            case .load(let snapshot, let isComplete, let seen): load(snapshot, isComplete: isComplete, seen: seen)
            case .listenersChanged(let acknowledgement): listenersChanged(acknowledgement)
            case nil: continue
            }
        }
    }

    private func nextWork(_ mailbox: Monitored<Controller.Mailbox>) -> Work? {
        mailbox.wait { mailbox in
            if mailbox.stopping { return .stop }
            if let (snapshot, isComplete, seen) = mailbox.snapshot {
                mailbox.snapshot = nil
                return .load(snapshot, isComplete: isComplete, seen: seen)
            }
            guard let acknowledgement = mailbox.acknowledgement else { return nil }
            mailbox.acknowledgement = nil
            return .listenersChanged(acknowledgement)
        }
    }

    private func load(_ snapshot: ClusterSnapshot, isComplete: Bool, seen: MonotonicTime) {
        evaluate(snapshot)
        state.reloads.durations.record(.now() - seen)
        state.reloads.lastSucceeded = isComplete
        if isComplete {
            state.reloads.succeeded += 1
            state.reloads.lastSuccess = realtimeNanoseconds()
        } else {
            state.reloads.failed += 1
        }
        publish(state)
    }

    private func listenersChanged(_ acknowledgement: Acknowledgement) {
        // One that was sent before the last application says nothing about it.
        guard let current = state.acknowledgement, acknowledgement.generation >= current.generation else { return }
        state.acknowledgement = acknowledgement
        close(report)
        publish(state)
    }

    private func evaluate(_ snapshot: ClusterSnapshot) {
        let result = translate(snapshot, options: setup.options)
        if state.configuration != result.configuration {
            let started = MonotonicTime.now()
            let acknowledgement = setup.target.apply(result.configuration)
            state.configuration = result.configuration
            state.acknowledgement = acknowledgement
            state.appliedAt = realtimeNanoseconds() / 1_000_000_000
            setup.logger.info(
                "configuration applied",
                [
                    LogKey.generation: LogValue(acknowledgement.generation),
                    "listeners": LogValue(result.configuration.listeners.count),
                    "backends": LogValue(result.configuration.backends.count),
                    "took": LogValue(.now() - started),
                ])
        }
        report = result.statuses
        close(report)
        remark(result.notices)
    }

    /// Closes the open conditions with what the engine last said, and logs those that say something new.
    private func close(_ report: StatusReport) {
        let items = compose(report, state.acknowledgement, addresses: setup.localAddresses()).items
        let known = Set(state.statuses.entries.keys)
        let changed = state.statuses.update(items, now: realtimeNanoseconds() / 1_000_000_000)
        state.counts = ObjectCounts(items)
        for item in changed {
            let key = StatusStore.Key(subject: item.subject, type: item.condition.type.rawValue)
            setup.logger.logChange(item, isNew: !known.contains(key))
        }
    }

    private func remark(_ current: [Notice]) {
        for notice in current where !notices.contains(notice) {
            setup.logger.warning(
                "notice", [LogKey.object: "\(notice.kind) \(notice.key)", "detail": LogValue(notice.message)])
        }
        notices = Set(current)
    }
}
