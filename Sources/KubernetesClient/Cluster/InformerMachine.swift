internal import HTTPClient
internal import Platform

/// What one informer asks of the API server and when: list, then watch from the list's version, and again from where it
/// was after every interruption. No I/O, and time is an argument; the driver carries out ``next(now:)`` and tells what came.
struct InformerMachine {
    enum Command: Hashable {
        /// A page of a list; the first has no token. `limit` nil: everything at once.
        case list(continueToken: String?, limit: Int?)
        case watch(Watch)
        /// Gives up the open watch.
        case cancel
    }

    struct Watch: Hashable {
        /// Nil: everything that is there now comes first (a streaming list).
        var resourceVersion: String?
        var timeoutSeconds: Int
        /// On a connection of its own, because the last one stalled.
        var isFresh: Bool
    }

    enum RestartReason: String, Hashable, Sendable, CaseIterable {
        case expired
        case error
        case eof
    }

    /// Why the informer does not follow its objects now.
    enum Problem: Hashable, Sendable {
        /// The server does not permit it; its words.
        case denied(verb: String, message: String)
        /// The server does not have the kind.
        case absent
        /// It is tried again.
        case failing(String)
    }

    enum Next: Hashable {
        /// The whole content, in the best way that the server knows.
        case sync
        case page(String)
        case watch(isFresh: Bool)
    }

    struct Open: Hashable {
        var since: MonotonicTime
        var lastActivity: MonotonicTime
        /// When the server ends it by itself.
        var end: MonotonicTime
        var isInitial: Bool
        var hasHead = false
    }

    enum State: Hashable {
        case due(Next)
        case waiting(Next, until: MonotonicTime)
        case listing(isFirstPage: Bool)
        case watching(Open)
    }

    static let pageSize = 500

    let timing: InformerTiming
    /// Whether the server is asked for streaming lists.
    var streamsLists: Bool
    var state = State.due(.sync)
    var jitter: Jitter
    /// The content was whole once.
    var hasSynced = false
    /// The version up to which the objects are known; opaque, nil before the first list.
    var resourceVersion: String?
    var restarts: [RestartReason: UInt64] = [:]
    var problem: Problem?

    /// Failures without a success between them.
    private var failures = 0
    /// Watches that ended in order soon after they began.
    private var quickEnds = 0
    /// Times that a version was too old as soon as it was used.
    private var expirations = 0
    /// Lists whose continue token expired on the way.
    private var brokenLists = 0

    init(timing: InformerTiming = InformerTiming(), streamsLists: Bool = true, seed: UInt64 = .random(in: 0 ... .max)) {
        (self.timing, self.streamsLists) = (timing, streamsLists)
        jitter = Jitter(seed: seed)
    }

    /// When ``next(now:)`` must be asked, whatever comes before.
    var deadline: MonotonicTime? {
        switch state {
        case .due: MonotonicTime(nanoseconds: .min)
        case .waiting(_, let until): until
        case .listing: nil
        case .watching(let open): stallTime(of: open)
        }
    }

    /// What to do now; asked again until there is nothing.
    mutating func next(now: MonotonicTime) -> Command? {
        switch state {
        case .due(let next): return begin(next, now: now)
        case .waiting(let next, let until):
            return until <= now ? begin(next, now: now) : nil
        case .watching(let open):
            guard stallTime(of: open) <= now else { return nil }
            count(.error)
            // A server that takes the parameters and ignores them never says where its initial events end.
            if open.isInitial, open.hasHead { streamsLists = false }
            state = .due(open.isInitial ? .sync : .watch(isFresh: true))
            return .cancel
        case .listing: return nil
        }
    }

    /// Content that is not trusted any more is asked for anew, at once.
    mutating func relist() { state = .due(.sync) }

    private func stallTime(of open: Open) -> MonotonicTime {
        if !open.hasHead { return open.since + timing.headTimeout }
        return open.lastActivity + (open.isInitial ? timing.initialStall : timing.stall)
    }

    private mutating func begin(_ next: Next, now: MonotonicTime) -> Command {
        switch next {
        case .page(let token):
            state = .listing(isFirstPage: false)
            return .list(continueToken: token, limit: Self.pageSize)
        case .sync where !streamsLists:
            state = .listing(isFirstPage: true)
            // A list that is outrun by changes again and again is asked for in one piece.
            return .list(continueToken: nil, limit: brokenLists > 1 ? nil : Self.pageSize)
        case .sync: return open(from: nil, isFresh: false, now: now)
        case .watch(let isFresh): return open(from: resourceVersion, isFresh: isFresh, now: now)
        }
    }

    private mutating func open(from version: String?, isFresh: Bool, now: MonotonicTime) -> Command {
        let seconds = max(1, Int(Double.random(in: timing.watchSeconds, using: &jitter)))
        state = .watching(
            Open(since: now, lastActivity: now, end: now + .seconds(seconds), isInitial: version == nil))
        return .watch(Watch(resourceVersion: version, timeoutSeconds: seconds, isFresh: isFresh))
    }

    mutating func count(_ reason: RestartReason) { restarts[reason, default: 0] += 1 }
}

// What the server says.
extension InformerMachine {
    /// A page came. True when the content is whole with it.
    mutating func listed(continueToken: String?, resourceVersion version: String) -> Bool {
        if let continueToken, !continueToken.isEmpty {
            state = .due(.page(continueToken))
            return false
        }
        brokenLists = 0
        becomeWhole(version)
        state = .due(.watch(isFresh: false))
        return true
    }

    /// The watch was accepted.
    mutating func opened(now: MonotonicTime) {
        guard case .watching(var open) = state else { return }
        (open.hasHead, open.lastActivity) = (true, now)
        state = .watching(open)
        problem = nil
    }

    /// An event or a bookmark. True when the initial events end with it: the content is whole.
    mutating func received(resourceVersion version: String, endsInitialEvents: Bool, now: MonotonicTime) -> Bool {
        guard case .watching(var open) = state else { return false }
        open.lastActivity = now
        (failures, expirations) = (0, 0)
        guard open.isInitial else {
            if !version.isEmpty { resourceVersion = version }
            state = .watching(open)
            return false
        }
        if endsInitialEvents {
            open.isInitial = false
            becomeWhole(version)
        }
        state = .watching(open)
        return endsInitialEvents
    }

    /// The stream of a watch that had been accepted ended.
    mutating func ended(_ end: HTTPStreamEnd, now: MonotonicTime) {
        guard case .watching(let open) = state else { return }
        forgive(now: now)
        switch end {
        case .finished:
            count(.eof)
            pause(for: open, now: now)
        case .consumerTooSlow:
            count(.error)
            // Pages come one at a time, as fast as they are read.
            if open.isInitial { streamsLists = false }
            state = .due(.sync)
        case .failed(let error):
            count(.error)
            problem = .failing(error.description)
            backOff(to: open.isInitial ? .sync : .watch(isFresh: false), after: nil, now: now)
        }
    }

    /// A request failed, or an accepted watch with an ERROR event.
    mutating func failed(_ error: APIError, now: MonotonicTime) {
        forgive(now: now)
        guard case .status(let status) = error else {
            if case .watching = state { count(.error) }
            problem = .failing(error.description)
            if case .malformed = error { return backOff(to: .sync, after: nil, now: now) }
            return backOff(to: again, after: nil, now: now)
        }
        switch status.code {
        case 410: expire(now: now)
        case 400 where isContinuing: restartList(now: now)
        case 400, 403, 405, 406, 415, 422:
            guard case .watching(let open) = state, open.isInitial, !open.hasHead else {
                return refuse(status, now: now)
            }
            // Not known, or not permitted to watch: a list tells which.
            streamsLists = false
            state = .due(.sync)
        case 404: refuse(status, now: now)
        default:
            if case .watching = state { count(.error) }
            problem = .failing(status.description)
            backOff(to: again, after: status.retryAfter, now: now)
        }
    }

    /// What was being attempted.
    private var again: Next {
        guard case .watching(let open) = state, !open.isInitial else { return .sync }
        // A server that ends every watch from a version with an error may be cured by a newer one.
        return open.hasHead && failures >= 5 ? .sync : .watch(isFresh: false)
    }

    /// A watch that lived for a while makes up for the failures before it.
    private mutating func forgive(now: MonotonicTime) {
        if case .watching(let open) = state, open.hasHead, now - open.since >= timing.settled { failures = 0 }
    }

    private var isContinuing: Bool { state == .listing(isFirstPage: false) }

    private mutating func becomeWhole(_ version: String) {
        resourceVersion = version
        hasSynced = true
        problem = nil
    }

    private mutating func refuse(_ status: APIStatus, now: MonotonicTime) {
        var verb = "list"
        if case .watching = state { verb = "watch" }
        switch status.code {
        case 403: problem = .denied(verb: verb, message: status.description)
        case 404: problem = .absent
        default: problem = .failing(status.description)
        }
        // A server that has just started may not know its own rights and kinds yet.
        backOff(to: again, after: status.retryAfter, now: now)
    }

    private mutating func expire(now: MonotonicTime) {
        if isContinuing { return restartList(now: now) }
        count(.expired)
        expirations += 1
        guard expirations > 1 else {
            state = .due(.sync)
            return
        }
        backOff(to: .sync, after: nil, now: now)
    }

    private mutating func restartList(now: MonotonicTime) {
        brokenLists += 1
        guard brokenLists > 2 else {
            state = .due(.sync)
            return
        }
        backOff(to: .sync, after: nil, now: now)
    }

    private mutating func pause(for open: Open, now: MonotonicTime) {
        let next: Next = open.isInitial ? .sync : .watch(isFresh: false)
        quickEnds = now - open.since >= timing.settled ? 0 : quickEnds + 1
        guard quickEnds > 0 else {
            state = .due(next)
            return
        }
        let pause = min(timing.longestPause, timing.shortestPause * (1 << min(quickEnds - 1, 10)))
        state = .waiting(next, until: now + jittered(pause))
    }

    private mutating func backOff(to next: Next, after retryAfter: Duration?, now: MonotonicTime) {
        let delay = min(timing.longestDelay, timing.firstDelay * (1 << min(failures, 10)))
        failures += 1
        state = .waiting(next, until: now + max(retryAfter ?? .zero, jittered(delay)))
    }

    /// Between two thirds of a delay and all of it.
    private mutating func jittered(_ delay: Duration) -> Duration {
        delay * Double.random(in: 2.0 / 3...1, using: &jitter)
    }
}
