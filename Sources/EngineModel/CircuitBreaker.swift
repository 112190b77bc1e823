/// How many connections one target's traffic may have (BackendPolicy.spec.circuitBreaker). Levels are never merged: every one must
/// let a connection pass.
public struct CircuitBreaker: Hashable, Sendable {
    /// Whose counts they are: all uses of backends with the same id share them.
    public var id: LimitID
    /// Connections through the target at once, those being connected included; at least 1; nil: any number. Over it:
    /// `circuit_open`, unless there is a queue.
    public var maximumConnections: Int?
    /// The same for each endpoint: a full one is passed over.
    public var maximumPerEndpoint: Int?

    public init(id: LimitID, maximumConnections: Int? = nil, maximumPerEndpoint: Int? = nil) {
        self.id = id
        self.maximumConnections = maximumConnections
        self.maximumPerEndpoint = maximumPerEndpoint
    }
}

/// Where connections wait for one of the ``CircuitBreaker``s, or for an endpoint that is not full: in the order of their coming.
public struct PendingQueue: Hashable, Sendable {
    public var id: LimitID
    /// At least 1. Over it: `queue_full`.
    public var length: Int
    /// After it: `queue_timeout`.
    public var timeout: Duration

    public init(id: LimitID, length: Int, timeout: Duration = .seconds(5)) {
        self.id = id
        self.length = length
        self.timeout = timeout
    }
}
