internal import Platform

/// The thread on which answers are decoded and handed over.
final class AnswerQueue: Sendable {
    fileprivate struct State {
        var work: [@Sendable () -> Void] = []
        var isOpen = true
    }

    private let state: Monitored<State>

    init() throws(Errno) {
        let state = Monitored(State())
        self.state = state
        try Thread(named: "api-answers", wiping: true) {
            while let work = state.wait({ $0.takeAll() }), !work.isEmpty {
                for item in work { item() }
            }
        }.detach()
    }

    func post(_ item: @escaping @Sendable () -> Void) { state.update { $0.work.append(item) } }

    /// What was posted is still done.
    func stop() { state.update { $0.isOpen = false } }
}

extension AnswerQueue.State {
    /// nil: wait; empty: over.
    fileprivate mutating func takeAll() -> [@Sendable () -> Void]? {
        if work.isEmpty { return isOpen ? nil : [] }
        defer { work = [] }
        return work
    }
}
