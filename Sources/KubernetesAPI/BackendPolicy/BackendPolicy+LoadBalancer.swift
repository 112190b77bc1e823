extension BackendPolicy {
    /// Which of the usable endpoints a connection gets. Acts on the next connection.
    public struct LoadBalancer: Codable, Hashable, Sendable, FieldListing {
        /// `LeastRequest`, `RoundRobin`, `Random` or `ConsistentHash`.
        public var type: String?
        /// There if, and only if, ``type`` is `ConsistentHash`.
        public var consistentHash: ConsistentHash?
        /// Only with `LeastRequest` and `RoundRobin`.
        public var slowStart: SlowStart?
        public var zoneAware: ZoneAware?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// The same client gets the same endpoint.
    public struct ConsistentHash: Codable, Hashable, Sendable, FieldListing {
        /// `SourceIP`.
        public var type: String?
        /// A prime, 2–5000011. The API server does not see whether it is one.
        public var tableSize: Int?
        /// Bits of an IPv6 client's address that count, 1–128.
        public var ipv6PrefixLength: Int?
        /// Per cent of the mean number of connections that an endpoint may have, 100–10000; absent: any number.
        public var boundedLoadPercent: Int?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// Endpoints that join later get their share little by little.
    public struct SlowStart: Codable, Hashable, Sendable, FieldListing {
        /// A Gateway API duration over 0s.
        public var window: String
        public static let unreadFields: Set<String> = []

        public init(window: String) { self.window = window }
    }

    /// Which zones go first.
    public struct ZoneAware: Codable, Hashable, Sendable, FieldListing {
        public var preferLocal: PreferLocal?
        public static let unreadFields: Set<String> = []

        public init(preferLocal: PreferLocal? = nil) { self.preferLocal = preferLocal }
    }

    /// Endpoints of the gateway's own zone go first.
    public struct PreferLocal: Codable, Hashable, Sendable, FieldListing {
        /// With fewer usable endpoints in all zones, zones do not count: 1–1000000.
        public var minEndpointsThreshold: Int?
        public var force: Force?
        /// Of a hundred connections that many look at zones, 0–100.
        public var percentageEnabled: Int?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// Everything stays in the zone while it has enough usable endpoints.
    public struct Force: Codable, Hashable, Sendable, FieldListing {
        /// 1–1000000.
        public var minEndpointsInZoneThreshold: Int?
        public static let unreadFields: Set<String> = []

        public init(minEndpointsInZoneThreshold: Int? = nil) {
            self.minEndpointsInZoneThreshold = minEndpointsInZoneThreshold
        }
    }
}
