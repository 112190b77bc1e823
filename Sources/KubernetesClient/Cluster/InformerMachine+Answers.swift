internal import HTTPClient
internal import Platform

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
        state = .due(.watch)
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
        failures = 0
        guard open.isInitial else {
            expirations = 0
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
        noteBrokenStream()
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
            backOff(to: open.isInitial ? .sync : .watch, after: nil, now: now)
        }
    }

    /// A request failed, or an accepted watch with an ERROR event.
    mutating func failed(_ error: APIError, now: MonotonicTime) {
        forgive(now: now)
        if case .status = error { noteBrokenStream() }
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

    /// Something on the way may cut what lasts long, or the server cannot send it: pages get through.
    private mutating func noteBrokenStream() {
        guard case .watching(let open) = state, open.isInitial else { return }
        brokenStreams += 1
        if brokenStreams >= 3 { streamsLists = false }
    }

    /// What was being attempted.
    private var again: Next {
        guard case .watching(let open) = state, !open.isInitial else { return .sync }
        // A server that ends every watch from a version with an error may be cured by a newer one.
        return open.hasHead && failures >= 5 ? .sync : .watch
    }

    /// A watch that lived for a while makes up for the failures before it.
    private mutating func forgive(now: MonotonicTime) {
        if case .watching(let open) = state, open.hasHead, now - open.since >= timing.settled { failures = 0 }
    }

    private var isContinuing: Bool { state == .listing(isFirstPage: false) }

    private mutating func becomeWhole(_ version: String) {
        resourceVersion = version
        hasSynced = true
        brokenStreams = 0
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
        let next: Next = open.isInitial ? .sync : .watch
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
