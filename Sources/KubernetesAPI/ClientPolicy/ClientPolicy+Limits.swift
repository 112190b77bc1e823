extension ClientPolicy {
    /// How many connections may be open, on each pod; at least one of ``value`` and ``perSourceIP``. Acts on the next
    /// connection.
    public struct ConnectionLimit: Codable, Hashable, Sendable, FieldListing {
        /// Of the target, at least 1. Acts at once, but closes none.
        public var value: Int?
        public var perSourceIP: SourceLimit?
        /// A Gateway API duration of at most 60s.
        public var closeDelay: String?
        /// `Close`, or `Pause` on listeners alone.
        public var onLimit: String?
        /// `PerPod` or `Divide`.
        public var shared: String?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// Open connections of one client.
    public struct SourceLimit: Codable, Hashable, Sendable, FieldListing {
        /// At least 1.
        public var value: Int
        /// Bits, 1–32.
        public var ipv4PrefixLength: Int?
        /// Bits, 1–128.
        public var ipv6PrefixLength: Int?
        public static let unreadFields: Set<String> = []

        public init(value: Int) { self.value = value }
    }

    /// How many connections may come in a time, on each pod; at least one of ``connections`` and ``perSourceIP``. Acts on
    /// the next connection.
    public struct ConnectionRateLimit: Codable, Hashable, Sendable, FieldListing {
        /// Of the target in each ``unit``, 1–1000000.
        public var connections: Int?
        /// `Second`, `Minute` or `Hour`.
        public var unit: String?
        /// At once after a pause, 1–1000000; only with ``connections``.
        public var burst: Int?
        public var perSourceIP: SourceRateLimit?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// Connections of one client in each unit of the limit.
    public struct SourceRateLimit: Codable, Hashable, Sendable, FieldListing {
        /// 1–1000000.
        public var connections: Int
        /// At once after a pause, 1–1000000.
        public var burst: Int?
        /// Bits, 1–32.
        public var ipv4PrefixLength: Int?
        /// Bits, 1–128.
        public var ipv6PrefixLength: Int?
        public static let unreadFields: Set<String> = []

        public init(connections: Int) { self.connections = connections }
    }

    /// How fast bytes may go, on each pod; at least one direction. Acts at once, on established sessions too.
    public struct BandwidthLimit: Codable, Hashable, Sendable, FieldListing {
        /// From the client to the backend.
        public var request: Bandwidth?
        /// From the backend to the client.
        public var response: Bandwidth?
        /// `Connection`, `SourceIP` or `Target`: what shares the limit. Acts on the next connection.
        public var scope: String?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// A rate of bytes.
    public struct Bandwidth: Codable, Hashable, Sendable, FieldListing {
        /// Bytes per second, 1Ki–1Ti.
        public var value: Quantity
        /// Bytes at once after a pause, 1Ki–1Ti.
        public var burst: Quantity?
        public static let unreadFields: Set<String> = []

        public init(value: Quantity, burst: Quantity? = nil) {
            self.value = value
            self.burst = burst
        }
    }
}
