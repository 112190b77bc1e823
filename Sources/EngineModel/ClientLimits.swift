/// What one policy asks of clients at one of its targets. Levels are never merged: a connection passes all of its listener's
/// and then all of its route's (ClientPolicy, limits).
public struct ClientLimits: Hashable, Sendable {
    public var id: LimitID
    public var authorization: Authorization?
    public var connections: ConnectionLimit?
    public var connectionRate: ConnectionRateLimit?
    public var bandwidth: BandwidthLimit?

    public init(
        id: LimitID, authorization: Authorization? = nil, connections: ConnectionLimit? = nil,
        connectionRate: ConnectionRateLimit? = nil, bandwidth: BandwidthLimit? = nil
    ) {
        self.id = id
        self.authorization = authorization
        self.connections = connections
        self.connectionRate = connectionRate
        self.bandwidth = bandwidth
    }
}

/// Whose counts they are. What was counted and spent goes on while the id lives, whatever becomes of the values; listeners
/// and routes with the same id share one count.
public struct LimitID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// `namespace/name` of the policy.
    public var policy: String
    /// Kind, `namespace/name` and section of the target.
    public var target: String

    public init(policy: String, target: String) {
        self.policy = policy
        self.target = target
    }

    public var description: String { "\(policy) at \(target)" }
    public static func < (left: LimitID, right: LimitID) -> Bool {
        (left.policy, left.target) < (right.policy, right.target)
    }
}

/// Open connections of a target, and of each source.
public struct ConnectionLimit: Hashable, Sendable {
    /// At least 1; nil: any number.
    public var value: Int?
    public var perSource: PerSource?
    /// A refused connection is closed after that: 0–60 s.
    public var closeDelay: Duration
    public var onLimit: OnLimit

    public enum OnLimit: Hashable, Sendable {
        /// Refused: `connection_limit`.
        case close
        /// The listener stops accepting until one ends; only of a listener's level.
        case pause
    }

    /// Connections from one block of addresses.
    public struct PerSource: Hashable, Sendable {
        /// At least 1.
        public var value: Int
        public var source: SourcePrefix
        public init(value: Int, source: SourcePrefix = .init()) {
            self.value = value
            self.source = source
        }
    }

    public init(
        value: Int? = nil, perSource: PerSource? = nil, closeDelay: Duration = .zero, onLimit: OnLimit = .close
    ) {
        self.value = value
        self.perSource = perSource
        self.closeDelay = closeDelay
        self.onLimit = onLimit
    }
}

/// Which bits of an address make a source.
public struct SourcePrefix: Hashable, Sendable {
    /// 1–32.
    public var v4: Int
    /// 1–128.
    public var v6: Int
    public init(v4: Int = 32, v6: Int = 64) {
        self.v4 = v4
        self.v6 = v6
    }
}

/// New connections in a time: token buckets that start full. Over it: `rate_limited`.
public struct ConnectionRateLimit: Hashable, Sendable {
    /// Of the target as a whole; nil: any number.
    public var total: Rate?
    public var perSource: Rate?
    /// What makes a source of ``perSource``.
    public var source: SourcePrefix

    public struct Rate: Hashable, Sendable {
        /// 1–1000000 in each ``interval``.
        public var connections: Int
        public var interval: Interval
        /// 1–1000000 at once after a pause.
        public var burst: Int
        public init(connections: Int, per interval: Interval = .second, burst: Int? = nil) {
            self.connections = connections
            self.interval = interval
            self.burst = burst ?? connections
        }
    }

    public enum Interval: Hashable, Sendable {
        case second, minute, hour
        /// 1, 60 or 3600.
        public var seconds: Int {
            switch self {
            case .second: 1
            case .minute: 60
            case .hour: 3600
            }
        }
    }

    public init(total: Rate? = nil, perSource: Rate? = nil, source: SourcePrefix = .init()) {
        self.total = total
        self.perSource = perSource
        self.source = source
    }
}

/// Bytes in a second, each way: buckets that start full. What goes over it waits; nothing is refused.
public struct BandwidthLimit: Hashable, Sendable {
    /// From the client to the backend; nil: as fast as it goes.
    public var request: Rate?
    public var response: Rate?
    public var scope: Scope

    public struct Rate: Hashable, Sendable {
        /// 1 KiB to 1 TiB a second.
        public var bytesPerSecond: Int
        /// 1 KiB to 1 TiB at once after a pause.
        public var burst: Int
        public init(bytesPerSecond: Int, burst: Int? = nil) {
            self.bytesPerSecond = bytesPerSecond
            self.burst = burst ?? bytesPerSecond
        }
    }

    /// What shares a bucket.
    public enum Scope: Hashable, Sendable {
        case connection
        case source
        case target
    }

    public init(request: Rate? = nil, response: Rate? = nil, scope: Scope = .connection) {
        self.request = request
        self.response = response
        self.scope = scope
    }
}
