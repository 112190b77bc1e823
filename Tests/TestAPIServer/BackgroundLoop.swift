internal import Platform

/// The thread of the played controllers.
final class BackgroundLoop: Sendable {
    private let waker: EventDescriptor
    private let isStopped = Monitored((asked: false, done: false))

    init(_ state: Locked<ClusterState>) throws {
        let waker = try EventDescriptor()
        self.waker = waker
        state.withLock { $0.wakers[0] = waker }
        waker.signal()
        let isStopped = isStopped
        let thread = try Thread(named: "api-cluster") {
            ClusterControllers(state).run(waking: waker) { isStopped.wait(until: .now()) { $0.asked } ?? false }
            isStopped.update { $0.done = true }
        }
        thread.detach()
    }

    func stop() {
        isStopped.update { $0.asked = true }
        waker.signal()
        _ = isStopped.wait(until: .now() + .seconds(10)) { $0.done ? true : nil }
    }
}
