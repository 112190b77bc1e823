internal import HTTPClient
internal import KubernetesAPI
internal import Observability
internal import Platform

/// One list and watch: carries out what its machine asks for and keeps its cache. Of the cluster's thread.
final class Informer {
    /// How objects are asked for.
    enum Form: Hashable {
        case whole
        /// Their metadata alone.
        case metadata
    }

    let scope: CacheScope
    let cache: any ResourceCache
    private(set) var machine: InformerMachine
    private(set) var lastEvent: Int64?
    /// When the server last said something about the objects.
    private(set) var lastHeard: MonotonicTime?
    /// What there is comes from a cache on disk: no list was whole yet.
    private(set) var isRestored = false
    /// When it began to ask for what it does not have.
    private(set) var since = MonotonicTime.now()
    /// What there is does not answer the question any more: a new list is on its way.
    private var isOutdated = false
    /// The rest works without it: that a right for it is missing is no error.
    let isOptional: Bool
    /// The kind is not there any more, or it is there anew.
    var onAbsence: () -> Void = {}

    private let form: Form
    private let desk: RequestDesk
    private let logger: Logger
    private var request: UInt64?
    private var stream: (ticket: UInt64, stream: any HTTPStream)?
    private var head: HTTPHead?
    private var loggedProblem: InformerMachine.Problem?

    init(
        cache: any ResourceCache, scope: CacheScope, form: Form = .whole, isOptional: Bool = false,
        machine: InformerMachine, desk: RequestDesk, logger: Logger
    ) {
        (self.cache, self.scope, self.form, self.machine, self.desk) = (cache, scope, form, machine, desk)
        (self.isOptional, self.logger) = (isOptional, logger)
    }

    var kind: ResourceKind { cache.kind }
    /// Whether the first answer is there: the objects, or that they cannot be had.
    var isSettled: Bool {
        if machine.hasSynced, !isOutdated { return true }
        switch machine.problem {
        case .denied, .absent: return true
        case .failing, nil: return false
        }
    }

    /// It was never permitted, and is not now.
    var isDenied: Bool {
        if case .denied? = machine.problem { !machine.hasSynced } else { false }
    }
    var isByName: Bool { scope.name != nil }
    /// What is watched, in a few words.
    var place: String {
        let namespace = scope.namespace.map { " in \($0)" } ?? ""
        return scope.name.map { "\(kind.plural) \($0)\(namespace)" } ?? "\(kind.plural)\(namespace)"
    }

    /// Has what a cache on disk has, until a list is whole.
    func restore(_ objects: RestoredObjects) {
        let texts = objects.texts(of: kind, in: scope)
        guard !machine.hasSynced, !isRestored, !texts.isEmpty else { return }
        cache.restore(texts)
        isRestored = true
    }

    /// Does what is due.
    func step(now: MonotonicTime) {
        while let command = machine.next(now: now) { perform(command) }
        report()
    }

    /// Content that is not trusted any more, or another version of the kind: asks for everything anew.
    func relist() {
        stop()
        machine.relist()
        (isOutdated, since) = (true, .now())
    }

    /// Ends what is under way. The objects stay.
    func stop() {
        if let request { desk.forget(request) }
        request = nil
        closeStream()
    }

    private func perform(_ command: InformerMachine.Command) {
        switch command {
        case .list(let token, let limit): list(continueToken: token, limit: limit)
        case .watch(let watch): self.watch(watch)
        case .cancel: closeStream()
        }
    }

    private func list(continueToken: String?, limit: Int?) {
        if continueToken == nil { cache.begin() }
        var request = listRequest("list")
        if form == .metadata { request.accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1" }
        if let limit { request.query.append(("limit", String(limit))) }
        if let continueToken { request.query.append(("continue", continueToken)) }
        self.request = desk.send(request) { [weak self] result in self?.listed(result) }
    }

    private func listed(_ result: Result<APIResponse, APIError>) {
        request = nil
        do throws(APIError) {
            let response = try result.get()
            do {
                let page = try cache.page(response.body)
                (lastEvent, lastHeard) = (realtimeNanoseconds(), .now())
                if machine.listed(continueToken: page.continueToken, resourceVersion: page.resourceVersion) {
                    commit()
                }
            } catch {
                throw APIError.malformed("list of \(kind.plural): \(ObjectFault(error))")
            }
        } catch {
            fail(error)
        }
    }

    private func commit() {
        cache.commit()
        (isOutdated, isRestored) = (false, false)
    }

    private func watch(_ watch: InformerMachine.Watch) {
        var request = listRequest("watch")
        if form == .metadata { request.accept = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" }
        request.query += [("watch", "1"), ("allowWatchBookmarks", "true")]
        if let version = watch.resourceVersion {
            request.query.append(("resourceVersion", version))
        } else {
            cache.begin()
            request.query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
        }
        request.query.append(("timeoutSeconds", String(watch.timeoutSeconds)))
        head = nil
        stream = desk.open(request, isFresh: watch.isFresh) { [weak self] in self?.read() }
    }

    private func listRequest(_ verb: String) -> APIRequest {
        var path = kind.group.isEmpty ? "/api/\(kind.version)" : "/apis/\(kind.group)/\(kind.version)"
        if let namespace = scope.namespace { path += "/namespaces/\(namespace)" }
        var request = APIRequest(.get, "\(path)/\(kind.plural)", verb: verb, resource: kind.plural)
        if let name = scope.name { request.query.append(("fieldSelector", "metadata.name=\(name)")) }
        return request
    }

    /// Takes what the stream has.
    private func read() {
        guard let stream else { return }
        let part = stream.stream.take()
        let now = MonotonicTime.now()
        if let head = part.head {
            self.head = head
            if head.status == 200 { machine.opened(now: now) }
        }
        guard let head, head.status == 200 else {
            guard part.end != nil else { return }
            closeStream()
            return fail(refusal(part))
        }
        for line in part.lines where !line.isEmpty {
            guard take(line, now: now) else { return }
        }
        guard let end = part.end else { return }
        closeStream()
        machine.ended(end, now: now)
    }

    /// False when the watch is over with this line.
    private func take(_ line: [UInt8], now: MonotonicTime) -> Bool {
        do {
            switch try cache.line(line, isInitial: machine.isInitial) {
            case .nothing: return true
            case .version(let version, let endsInitialEvents):
                (lastEvent, lastHeard) = (realtimeNanoseconds(), now)
                if machine.received(resourceVersion: version, endsInitialEvents: endsInitialEvents, now: now) {
                    commit()
                }
                return true
            case .error(let status):
                closeStream()
                fail(.status(status))
            }
        } catch {
            // What is not even an event says nothing about which objects it concerns.
            logger.error(
                "watch event cannot be read, the objects are listed anew",
                ["resource": LogValue(kind.plural), "problem": LogValue(ObjectFault(error).description)])
            closeStream()
            machine.failed(.malformed("watch of \(kind.plural): \(ObjectFault(error))"), now: now)
        }
        return false
    }

    private func refusal(_ part: HTTPStreamPart) -> APIError {
        guard let head else {
            if case .failed(let error)? = part.end { return .transport(error) }
            return .transport(TransportError(.interrupted, "the watch ended without an answer"))
        }
        return .status(APIStatus(head: head, body: Array(part.lines.joined())))
    }

    private func fail(_ error: APIError) {
        machine.failed(error, now: .now())
        if machine.problem == .absent { onAbsence() }
    }

    private func closeStream() {
        guard let stream else { return }
        desk.forget(stream.ticket)
        stream.stream.cancel()
        self.stream = nil
    }

    /// Says each new problem once, and when it is over.
    private func report() {
        guard machine.problem != loggedProblem else { return }
        defer { loggedProblem = machine.problem }
        let fields: KeyValuePairs<String, LogValue> = [
            "resource": LogValue(kind.plural), "namespace": LogValue(scope.namespace ?? ""),
            "name": LogValue(scope.name ?? ""), "problem": LogValue(machine.problem?.description ?? ""),
        ]
        // The watches of single objects fail together with those of the kinds.
        let level = isByName ? Logger.Level.debug : .warning
        switch (machine.problem, loggedProblem) {
        case (.denied?, _): logger.log(isOptional ? .info : .error, "a right is missing", fields)
        case (.failing?, .failing?), (.absent?, _): logger.debug("objects cannot be watched", fields)
        case (.failing?, _): logger.log(level, "objects cannot be watched, what is known of them stays", fields)
        case (nil, .denied?): logger.info("objects are watched again", fields)
        case (nil, _): logger.log(min(level, .info), "objects are watched again", fields)
        }
    }
}

extension InformerMachine {
    /// Whether a streaming list is on its way.
    var isInitial: Bool {
        if case .watching(let open) = state { open.isInitial } else { false }
    }
}

extension InformerMachine.Problem: CustomStringConvertible {
    var description: String {
        switch self {
        case .denied(let verb, let message): "may not \(verb): \(message)"
        case .absent: "the server does not have it"
        case .failing(let message): message
        }
    }
}
