/// A name for a set of endpoints (core v1).
public struct Service: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "", version: "v1", kind: "Service", plural: "services", namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the Service asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        /// Absent: `ClusterIP`.
        public var type: String?
        public var ports: [Port]?
        public static let unreadFields: Set<String> = [
            "allocateLoadBalancerNodePorts", "clusterIP", "clusterIPs", "externalIPs", "externalName",
            "externalTrafficPolicy", "healthCheckNodePort", "internalTrafficPolicy", "ipFamilies", "ipFamilyPolicy",
            "loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges", "publishNotReadyAddresses", "selector",
            "sessionAffinity", "sessionAffinityConfig", "trafficDistribution",
        ]

        public init(type: String? = nil, ports: [Port]? = nil) {
            self.type = type
            self.ports = ports
        }
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
        public static let unreadFields: Set<String> = ["nodePort", "targetPort"]

        public init(name: String? = nil, port: Int, `protocol`: String? = nil, appProtocol: String? = nil) {
            self.name = name
            self.port = port
            self.`protocol` = `protocol`
            self.appProtocol = appProtocol
        }
    }
}
