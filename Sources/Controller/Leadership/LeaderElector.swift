internal import KubernetesAPI
public import KubernetesClient
public import Observability
public import Platform

/// Takes part in the election by a Lease, on a thread of its own named `lease`. ``leadership`` says how it stands.
public final class LeaderElector: Sendable {
    /// Which Lease, and who asks for it.
    public struct Settings: Hashable, Sendable {
        public var namespace: String
        public var name: String
        /// The pod's name; what makes it unique is added.
        public var identity: String
        /// client-go's 15 s, 10 s and 2 s; each must be well above the next.
        public var leaseDuration: Duration = .seconds(15)
        public var renewDeadline: Duration = .seconds(10)
        public var retryPeriod: Duration = .seconds(2)

        public init(namespace: String, name: String, identity: String) {
            (self.namespace, self.name, self.identity) = (namespace, name, identity)
        }
    }

    public let leadership = Leadership()
    private let setup: LeaseLoop.Setup
    private let inbox = Monitored(LeaseLoop.Inbox())

    public init(server: any APIServer, settings: Settings, logger: Logger) {
        setup = LeaseLoop.Setup(server: server, settings: settings, logger: logger)
    }

    /// Starts the thread. Call once.
    public func start() throws(Errno) {
        let (setup, inbox, leadership) = (setup, inbox, leadership)
        try Thread(named: "lease", wiping: true) {
            LeaseLoop(setup, inbox: inbox, leadership: leadership).run()
            inbox.update { $0.stopped = true }
        }.detach()
    }

    /// Gives the Lease back, where it is held, and ends the thread; waits for that, at most a few seconds. Call it after
    /// the writers have stopped.
    public func stop() {
        inbox.update { $0.stopping = true }
        _ = inbox.wait { $0.stopped ? true : nil }
    }
}
