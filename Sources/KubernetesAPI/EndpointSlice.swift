/// Some of the endpoints of a Service (discovery.k8s.io/v1).
public struct EndpointSlice: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", plural: "endpointslices", namespaced: true)
    public var metadata: ObjectMeta
    /// `IPv4`, `IPv6` or `FQDN`.
    public var addressType: String
    public var endpoints: [Endpoint]?
    public var ports: [Port]?
    public static let unreadFields: Set<String> = ["apiVersion", "kind"]

    public init(metadata: ObjectMeta, addressType: String, endpoints: [Endpoint]? = nil, ports: [Port]? = nil) {
        self.metadata = metadata
        self.addressType = addressType
        self.endpoints = endpoints
        self.ports = ports
    }

    /// The label that names the Service a slice belongs to.
    public static let serviceNameLabel = "kubernetes.io/service-name"

    /// One endpoint, usually a pod.
    public struct Endpoint: Codable, Hashable, Sendable, FieldListing {
        public var addresses: [String]
        public var conditions: Conditions?
        /// Where it is (topology.kubernetes.io/zone); absent: not known.
        public var zone: String?
        public var nodeName: String?
        /// Absent: it is meant for everybody.
        public var hints: Hints?
        public static let unreadFields: Set<String> = ["deprecatedTopology", "hostname", "targetRef"]

        public init(
            addresses: [String], conditions: Conditions? = nil, zone: String? = nil, nodeName: String? = nil,
            hints: Hints? = nil
        ) {
            self.addresses = addresses
            self.conditions = conditions
            self.zone = zone
            self.nodeName = nodeName
            self.hints = hints
        }
    }

    /// For whom an endpoint is meant: what Service.spec.trafficDistribution comes to.
    public struct Hints: Codable, Hashable, Sendable, FieldListing {
        public var forZones: [Hint]?
        public var forNodes: [Hint]?
        public static let unreadFields: Set<String> = []

        public init(forZones: [Hint]? = nil, forNodes: [Hint]? = nil) {
            self.forZones = forZones
            self.forNodes = forNodes
        }
    }

    /// A zone or a node.
    public struct Hint: Codable, Hashable, Sendable, FieldListing {
        public var name: String
        public static let unreadFields: Set<String> = []

        public init(name: String) { self.name = name }
    }

    /// What an endpoint can do now; absent means unknown.
    public struct Conditions: Codable, Hashable, Sendable, FieldListing {
        public var ready: Bool?
        public var serving: Bool?
        public var terminating: Bool?
        public static let unreadFields: Set<String> = []

        public init(ready: Bool? = nil, serving: Bool? = nil, terminating: Bool? = nil) {
            self.ready = ready
            self.serving = serving
            self.terminating = terminating
        }
    }

    /// A port of every endpoint of the slice.
    public struct Port: Codable, Hashable, Sendable, FieldListing {
        /// The Service port's name; empty where it has none.
        public var name: String?
        public var port: Int?
        /// Absent: `TCP`.
        public var `protocol`: String?
        public var appProtocol: String?
        public static let unreadFields: Set<String> = []

        public init(name: String? = nil, port: Int? = nil, `protocol`: String? = nil, appProtocol: String? = nil) {
            self.name = name
            self.port = port
            self.`protocol` = `protocol`
            self.appProtocol = appProtocol
        }
    }
}
