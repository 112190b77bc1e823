/// How the endpoints of a backend stand, as its health checks and connections have found out.
public struct BackendHealthReport: Hashable, Sendable {
    /// Without variant.
    public var backend: BackendID
    /// By address.
    public var endpoints: [EndpointHealthReport]

    public init(backend: BackendID, endpoints: [EndpointHealthReport]) {
        self.backend = backend
        self.endpoints = endpoints
    }
}

/// How an endpoint stands.
public struct EndpointHealthReport: Hashable, Sendable {
    public var address: String
    public var state: State
    /// Of the last check that came to an end; nil: none has, or there are no checks.
    public var lastCheck: Check?
    /// How often it was ejected since it is known.
    public var ejections: Int

    public enum State: String, Hashable, Sendable, CaseIterable {
        case healthy
        case unhealthy
        /// Left out for a while, because connections failed.
        case ejected
        /// No check has come to an end yet.
        case unchecked
    }

    public struct Check: Hashable, Sendable {
        /// When it ended, in milliseconds since 1970.
        public var time: Int64
        public var duration: Duration
        /// What failed, and what was received; nil: it passed.
        public var failure: String?

        public init(time: Int64, duration: Duration, failure: String?) {
            self.time = time
            self.duration = duration
            self.failure = failure
        }
    }

    public init(address: String, state: State, lastCheck: Check?, ejections: Int) {
        self.address = address
        self.state = state
        self.lastCheck = lastCheck
        self.ejections = ejections
    }
}

/// Whoever knows how endpoints stand: the engine, or a test's stand-in.
public protocol HealthObserving: Sendable {
    /// Of every backend with health checks; by identity. For any thread.
    func health() -> [BackendHealthReport]
    /// Whether endpoints that are to be checked wait for the end of their first check. For any thread.
    var awaitsFirstChecks: Bool { get }
}
