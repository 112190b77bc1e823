internal import Platform
internal import Primitives

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
        case watch
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
    var jitter: SplitMix64
    /// The content was whole once.
    var hasSynced = false
    /// The version up to which the objects are known; opaque, nil before the first list.
    var resourceVersion: String?
    var restarts: [RestartReason: UInt64] = [:]
    var problem: Problem?

    /// The last watch stalled.
    var wantsFresh = false
    /// Failures without a success between them.
    var failures = 0
    /// Watches that ended in order soon after they began.
    var quickEnds = 0
    /// Times that a version was too old as soon as it was used.
    var expirations = 0
    /// Lists whose continue token expired on the way.
    var brokenLists = 0
    /// Streaming lists in a row that a server began, or refused, and that did not become whole.
    var brokenStreams = 0

    init(timing: InformerTiming = InformerTiming(), streamsLists: Bool = true, seed: UInt64 = .random(in: 0 ... .max)) {
        (self.timing, self.streamsLists) = (timing, streamsLists)
        jitter = SplitMix64(seed: seed)
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
            wantsFresh = true
            state = .due(open.isInitial ? .sync : .watch)
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
        case .sync: return open(from: nil, now: now)
        case .watch: return open(from: resourceVersion, now: now)
        }
    }

    private mutating func open(from version: String?, now: MonotonicTime) -> Command {
        defer { wantsFresh = false }
        let seconds = max(1, Int(Double.random(in: timing.watchSeconds, using: &jitter)))
        state = .watching(
            Open(since: now, lastActivity: now, end: now + .seconds(seconds), isInitial: version == nil))
        return .watch(Watch(resourceVersion: version, timeoutSeconds: seconds, isFresh: wantsFresh))
    }

    mutating func count(_ reason: RestartReason) { restarts[reason, default: 0] += 1 }
}
