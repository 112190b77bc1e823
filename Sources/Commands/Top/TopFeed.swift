internal import Platform

/// Whoever is asked for what `top` shows. Blocks; for one thread at a time.
protocol TopSource: Sendable {
    func look(withConnections: Bool) throws(StartFailure) -> TopLook
}

/// Asks again and again on a thread of its own, so that keys never wait for an answer.
final class TopFeed: Sendable {
    struct News: Sendable {
        var now: TopLook
        var before: TopLook?
        /// Why the last look failed; nil: it did not.
        var problem: String?
    }

    private struct State: Sendable {
        var news: News
        var wantsConnections = false
        /// Looks at once.
        var isImpatient = false
        var isStopped = false
    }

    private let source: any TopSource
    private let interval: Duration
    private let state: Monitored<State>
    /// Readable when there is news.
    let wake: EventDescriptor

    init(_ source: any TopSource, first: TopLook, every interval: Duration) throws(Errno) {
        (self.source, self.interval) = (source, interval)
        state = Monitored(State(news: News(now: first)))
        wake = try EventDescriptor()
    }

    func start() throws(Errno) {
        let thread = try Thread(named: "top-feed") { [self] in run() }
        thread.detach()
    }

    func stop() { state.update { $0.isStopped = true } }

    var news: News {
        wake.drain()
        return state.update { $0.news }
    }

    /// Whether connections are looked at, too: at once when they were not.
    func want(connections: Bool) {
        state.update { state in
            if connections, !state.wantsConnections { state.isImpatient = true }
            state.wantsConnections = connections
        }
    }

    private func run() {
        while true {
            let due = MonotonicTime.now() + interval
            // Looking at once must not make a look that is too near to the one before to tell a rate from.
            let isExtra = state.wait(until: due) { $0.isStopped || $0.isImpatient ? true : nil } ?? false
            if state.update({ $0.isStopped }) { return }
            state.update { $0.isImpatient = false }
            take(isExtra: isExtra)
        }
    }

    private func take(isExtra: Bool) {
        let withConnections = state.update { $0.wantsConnections }
        do throws(StartFailure) {
            let look = try source.look(withConnections: withConnections)
            state.update { state in
                let old = state.news
                // Between two looks of the rhythm: the older one stays what is compared with.
                let before = isExtra ? old.before ?? old.now : old.now
                state.news = News(now: look, before: before)
            }
        } catch {
            state.update { $0.news.problem = error.description }
        }
        wake.signal()
    }
}
