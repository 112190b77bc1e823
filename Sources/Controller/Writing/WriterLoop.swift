internal import KubernetesAPI
internal import KubernetesClient
internal import Observability
internal import Platform

/// The state of the thread `writer`: sends what the books say, and tells them what came of it.
final class WriterLoop {
    struct Setup: Sendable {
        let server: any APIServer
        let settings: ClusterWriter.Settings
        let leadership: Leadership
        let logger: Logger
    }

    typealias Answer = Result<APIResponse, APIError>

    /// Whose request an answer belongs to.
    enum Request: Sendable {
        case status(StatusBook.Write)
        case service(ServiceBook.Write)
        case event(EventBook.Write)
        case marker
    }

    /// What waits for the thread.
    struct Inbox {
        var outcome: Outcome?
        /// Of all outcomes, also of those that were replaced before they were taken.
        var changes: [StatusItem] = []
        /// How many outcomes there have been.
        var submitted: UInt64 = 0
        var answers: [(request: Request, answer: Answer)] = []
        var leadershipChanged = false
        var stopping = false
        var stopped = false
    }

    let setup: Setup
    private let inbox: Monitored<Inbox>
    private let publish: (WriterCounts) -> Void
    private var statuses: StatusBook
    private var services: ServiceBook
    private var events: EventBook
    /// The newest; for what is told once this replica leads.
    private var outcome: Outcome?
    private var marker: MarkerLookup
    private var wasLeader = false
    private var inFlight = 0
    private var taken: UInt64 = 0
    private var log: WriterLog

    init(_ setup: Setup, inbox: Monitored<Inbox>, publish: @escaping (WriterCounts) -> Void) {
        (self.setup, self.inbox, self.publish) = (setup, inbox, publish)
        var random = SystemRandomNumberGenerator()
        statuses = StatusBook(controllerName: setup.settings.controllerName, seed: random.next())
        services = ServiceBook(seed: random.next())
        events = EventBook(
            controllerName: setup.settings.controllerName, instance: setup.settings.instance, now: .now())
        marker = MarkerLookup(name: setup.settings.marker, seed: random.next())
        log = WriterLog(setup.logger)
    }

    private struct Work {
        var outcome: Outcome?
        var changes: [StatusItem]
        var submitted: UInt64
        var answers: [(request: Request, answer: Answer)]
        var isStopping: Bool
    }

    func run() {
        while true {
            let work: Work? = inbox.wait(until: wakeTime) { inbox in
                guard inbox.outcome != nil || !inbox.answers.isEmpty || inbox.leadershipChanged || inbox.stopping else {
                    return nil
                }
                defer {
                    (inbox.outcome, inbox.changes, inbox.answers, inbox.leadershipChanged) = (nil, [], [], false)
                }
                return Work(
                    outcome: inbox.outcome, changes: inbox.changes, submitted: inbox.submitted, answers: inbox.answers,
                    isStopping: inbox.stopping)
            }
            for (request, answer) in work?.answers ?? [] { receive(answer, to: request) }
            if work?.isStopping == true { return finish() }
            if let outcome = work?.outcome {
                self.outcome = outcome
                statuses.take(outcome)
                services.take(outcome)
                events.take(
                    work?.changes ?? [], outcome, isLeader: setup.leadership.isLeader, now: .now())
                events.take(faults: outcome.faults)
            }
            pump()
            log.write(&statuses.remarks)
            for trouble in log.write(&services.remarks) { tell(trouble) }
            if let work { taken = work.submitted }
            publish(WriterCounts(statuses: statuses.counts, isIdle: isIdle, taken: taken))
        }
    }

    private var isIdle: Bool { inFlight == 0 && (!wasLeader || statuses.isIdle) }

    private var wakeTime: MonotonicTime? {
        guard wasLeader else { return nil }
        let now = MonotonicTime.now()
        return [
            statuses.wakeTime(after: now), services.wakeTime(after: now), marker.wakeTime, events.wakeTime(after: now),
        ]
        .compactMap { $0 }.min()
    }

    /// Sends what may be sent now. Leadership is asked for before every request: it may end at any moment.
    private func pump() {
        let isLeader = setup.leadership.isLeader
        if isLeader, !wasLeader {
            statuses.restart()
            services.restart()
        }
        wasLeader = isLeader
        guard isLeader else { return statuses.rest() }
        if marker.next(now: .now()) { send(markerPath.request(.get, verb: "get"), as: .marker) }
        services.owner = marker.owner
        // Before the statuses: what the API server says already is not told again.
        if let outcome { events.tell(outcome, now: .now()) }
        while setup.leadership.isLeader, let write = services.next(now: .now()) {
            send(request(write), as: .service(write))
        }
        while setup.leadership.isLeader, let write = statuses.next(now: .now(), wall: wallSeconds()) {
            send(request(write), as: .status(write))
        }
        while setup.leadership.isLeader, let write = events.next(now: .now(), wall: realtimeNanoseconds()) {
            send(request(write), as: .event(write))
        }
    }

    private func tell(_ trouble: ServiceBook.Remark) {
        guard let event = ObjectEvent(trouble), setup.leadership.isLeader else { return }
        events.append(event, uid: outcome?.observed[event.kind, event.key]?.uid ?? "", now: .now())
    }

    private func receive(_ answer: Answer, to request: Request) {
        inFlight -= 1
        switch request {
        case .status(let write):
            let next = statuses.receive(
                answer.flatMap { ObservedStatus.read($0, version: write.version) }, to: write, now: .now(),
                wall: wallSeconds())
            guard let next else { return }
            if setup.leadership.isLeader {
                send(self.request(next), as: .status(next))
            } else {
                statuses.abandon(next)
            }
        case .service(let write): services.receive(answer.map { _ in }, to: write, now: .now())
        case .event(let write):
            if case .failure(let error) = answer { log.noteEvent(error) }
            events.receive(answer.map { _ in }, to: write, now: .now())
        case .marker:
            marker.receive(answer, now: .now())
            services.owner = marker.owner
            log.noteMarker(marker, namespace: setup.settings.namespace)
        }
    }

    private func send(_ request: APIRequest, as kind: Request) {
        let inbox = inbox
        inFlight += 1
        setup.server.send(request, lane: .writes) { answer in inbox.update { $0.answers.append((kind, answer)) } }
    }

    /// Waits for what is on its way, so that nothing of ours arrives once another replica leads.
    private func finish() {
        let end = MonotonicTime.now() + .seconds(3)
        while inFlight > 0 {
            let answers = inbox.wait(until: end) { inbox in
                guard !inbox.answers.isEmpty else { return nil as [(request: Request, answer: Answer)]? }
                defer { inbox.answers = [] }
                return inbox.answers
            }
            guard let answers else { return }
            inFlight -= answers.count
        }
    }
}
