/// A backend that is not a Service (sluice.dev/v1alpha1).
public struct Backend: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "sluice.dev", version: "v1alpha1", kind: "Backend", plural: "backends", namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the backend consists of.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        /// `Endpoints`, also when absent.
        public var type: String?
        /// 1–256.
        public var endpoints: [Endpoint]?
        /// Used only when every other backend of the rule has no healthy endpoint.
        public var fallback: Bool?
        public static let unreadFields: Set<String> = []

        public init(type: String? = nil, endpoints: [Endpoint]? = nil, fallback: Bool? = nil) {
            self.type = type
            self.endpoints = endpoints
            self.fallback = fallback
        }
    }

    /// One endpoint: exactly one of ``fqdn``, ``ip`` and ``unix``.
    public struct Endpoint: Codable, Hashable, Sendable, FieldListing {
        public var fqdn: FQDN?
        public var ip: IP?
        public var unix: Unix?
        public var zone: String?
        /// 0–1000, relative to the other endpoints; absent: 1.
        public var weight: Int?
        public static let unreadFields: Set<String> = []

        public init(fqdn: FQDN? = nil, ip: IP? = nil, unix: Unix? = nil, zone: String? = nil, weight: Int? = nil) {
            self.fqdn = fqdn
            self.ip = ip
            self.unix = unix
            self.zone = zone
            self.weight = weight
        }
    }

    /// A DNS name, resolved as absolute.
    public struct FQDN: Codable, Hashable, Sendable, FieldListing {
        public var hostname: String
        public var port: Int?
        /// The name has SRV records, which carry the port.
        public var srv: Bool?
        public static let unreadFields: Set<String> = []

        public init(hostname: String, port: Int? = nil, srv: Bool? = nil) {
            self.hostname = hostname
            self.port = port
            self.srv = srv
        }
    }

    /// An IP address and a port.
    public struct IP: Codable, Hashable, Sendable, FieldListing {
        public var address: String
        public var port: Int
        public static let unreadFields: Set<String> = []

        public init(address: String, port: Int) {
            self.address = address
            self.port = port
        }
    }

    /// A Unix stream socket.
    public struct Unix: Codable, Hashable, Sendable, FieldListing {
        public var path: String
        public static let unreadFields: Set<String> = []

        public init(path: String) {
            self.path = path
        }
    }
}
