extension BackendPolicy {
    /// How long things may take. Acts on the next connection.
    public struct Timeout: Codable, Hashable, Sendable, FieldListing {
        public var tcp: TCPTimeout?
        public static let unreadFields: Set<String> = []

        public init(tcp: TCPTimeout? = nil) { self.tcp = tcp }
    }

    /// How long one attempt to connect may take.
    public struct TCPTimeout: Codable, Hashable, Sendable, FieldListing {
        /// TCP, and TLS where there is TLS, to one endpoint: a Gateway API duration over 0s.
        public var connectTimeout: String?
        public static let unreadFields: Set<String> = []

        public init(connectTimeout: String? = nil) { self.connectTimeout = connectTimeout }
    }

    /// Other endpoints are tried where one cannot be connected to. Acts on the next connection.
    public struct Retry: Codable, Hashable, Sendable, FieldListing {
        /// 0–10.
        public var numRetries: Int?
        public var perRetry: PerRetry?
        public static let unreadFields: Set<String> = []

        public init(numRetries: Int? = nil, perRetry: PerRetry? = nil) {
            self.numRetries = numRetries
            self.perRetry = perRetry
        }
    }

    /// What holds for each retry.
    public struct PerRetry: Codable, Hashable, Sendable, FieldListing {
        public var backOff: BackOff?
        public static let unreadFields: Set<String> = []

        public init(backOff: BackOff? = nil) { self.backOff = backOff }
    }

    /// The pause before a retry, which doubles each time.
    public struct BackOff: Codable, Hashable, Sendable, FieldListing {
        /// A Gateway API duration over 0s, not over ``maxInterval``.
        public var baseInterval: String?
        /// A Gateway API duration over 0s.
        public var maxInterval: String?
        public static let unreadFields: Set<String> = []

        public init(baseInterval: String? = nil, maxInterval: String? = nil) {
            self.baseInterval = baseInterval
            self.maxInterval = maxInterval
        }
    }

    /// How many connections may be open, on each pod. Acts on the next connection.
    public struct CircuitBreaker: Codable, Hashable, Sendable, FieldListing {
        /// Through the target, at least 1; absent: any number.
        public var maxConnections: Int?
        public var perEndpoint: PerEndpointLimit?
        /// How many may wait where all is full, at least 0.
        public var maxPendingConnections: Int?
        /// A Gateway API duration over 0s; only with ``maxPendingConnections`` over 0.
        public var queueTimeout: String?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// A limit of each endpoint: a full one is passed over.
    public struct PerEndpointLimit: Codable, Hashable, Sendable, FieldListing {
        /// At least 1.
        public var maxConnections: Int
        public static let unreadFields: Set<String> = []

        public init(maxConnections: Int) { self.maxConnections = maxConnections }
    }

    /// How names of backends are looked up. Acts at once.
    public struct DNS: Codable, Hashable, Sendable, FieldListing {
        /// A Gateway API duration of at least 1s.
        public var dnsRefreshRate: String?
        public var respectDnsTtl: Bool?
        /// `IPv4`, `IPv6`, `IPv4Preferred`, `IPv6Preferred` or `IPv4AndIPv6`.
        public var lookupFamily: String?
        public static let unreadFields: Set<String> = []

        public init() {}
    }
}
