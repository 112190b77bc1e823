/// One check of one endpoint, step by step.
public struct EndpointProbe: Hashable, Sendable {
    /// As the configuration, or DNS, has it.
    public var endpoint: String
    /// Where the check went: another port, maybe.
    public var target: String
    public var passed: Bool
    public var steps: [Step]
    /// In all.
    public var duration: Duration

    public struct Step: Hashable, Sendable {
        /// `connect`, `tls`, or as in the policy: `send "PING\r\n"`, `expect "+PONG"`, `close`.
        public var action: String
        public var passed: Bool
        public var duration: Duration
        /// Printable and cut off; empty: nothing.
        public var received: String
        /// Why it failed; nil: it did not.
        public var problem: String?

        public init(action: String, passed: Bool, duration: Duration, received: String = "", problem: String? = nil) {
            self.action = action
            self.passed = passed
            self.duration = duration
            self.received = received
            self.problem = problem
        }
    }

    public init(endpoint: String, target: String, passed: Bool, steps: [Step], duration: Duration) {
        self.endpoint = endpoint
        self.target = target
        self.passed = passed
        self.steps = steps
        self.duration = duration
    }
}

/// What a probe of a backend came to.
public struct BackendProbe: Hashable, Sendable {
    /// Each once, by address.
    public var endpoints: [EndpointProbe]
    /// Names that led nowhere, addresses that are refused: one sentence each.
    public var problems: [String]

    public init(endpoints: [EndpointProbe], problems: [String]) {
        self.endpoints = endpoints
        self.problems = problems
    }

    public var passed: Bool { problems.isEmpty && !endpoints.isEmpty && endpoints.allSatisfy(\.passed) }
}

/// Who can run the health check of a backend once: the executable's engine, or a test's stand-in.
public protocol BackendProbing: Sendable {
    /// Once against each endpoint, from this process. Blocks until all have ended.
    func probe(_ backend: BackendConfiguration) throws -> BackendProbe
}
