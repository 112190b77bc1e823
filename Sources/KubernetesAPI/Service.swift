/// A name for a set of endpoints (core v1).
public struct Service: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "", version: "v1", kind: "Service", plural: "services", namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public var status: Status?
    public static let unreadFields: Set<String> = ["apiVersion", "kind"]

    public init(metadata: ObjectMeta, spec: Spec, status: Status? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }

    /// What the Service asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        /// Absent: `ClusterIP`.
        public var type: String?
        public var ports: [Port]?
        public var selector: [String: String]?
        /// `None` for a headless Service.
        public var clusterIP: String?
        public var clusterIPs: [String]?
        public var externalName: String?
        public var externalTrafficPolicy: String?
        /// `Cluster` or `Local`; absent: `Cluster`.
        public var internalTrafficPolicy: String?
        /// `IPv4` and `IPv6`, the first one for good.
        public var ipFamilies: [String]?
        public var ipFamilyPolicy: String?
        /// Cannot change while ``type`` stays `LoadBalancer`.
        public var loadBalancerClass: String?
        public var loadBalancerIP: String?
        /// `ClientIP` or `None`; absent: `None`.
        public var sessionAffinity: String?
        public var sessionAffinityConfig: SessionAffinityConfig?
        /// `PreferSameZone`, which is also called `PreferClose`, or `PreferSameNode`. Endpoints' hints say what comes of it.
        public var trafficDistribution: String?
        public static let unreadFields: Set<String> = [
            "allocateLoadBalancerNodePorts", "externalIPs", "healthCheckNodePort", "loadBalancerSourceRanges",
            "publishNotReadyAddresses",
        ]

        public init(type: String? = nil, ports: [Port]? = nil) {
            self.type = type
            self.ports = ports
        }
    }

    /// How sessions keep to an endpoint; only with ``Spec/sessionAffinity`` `ClientIP`.
    public struct SessionAffinityConfig: Codable, Hashable, Sendable, FieldListing {
        public var clientIP: ClientIPConfig?
        public static let unreadFields: Set<String> = []

        public init(clientIP: ClientIPConfig? = nil) { self.clientIP = clientIP }
    }

    /// How connections of one client keep to an endpoint.
    public struct ClientIPConfig: Codable, Hashable, Sendable, FieldListing {
        /// 1–86400; absent: 10800.
        public var timeoutSeconds: Int?
        public static let unreadFields: Set<String> = []

        public init(timeoutSeconds: Int? = nil) { self.timeoutSeconds = timeoutSeconds }
    }

    /// A port of the Service.
    public struct Port: Codable, Hashable, Sendable, FieldListing {
        /// Absent or empty only where the Service has a single port.
        public var name: String?
        /// 1–65535.
        public var port: Int
        /// Absent: `TCP`.
        public var `protocol`: String?
        public var appProtocol: String?
        /// Absent: that of ``port``.
        public var targetPort: PortReference?
        public var nodePort: Int?
        public static let unreadFields: Set<String> = []

        public init(
            name: String? = nil, port: Int, `protocol`: String? = nil, appProtocol: String? = nil,
            targetPort: PortReference? = nil, nodePort: Int? = nil
        ) {
            self.name = name
            self.port = port
            self.`protocol` = `protocol`
            self.appProtocol = appProtocol
            self.targetPort = targetPort
            self.nodePort = nodePort
        }
    }

    /// What became of the Service.
    public struct Status: Codable, Hashable, Sendable, FieldListing {
        public var loadBalancer: LoadBalancer?
        public static let unreadFields: Set<String> = ["conditions"]

        public init(loadBalancer: LoadBalancer? = nil) { self.loadBalancer = loadBalancer }
    }

    /// Where a load balancer takes connections for the Service.
    public struct LoadBalancer: Codable, Hashable, Sendable, FieldListing {
        public var ingress: [Ingress]?
        public static let unreadFields: Set<String> = []

        public init(ingress: [Ingress]? = nil) { self.ingress = ingress }
    }

    /// One point of a load balancer: an address or a name.
    public struct Ingress: Codable, Hashable, Sendable, FieldListing {
        public var ip: String?
        public var hostname: String?
        /// `VIP` or `Proxy`; only with ``ip``.
        public var ipMode: String?
        public static let unreadFields: Set<String> = ["ports"]

        public init(ip: String? = nil, hostname: String? = nil, ipMode: String? = nil) {
            self.ip = ip
            self.hostname = hostname
            self.ipMode = ipMode
        }
    }
}
