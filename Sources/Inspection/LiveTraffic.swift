/// Numbers that change all the time, as the admin address shows them under `/traffic`: small, whatever the configuration holds.
public struct LiveTraffic: Codable, Hashable, Sendable {
    /// Milliseconds since 1970.
    public var time: Int64 = 0
    public var generation: UInt64 = 0
    public var total = Sample()
    /// One each ``interval``, the oldest first, at most ten minutes of them.
    public var history: [Sample] = []
    /// Seconds between two samples.
    public var interval: Int = 1
    /// Connections that were refused or failed in the last ten minutes, the most frequent first.
    public var refusals: [Refusal] = []
    /// Of those objects that the request named, as in ``StatusTree``: by their keys.
    public var listeners: [String: ListenerTrafficNode] = [:]
    public var routes: [String: RouteTrafficNode] = [:]
    public var backends: [String: BackendTrafficNode] = [:]

    public init() {}

    /// Counts since the start of the process, at one moment.
    public struct Sample: Codable, Hashable, Sendable {
        /// Milliseconds since 1970.
        public var time: Int64 = 0
        public var accepted: UInt64 = 0
        /// Open now.
        public var active: UInt64 = 0
        /// Ended before a route was chosen, or by an end that is neither client_closed nor backend_closed.
        public var failed: UInt64 = 0
        public var requestBytes: UInt64 = 0
        public var responseBytes: UInt64 = 0
        public var setupNanoseconds: UInt64 = 0
        public var setups: UInt64 = 0

        public init() {}
    }

    /// How often a reason ended connections where.
    public struct Refusal: Codable, Hashable, Sendable {
        /// Of ``CloseReason``.
        public var reason: String
        /// `Gateway infra/edge/redis`, or the key of a route.
        public var place: String
        /// By minute, the newest last: ten numbers.
        public var minutes: [UInt64]
        /// What it means, and what to do: of ``Cause``.
        public var meaning: String
        public var advice: String

        public init(reason: String, place: String, minutes: [UInt64], meaning: String, advice: String) {
            (self.reason, self.place, self.minutes) = (reason, place, minutes)
            (self.meaning, self.advice) = (meaning, advice)
        }
    }
}

/// A change of the configuration, as `/history` shows the last 50, the newest first.
public struct ConfigurationStep: Codable, Hashable, Sendable {
    public var generation: UInt64
    /// Milliseconds since 1970, when every worker ran it.
    public var appliedAt: Int64
    /// From the change seen to every worker running it, in milliseconds.
    public var milliseconds: Double
    /// What changed, a line each: `+ TCPRoute infra/redis at edge/redis`, `~ backend Service infra/redis:6379: 3 endpoints`,
    /// `- listener infra/edge/db`. At most 20; then how many more.
    public var changes: [String]

    public init(generation: UInt64, appliedAt: Int64, milliseconds: Double, changes: [String]) {
        (self.generation, self.appliedAt) = (generation, appliedAt)
        (self.milliseconds, self.changes) = (milliseconds, changes)
    }
}
