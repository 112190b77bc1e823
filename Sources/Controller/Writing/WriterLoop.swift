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
        case marker
    }

    /// What waits for the thread.
    struct Inbox {
        var outcome: Outcome?
        /// How many outcomes there have been.
        var submitted: UInt64 = 0
        var answers: [(request: Request, answer: Answer)] = []
        var leadershipChanged = false
        var stopping = false
        var stopped = false
    }

    private let setup: Setup
    private let inbox: Monitored<Inbox>
    private let publish: (WriterCounts) -> Void
    private var statuses: StatusBook
    private var services: ServiceBook
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
        marker = MarkerLookup(name: setup.settings.marker, seed: random.next())
        log = WriterLog(setup.logger)
    }

    private struct Work {
        var outcome: Outcome?
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
                defer { (inbox.outcome, inbox.answers, inbox.leadershipChanged) = (nil, [], false) }
                return Work(
                    outcome: inbox.outcome, submitted: inbox.submitted, answers: inbox.answers,
                    isStopping: inbox.stopping)
            }
            for (request, answer) in work?.answers ?? [] { receive(answer, to: request) }
            if work?.isStopping == true { return finish() }
            if let outcome = work?.outcome {
                statuses.take(outcome)
                services.take(outcome)
            }
            pump()
            log.write(&statuses.remarks)
            log.write(&services.remarks)
            if let work { taken = work.submitted }
            publish(WriterCounts(statuses: statuses.counts, isIdle: isIdle, taken: taken))
        }
    }

    private var isIdle: Bool { inFlight == 0 && (!wasLeader || statuses.isIdle) }

    private var wakeTime: MonotonicTime? {
        guard wasLeader else { return nil }
        let now = MonotonicTime.now()
        return [statuses.wakeTime(after: now), services.wakeTime(after: now), marker.wakeTime].compactMap { $0 }.min()
    }

    /// Sends what may be sent now. Leadership is asked for before every request: it may end at any moment.
    private func pump() {
        let isLeader = setup.leadership.isLeader
        if isLeader, !wasLeader {
            statuses.restart()
            services.restart()
        }
        wasLeader = isLeader
        guard isLeader else { return }
        if marker.next(now: .now()) { send(markerPath.request(.get, verb: "get"), as: .marker) }
        services.owner = marker.owner
        while setup.leadership.isLeader, let write = services.next(now: .now()) {
            send(request(write), as: .service(write))
        }
        while setup.leadership.isLeader, let write = statuses.next(now: .now(), wall: wallSeconds()) {
            send(request(write), as: .status(write))
        }
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

    // MARK: Requests

    private var markerPath: ObjectPath {
        ObjectPath(
            group: "", version: "v1", plural: "configmaps", namespace: setup.settings.namespace,
            name: setup.settings.marker)
    }

    private func request(_ write: StatusBook.Write) -> APIRequest {
        let resource = write.target.kind.resource
        var path = ObjectPath(
            group: resource.group, version: write.version, plural: resource.plural,
            namespace: write.target.key.namespace, name: write.target.key.name)
        switch write.action {
        case .read: return path.request(.get, verb: "get")
        case .patch(let changes, let resourceVersion):
            path.subresource = "status"
            var request = path.mergePatch(
                .object([
                    "metadata": .object(["resourceVersion": .string(resourceVersion)]), "status": .object(changes),
                ]))
            request.query = [("fieldManager", setup.settings.fieldManager)]
            return request
        }
    }

    private func request(_ write: ServiceBook.Write) -> APIRequest {
        let path = ObjectPath(
            group: "", version: "v1", plural: "services", namespace: write.key.namespace, name: write.key.name)
        switch write.action {
        case .delete(let uid): return path.delete(uid: uid)
        case .apply(let object, let force, _):
            var request = path.request(.patch, verb: "patch", object)
            request.contentType = "application/apply-patch+yaml"
            request.query = [("fieldManager", setup.settings.fieldManager), ("force", force ? "true" : "false")]
            return request
        }
    }
}

extension ObservedStatus {
    /// The object in an answer.
    static func read(_ response: APIResponse, version: String) -> Result<ObservedStatus, APIError> {
        guard let object = JSONValue(bytes: response.body), let metadata = object["metadata"],
            let uid = metadata["uid"]?.text, let resourceVersion = metadata["resourceVersion"]?.text
        else { return .failure(.malformed("the answer to a request for an object is no object")) }
        return .success(
            ObservedStatus(
                uid: uid, resourceVersion: resourceVersion, generation: metadata["generation"]?.integer,
                version: version, status: object["status"]))
    }
}
