extension BackendPolicy {
    /// How it is found out which endpoints can serve.
    public struct HealthCheck: Codable, Hashable, Sendable, FieldListing {
        public var active: ActiveHealthCheck?
        public var passive: PassiveHealthCheck?
        /// With less than that many per cent of endpoints usable all of them are used: 0–100. Acts at once.
        public var panicThreshold: Int?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// Endpoints are connected to, and spoken with, from time to time. Acts at once, but for the fields that say otherwise.
    public struct ActiveHealthCheck: Codable, Hashable, Sendable, FieldListing {
        /// `TCP`.
        public var type: String?
        /// Of a whole check; a Gateway API duration over 0s, at most ten times ``interval``.
        public var timeout: String?
        /// A Gateway API duration over 0s.
        public var interval: String?
        /// A Gateway API duration; `0s` is none.
        public var initialJitter: String?
        /// Failures in a row, 1–1000.
        public var unhealthyThreshold: Int?
        /// Passes in a row, 1–1000.
        public var healthyThreshold: Int?
        /// A Gateway API duration over 0s, in place of ``interval`` while an endpoint is unhealthy.
        public var unhealthyInterval: String?
        /// Of endpoints that were not checked yet: `Unhealthy` or `Healthy`. Acts on the next connection, as do ``overrides``,
        /// ``plaintext`` and ``sendProxyProtocol``.
        public var initialState: String?
        /// What is said and expected; absent: it is enough to connect.
        public var tcp: TCPHealthCheck?
        public var overrides: HealthCheckOverrides?
        /// Checks without TLS what is served with it.
        public var plaintext: Bool?
        /// Absent: as connections do.
        public var sendProxyProtocol: Bool?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// A conversation: ``send`` and ``receive``, or ``steps``.
    public struct TCPHealthCheck: Codable, Hashable, Sendable, FieldListing {
        public var send: Payload?
        public var receive: Payload?
        /// In order, at most 16; not together with ``send`` and ``receive``.
        public var steps: [HealthCheckStep]?
        /// Bytes received in one check, 1–64Ki.
        public var maxResponseBytes: Quantity?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// One step of a conversation: exactly one of ``send``, ``expect`` and ``close``.
    public struct HealthCheckStep: Codable, Hashable, Sendable, FieldListing {
        public var send: Payload?
        public var expect: Expectation?
        public var close: Close?
        /// A Gateway API duration over 0s; absent: the check's own alone.
        public var timeout: String?
        public static let unreadFields: Set<String> = []

        public init(
            send: Payload? = nil, expect: Expectation? = nil, close: Close? = nil, timeout: String? = nil
        ) {
            self.send = send
            self.expect = expect
            self.close = close
            self.timeout = timeout
        }
    }

    /// Bytes that are sent, or that are looked for.
    public struct Payload: Codable, Hashable, Sendable, FieldListing {
        /// `Text` or `Binary`: which of the two fields is there.
        public var type: String
        /// 1–1024 characters.
        public var text: String?
        /// Base64 of the standard alphabet, 4–1368 characters.
        public var binary: String?
        public static let unreadFields: Set<String> = []

        public init(type: String, text: String? = nil, binary: String? = nil) {
            self.type = type
            self.text = text
            self.binary = binary
        }
    }

    /// What is looked for in what was received since the expectation before.
    public struct Expectation: Codable, Hashable, Sendable, FieldListing {
        /// `Text`, `Binary` or `Regex`: which of the three fields is there.
        public var type: String
        /// 1–1024 characters.
        public var text: String?
        /// Base64 of the standard alphabet, 4–1368 characters.
        public var binary: String?
        /// RE2's syntax, 1–1024 characters. The API server does not see whether it is valid.
        public var regex: String?
        public static let unreadFields: Set<String> = []

        public init(type: String, text: String? = nil, binary: String? = nil, regex: String? = nil) {
            self.type = type
            self.text = text
            self.binary = binary
            self.regex = regex
        }
    }

    /// The endpoint is expected to close.
    public struct Close: Codable, Hashable, Sendable, FieldListing {
        public static let unreadFields: Set<String> = []

        public init() {}

        private enum CodingKeys: CodingKey {}

        /// Asks for an object, so that anything else is refused.
        public init(from decoder: any Decoder) throws { _ = try decoder.container(keyedBy: CodingKeys.self) }
    }

    /// Where a check goes in place of the endpoint's own port.
    public struct HealthCheckOverrides: Codable, Hashable, Sendable, FieldListing {
        /// 1–65535.
        public var port: Int?
        public static let unreadFields: Set<String> = []

        public init(port: Int? = nil) { self.port = port }
    }

    /// What failed connections say of an endpoint. Acts at once.
    public struct PassiveHealthCheck: Codable, Hashable, Sendable, FieldListing {
        /// Failures in a row, 1–1000.
        public var consecutiveLocalOriginFailures: Int?
        /// A Gateway API duration over 0s: how often ejections are looked at.
        public var interval: String?
        /// A Gateway API duration over 0s, times the number of ejections in a row.
        public var baseEjectionTime: String?
        /// Of a backend's endpoints, 0–100.
        public var maxEjectionPercent: Int?
        /// Whether one may be ejected even if that is more than ``maxEjectionPercent``.
        public var alwaysEjectOneEndpoint: Bool?
        public static let unreadFields: Set<String> = []

        public init() {}
    }
}

extension BackendPolicy {
    /// Regular expressions that the policy's check expects, in order. Whether they can be used is a fact of the snapshot
    /// (``ClusterSnapshot/patternProblems``).
    public var patterns: [String] {
        (spec.healthCheck?.active?.tcp?.steps ?? []).compactMap { $0.expect?.regex }
    }
}
