/// What happens between clients and the gateway (sluice.dev/v1alpha1): whom to believe, who may connect, how much and how
/// long. Attached to Gateways, ListenerSets, their listeners, and routes.
///
/// Fields are as they were written: absent where the author said nothing. What the definition fills in then are the
/// `effective…` accessors; the defaults of merged fields (those of `spec`, `tls` and `timeout.tcp`) are nobody's here.
public struct ClientPolicy: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "sluice.dev", version: "v1alpha1", kind: "ClientPolicy", plural: "clientpolicies", namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the policy asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        /// 1–16.
        public var targetRefs: [TargetReference]
        /// Before a route is chosen: only on Gateways and ListenerSets, as are ``startTLS``, ``tls`` and ``tcpKeepalive``.
        public var proxyProtocol: ProxyProtocol?
        public var startTLS: StartTLS?
        public var tls: TLS?
        public var tcpKeepalive: Keepalive?
        public var timeout: Timeout?
        public var accessLog: AccessLog?
        public var authorization: Authorization?
        public var connectionLimit: ConnectionLimit?
        public var connectionRateLimit: ConnectionRateLimit?
        public var bandwidthLimit: BandwidthLimit?
        public static let unreadFields: Set<String> = []

        public init(targetRefs: [TargetReference]) { self.targetRefs = targetRefs }
    }

    public typealias TargetReference = PolicyTargetReference

    /// The PROXY protocol, version 1 or 2, before anything else on a connection. Acts on the next connection.
    public struct ProxyProtocol: Codable, Hashable, Sendable, FieldListing {
        /// `Required` or `Optional`.
        public var mode: String?
        /// CIDRs of peers whose headers are believed, at most 256; absent with `Required`: every peer.
        public var trustedCIDRs: [String]?
        /// A Gateway API duration, 100ms–60s.
        public var headerTimeout: String?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// TLS that a client asks for in its own protocol. Acts on the next connection.
    public struct StartTLS: Codable, Hashable, Sendable, FieldListing {
        /// `Postgres`.
        public var `protocol`: String
        /// `Required` or `Optional`.
        public var mode: String?
        public static let unreadFields: Set<String> = []

        public init(protocol: String, mode: String? = nil) {
            self.protocol = `protocol`
            self.mode = mode
        }
    }

    /// TCP keepalive towards clients. Acts on the next connection.
    public struct Keepalive: Codable, Hashable, Sendable, FieldListing {
        public var disabled: Bool?
        /// A Gateway API duration, 1s–32767s; the kernel counts whole seconds.
        public var idleTime: String?
        /// As ``idleTime``.
        public var interval: String?
        /// 1–127.
        public var probes: Int?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// How long things may take. Acts on the next connection.
    public struct Timeout: Codable, Hashable, Sendable, FieldListing {
        public var tcp: TCPTimeout?
        public static let unreadFields: Set<String> = []

        public init(tcp: TCPTimeout? = nil) { self.tcp = tcp }
    }

    /// Gateway API durations; `0s` switches an inherited one off, but for the first two.
    public struct TCPTimeout: Codable, Hashable, Sendable, FieldListing {
        /// Over 0s. Only on Gateways and ListenerSets, as is ``connectionInspectionTimeout``.
        public var tlsHandshakeTimeout: String?
        /// Over 0s.
        public var connectionInspectionTimeout: String?
        public var idleTimeout: String?
        public var clientIdleTimeout: String?
        public var serverIdleTimeout: String?
        public var firstByteTimeout: String?
        public var halfCloseTimeout: String?
        public var maxConnectionDuration: String?
        /// Per cent, 0–50.
        public var maxConnectionDurationJitter: Int?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// What the access log tells of connections. Acts on the next connection.
    public struct AccessLog: Codable, Hashable, Sendable, FieldListing {
        /// Counts on Gateways and their listeners.
        public var disabled: Bool?
        /// A set of `Open`, `Periodic` and `Close`.
        public var events: [String]?
        /// A Gateway API duration of at least 10s; needed with `Periodic`.
        public var interval: String?
        /// `All`, `Errors` or `Rejected`.
        public var include: String?
        public static let unreadFields: Set<String> = []

        public init() {}
    }
}
