/// A node (core v1): read for the addresses of gateways that are exposed at node ports.
public struct Node: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "", version: "v1", kind: "Node", plural: "nodes", namespaced: false)
    public var metadata: ObjectMeta
    public var status: Status?
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "spec"]

    public init(metadata: ObjectMeta, status: Status? = nil) {
        self.metadata = metadata
        self.status = status
    }

    /// What the node reports.
    public struct Status: Codable, Hashable, Sendable, FieldListing {
        public var addresses: [Address]?
        public var conditions: [NodeCondition]?
        public static let unreadFields: Set<String> = [
            "allocatable", "capacity", "config", "daemonEndpoints", "declaredFeatures", "features",
            "images", "nodeInfo", "phase", "runtimeHandlers", "volumesAttached", "volumesInUse",
        ]

        public init(addresses: [Address]? = nil, conditions: [NodeCondition]? = nil) {
            self.addresses = addresses
            self.conditions = conditions
        }
    }

    /// One aspect of the node's state.
    public struct NodeCondition: Codable, Hashable, Sendable, FieldListing {
        /// Such as `Ready`.
        public var type: String
        /// `True`, `False` or `Unknown`.
        public var status: String
        public static let unreadFields: Set<String> = ["lastHeartbeatTime", "lastTransitionTime", "message", "reason"]

        public init(type: String, status: String) {
            self.type = type
            self.status = status
        }
    }

    /// One address of the node.
    public struct Address: Codable, Hashable, Sendable, FieldListing {
        /// Such as `InternalIP` or `ExternalIP`.
        public var type: String
        public var address: String
        public static let unreadFields: Set<String> = []

        public init(type: String, address: String) {
            self.type = type
            self.address = address
        }
    }
}
