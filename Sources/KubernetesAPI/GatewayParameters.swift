/// How gateways are exposed and what may pass through them (sluice.dev/v1alpha1): named by GatewayClass.parametersRef, or
/// by Gateway.infrastructure.parametersRef, whose fields override the class's one by one.
///
/// Every field may be absent: what is not said here is said by the class, and last by the gateway's own defaults.
public struct GatewayParameters: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "sluice.dev", version: "v1alpha1", kind: "GatewayParameters", plural: "gatewayparameters",
        namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// The parameters.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        /// `Service` or `Host`.
        public var exposure: String?
        /// Where listener ports are bound under `Host`; absent: every local address. At most 16.
        public var addresses: [String]?
        public var service: ServiceParameters?
        /// `IPv4`, `IPv6` or `DualStack`.
        public var ipFamily: String?
        /// Absent: every port. The class's alone.
        public var allowedPorts: AllowedPorts?
        /// How long sessions go on whose route or listener is deleted, as a Gateway API duration.
        public var routeDrainTimeout: String?
        /// The class's alone.
        public var backendGuard: BackendGuard?
        public var telemetry: Telemetry?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// The Service that exposes a gateway.
    public struct ServiceParameters: Codable, Hashable, Sendable, FieldListing {
        /// `LoadBalancer`, `NodePort` or `ClusterIP`.
        public var type: String?
        /// `Cluster` or `Local`.
        public var externalTrafficPolicy: String?
        /// Empty: the cluster's default class.
        public var loadBalancerClass: String?
        public var annotations: [String: String]?
        /// At most 64, one for each listener port.
        public var nodePorts: [NodePort]?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// The port of every node that leads to a listener port.
    public struct NodePort: Codable, Hashable, Sendable, FieldListing {
        /// 1–65535.
        public var listenerPort: Int
        /// 1–65535, within the cluster's range.
        public var nodePort: Int
        public static let unreadFields: Set<String> = []

        public init(listenerPort: Int, nodePort: Int) {
            self.listenerPort = listenerPort
            self.nodePort = nodePort
        }
    }

    /// Ports that listeners may have, by protocol; a protocol without a list has none.
    public struct AllowedPorts: Codable, Hashable, Sendable, FieldListing {
        public var tcp: Ports?
        public var tls: Ports?
        /// Who may open other ports as well; absent: nobody.
        public var namespaces: Namespaces?
        public static let unreadFields: Set<String> = []

        public init(tcp: Ports? = nil, tls: Ports? = nil, namespaces: Namespaces? = nil) {
            self.tcp = tcp
            self.tls = tls
            self.namespaces = namespaces
        }
    }

    /// A set of ports.
    public struct Ports: Codable, Hashable, Sendable, FieldListing {
        /// At most 64.
        public var ranges: [PortRange]?
        /// At most 256, each once.
        public var ports: [Int]?
        public static let unreadFields: Set<String> = []

        public init(ranges: [PortRange]? = nil, ports: [Int]? = nil) {
            self.ranges = ranges
            self.ports = ports
        }
    }

    /// Ports from one to another, both included.
    public struct PortRange: Codable, Hashable, Sendable, FieldListing {
        public var from: Int
        public var to: Int
        public static let unreadFields: Set<String> = []

        public init(from: Int, to: Int) {
            self.from = from
            self.to = to
        }
    }

    /// Namespaces of gateways and listener sets.
    public struct Namespaces: Codable, Hashable, Sendable, FieldListing {
        /// `All`, `Same` (the namespace of the parameters), `Selector` or `None`.
        public var from: String
        public var selector: LabelSelector?
        public static let unreadFields: Set<String> = []

        public init(from: String, selector: LabelSelector? = nil) {
            self.from = from
            self.selector = selector
        }
    }

    /// Where backends may lie that a user of the gateway should not reach through it.
    public struct BackendGuard: Codable, Hashable, Sendable, FieldListing {
        public var allowLoopback: Bool?
        /// Link-local addresses, and with them the metadata addresses of clouds.
        public var allowLinkLocal: Bool?
        /// The folder that unix sockets must lie in; empty: none is allowed.
        public var allowUnixSocketDir: String?
        /// Services of type ExternalName.
        public var allowExternalName: Bool?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// What the gateway tells of its work.
    public struct Telemetry: Codable, Hashable, Sendable, FieldListing {
        /// The class's alone.
        public var accessLog: AccessLog?
        public var metrics: Metrics?
        public static let unreadFields: Set<String> = []

        public init(accessLog: AccessLog? = nil, metrics: Metrics? = nil) {
            self.accessLog = accessLog
            self.metrics = metrics
        }
    }

    /// How the access log is written.
    public struct AccessLog: Codable, Hashable, Sendable, FieldListing {
        /// `JSON`, `Text` or `HAProxyTCP`.
        public var format: String?
        /// Only with `Text`.
        public var template: String?
        public static let unreadFields: Set<String> = []

        public init(format: String? = nil, template: String? = nil) {
            self.format = format
            self.template = template
        }
    }

    /// Which metrics there are.
    public struct Metrics: Codable, Hashable, Sendable, FieldListing {
        /// Whether endpoints have series of their own.
        public var perEndpoint: Bool?
        public static let unreadFields: Set<String> = []

        public init(perEndpoint: Bool? = nil) { self.perEndpoint = perEndpoint }
    }
}
