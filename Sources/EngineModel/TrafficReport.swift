/// What the engine has counted, as one copy: numbers of its metrics, for those who look at it by object.
public struct TrafficReport: Hashable, Sendable {
    /// By id.
    public var listeners: [ListenerID: ListenerTraffic] = [:]
    /// By route and the listener that it is attached to. One that never had a connection is left out.
    public var routes: [RouteUse: RouteTraffic] = [:]
    /// By id without variant. One that no connection was sent to is left out.
    public var backends: [BackendID: BackendTraffic] = [:]

    public init() {}

    /// A route at a listener: what `sluice_tcp_*` count.
    public struct RouteUse: Hashable, Sendable {
        public var listener: ListenerID
        /// Of the route; rules are counted together.
        public var route: RouteID

        public init(listener: ListenerID, route: RouteID) {
            (self.listener, self.route) = (listener, route)
        }
    }
}

/// What became of the connections of a listener. Counts since the start, but for those that say `active`.
public struct ListenerTraffic: Hashable, Sendable {
    public var accepted: UInt64 = 0
    public var active: UInt64 = 0
    public var handshaking: UInt64 = 0
    /// Ended before a route was chosen; reasons without a count are left out.
    public var rejected: [CloseReason: UInt64] = [:]

    public init() {}
}

/// What became of the connections of a route at one listener.
public struct RouteTraffic: Hashable, Sendable {
    public var opened: UInt64 = 0
    public var active: UInt64 = 0
    /// Reasons without a count are left out.
    public var closed: [CloseReason: UInt64] = [:]
    /// From clients.
    public var requestBytes: UInt64 = 0
    /// To clients.
    public var responseBytes: UInt64 = 0
    /// From accept until bytes can flow: sum in nanoseconds, and how many.
    public var setupNanoseconds: UInt64 = 0
    public var setups: UInt64 = 0

    public init() {}
}

/// What became of attempts to reach a backend.
public struct BackendTraffic: Hashable, Sendable {
    public var active: UInt64 = 0
    /// Connections that wait for room.
    public var pending: UInt64 = 0
    public var connected: UInt64 = 0
    /// By the label of `sluice_backend_connects_total`: `refused`, `timeout`, `unreachable`, `tls_error`, `dns_error`.
    public var failed: [String: UInt64] = [:]
    public var retries: UInt64 = 0
    /// Of successful connects: sum in nanoseconds.
    public var connectNanoseconds: UInt64 = 0

    public init() {}
}

/// Whoever can be asked what it does: the engine, or a test's stand-in. For any thread.
public protocol EngineObserving: HealthObserving {
    /// Counts by object. Reads counters only; costs microseconds for each object that has been used.
    func traffic() -> TrafficReport

    /// Takes samples of all traffic together, cheaply enough for one each second.
    func makeSampler() -> any TrafficSampling

    /// The open connections that `isWanted`, at most `limit` of them, in no order. Workers copy their slots a few at a
    /// time between turns; nobody's traffic waits. `isWanted` runs on the calling thread, and what it does not want is not
    /// kept, so that one who only looks needs little memory. Blocks for milliseconds.
    func connections(limit: Int, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool) -> [ConnectionInfo]

    /// Ends the open connections that `isWanted` and returns them as they were. Both sides see a FIN. `isWanted` runs on
    /// the workers' threads.
    func closeConnections(
        reason: CloseReason, where isWanted: @escaping @Sendable (ConnectionInfo) -> Bool
    ) -> [ConnectionInfo]
}
