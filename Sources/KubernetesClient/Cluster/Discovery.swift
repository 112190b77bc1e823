internal import FoundationEssentials
internal import KubernetesAPI
internal import Observability
internal import Platform
internal import Primitives

/// Finds out which versions a server has of the kinds that it may lack: by aggregated discovery, by the older one where
/// the server does not know that. Again and again, or when it is told to. Of the cluster's thread.
final class Discovery {
    /// Nil until the server has answered once.
    private(set) var served: ServedVersions?
    private(set) var lastHeard: MonotonicTime?
    /// Why the last attempt failed.
    private(set) var problem: String?
    /// How long an answer is trusted, unless ``invalidate()`` is called.
    var lifetime: () -> Duration = { .seconds(30) }

    private let groups: Set<String>
    private let timing: InformerTiming
    private let desk: RequestDesk
    private let logger: Logger
    private let onAnswer: (ServedVersions) -> Void
    private var jitter: SplitMix64
    private var isAsking = false
    private var due = MonotonicTime(nanoseconds: .min)
    private var lastAsked = MonotonicTime(nanoseconds: 0)
    private var eagerness = 0
    private var failures = 0
    /// Answers of the older discovery that are still to come, and what it gathered.
    private var open = 0
    private var gathered = ServedVersions()
    private var failure: APIError?

    /// `groups`: those that are asked about.
    init(
        groups: Set<String>, timing: InformerTiming, desk: RequestDesk, logger: Logger, seed: UInt64,
        onAnswer: @escaping (ServedVersions) -> Void
    ) {
        (self.groups, self.timing, self.desk, self.logger, self.onAnswer) = (groups, timing, desk, logger, onAnswer)
        jitter = SplitMix64(seed: seed)
    }

    var deadline: MonotonicTime? { isAsking ? nil : due }

    /// Something says that the last answer does not hold any more: asks again soon, and a few times more, because a kind
    /// is served a little after its CRD is there.
    func invalidate() {
        eagerness = 5
        // No more than once in a while, however often it is said.
        due = min(due, max(.now(), lastAsked + timing.longestPause))
    }

    /// Does what is due.
    func step(now: MonotonicTime) {
        guard !isAsking, due <= now else { return }
        (isAsking, lastAsked) = (true, now)
        var request = APIRequest(.get, "/apis", verb: "get", resource: "apigroups")
        request.accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
        _ = desk.send(request) { [weak self] in self?.answered($0) }
    }

    private func answered(_ result: Result<APIResponse, APIError>) {
        do throws(APIError) {
            let body = Data(try result.get().body)
            do {
                let decoder = JSONDecoder()
                if let served = try decoder.decode(DiscoveryAnswer.self, from: body).served(groups: groups) {
                    return finish(.success(served))
                }
                askInTheOldWay(try decoder.decode(GroupList.self, from: body))
            } catch {
                throw APIError.malformed("discovery: \(ObjectFault(error))")
            }
        } catch {
            finish(.failure(error))
        }
    }

    private func askInTheOldWay(_ list: GroupList) {
        (gathered, failure, open) = (ServedVersions(), nil, 0)
        for group in list.groups where groups.contains(group.name) {
            for version in group.versions.map(\.version) {
                open += 1
                let path = "/apis/\(group.name)/\(version)"
                _ = desk.send(APIRequest(.get, path, verb: "get", resource: "apigroups")) { [weak self] in
                    self?.answered($0, group: group.name, version: version)
                }
            }
        }
        if open == 0 { finish(.success(gathered)) }
    }

    private func answered(_ result: Result<APIResponse, APIError>, group: String, version: String) {
        open -= 1
        do throws(APIError) {
            let body = Data(try result.get().body)
            do {
                for resource in try JSONDecoder().decode(ResourceList.self, from: body).resources {
                    gathered.add(group: group, version: version, plural: resource.name, verbs: resource.verbs ?? [])
                }
            } catch {
                throw APIError.malformed("discovery of \(group)/\(version): \(ObjectFault(error))")
            }
        } catch {
            // A version may go between two answers.
            if case .status(let status) = error, status.code == 404 {} else { failure = error }
        }
        guard open == 0 else { return }
        finish(failure.map { .failure($0) } ?? .success(gathered))
    }

    private func finish(_ result: Result<ServedVersions, APIError>) {
        isAsking = false
        let now = MonotonicTime.now()
        switch result {
        case .success(let served):
            if problem != nil { logger.info("the server's kinds are known again") }
            (failures, problem, lastHeard) = (0, nil, now)
            self.served = served
            onAnswer(served)
            due = nextTime(after: now)
        case .failure(let error):
            eagerness = max(eagerness, 1)
            if problem == nil {
                logger.warning("which kinds the server has is not known", ["problem": LogValue(error.description)])
            }
            problem = error.description
            let delay = min(timing.longestDelay, timing.firstDelay * (1 << min(failures, 10)))
            failures += 1
            due = now + delay * Double.random(in: 2.0 / 3...1, using: &jitter)
        }
    }

    private func nextTime(after now: MonotonicTime) -> MonotonicTime {
        if eagerness > 0 {
            eagerness -= 1
            return now + timing.longestPause * (1 << (4 - min(4, eagerness)))
        }
        return now + lifetime() * Double.random(in: 0.8...1.2, using: &jitter)
    }
}
