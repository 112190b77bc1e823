internal import FoundationEssentials
internal import KubernetesAPI
internal import KubernetesClient
internal import Observability
internal import Platform

/// The state of the thread `lease`: sends what the election asks for, and tells it what came of it.
final class LeaseLoop {
    struct Setup: Sendable {
        let server: any APIServer
        let settings: LeaderElector.Settings
        let logger: Logger
    }

    /// What waits for the thread.
    struct Inbox {
        var answers: [(number: UInt64, answer: Result<APIResponse, APIError>)] = []
        var stopping = false
        var stopped = false
    }

    private let setup: Setup
    private let inbox: Monitored<Inbox>
    private let leadership: Leadership
    private var election: LeaseElection
    private var errors = LogRateLimiter<String>(limit: 1, per: .seconds(60))

    init(_ setup: Setup, inbox: Monitored<Inbox>, leadership: Leadership) {
        (self.setup, self.inbox, self.leadership) = (setup, inbox, leadership)
        let settings = setup.settings
        var generator = SystemRandomNumberGenerator()
        election = LeaseElection(
            identity: "\(settings.identity)_\(UUID().uuidString.lowercased())",
            timing: .init(
                leaseDuration: settings.leaseDuration, renewDeadline: settings.renewDeadline,
                retryPeriod: settings.retryPeriod),
            now: .now(), seed: generator.next())
    }

    private enum Work {
        case answers([(number: UInt64, answer: Result<APIResponse, APIError>)])
        case stop
    }

    func run() {
        while true {
            let work: Work? = inbox.wait(until: election.wakeTime) { inbox in
                if inbox.stopping { return .stop }
                guard !inbox.answers.isEmpty else { return nil }
                defer { inbox.answers = [] }
                return .answers(inbox.answers)
            }
            switch work {
            case .stop: return release()
            case .answers(let answers): for (number, answer) in answers { receive(answer, to: number) }
            case nil: break
            }
            let next = election.poll(now: .now(), wall: wall)
            report()
            if let next { send(next) }
        }
    }

    private var wall: String { TimeText.micro(realtimeNanoseconds()) }

    private func receive(_ answer: Result<APIResponse, APIError>, to number: UInt64) {
        let next = election.receive(interpret(answer), to: number, now: .now(), wall: wall)
        report()
        if let next { send(next) }
    }

    private func report() {
        guard leadership.update(validUntil: election.validUntil) else { return }
        let lease = LogValue("\(setup.settings.namespace)/\(setup.settings.name)")
        if election.validUntil != nil {
            setup.logger.info("leader: this replica writes statuses and Services", ["lease": lease])
        } else {
            setup.logger.warning("leadership lost; traffic is served as before", ["lease": lease])
        }
    }

    private func interpret(_ answer: Result<APIResponse, APIError>) -> LeaseElection.Answer {
        switch answer {
        case .success(let response):
            guard let object = JSONValue(bytes: response.body) else { return .failed }
            return .lease(ObservedLease(object))
        case .failure(.status(let status)) where status.code == 404: return .notFound
        case .failure(.status(let status)) where status.code == 409: return .conflict
        case .failure(let error):
            if let suppressed = errors.admit("\(error)", now: .now()) {
                setup.logger.warning(
                    "the Lease cannot be read or written",
                    [
                        LogKey.object: LogValue("Lease \(setup.settings.namespace)/\(setup.settings.name)"),
                        LogKey.error: LogValue(describing: error), LogKey.suppressed: LogValue(suppressed),
                    ])
            }
            return .failed
        }
    }

    private func send(_ attempt: LeaseElection.Attempt) {
        let inbox = inbox
        var request = request(attempt.request)
        request.timeout = election.requestTimeout
        setup.server.send(request, lane: .writes) { answer in
            inbox.update { $0.answers.append((attempt.number, answer)) }
        }
    }

    private func request(_ request: LeaseElection.Request) -> APIRequest {
        var path = ObjectPath(
            group: "coordination.k8s.io", version: "v1", plural: "leases", namespace: setup.settings.namespace)
        switch request {
        case .create(let record):
            let metadata: [String: JSONValue] = [
                "name": .string(setup.settings.name), "namespace": .string(setup.settings.namespace),
            ]
            return path.request(
                .post, verb: "create",
                .object([
                    "apiVersion": .string("coordination.k8s.io/v1"), "kind": .string("Lease"),
                    "metadata": .object(metadata), "spec": .object(record.spec),
                ]))
        case .get:
            path.name = setup.settings.name
            return path.request(.get, verb: "get")
        case .update(let lease, let record):
            path.name = setup.settings.name
            return path.request(.put, verb: "update", lease.with(record))
        }
    }

    /// Gives the Lease back where it is ours, so that another replica need not wait for it to run out. It is read
    /// first: a renewal on its way may have changed it since.
    private func release() {
        leadership.update(validUntil: nil)
        for _ in 0..<2 {
            guard case .lease(let lease) = ask(.get), lease.record.holder == election.identity else { return }
            var record = lease.record
            (record.holder, record.durationSeconds, record.renewTime) = ("", 1, wall)
            switch ask(.update(lease, record)) {
            case .lease: return setup.logger.info("the Lease was given back")
            case .conflict: continue
            case .failed, .notFound: break
            }
            break
        }
        setup.logger.warning("the Lease was not given back; another replica waits until it runs out")
    }

    /// Sends a request and waits for its answer, at most 2 s.
    private func ask(_ request: LeaseElection.Request) -> LeaseElection.Answer {
        let result = Monitored<Result<APIResponse, APIError>?>(nil)
        setup.server.send(self.request(request), lane: .writes) { answer in result.update { $0 = answer } }
        return result.wait(until: .now() + .seconds(2)) { $0 }.map(interpret) ?? .failed
    }
}
