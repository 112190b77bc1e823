/// Listeners that others add to a gateway (Gateway API v1).
public struct ListenerSet: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "ListenerSet", plural: "listenersets", namespaced: true
    )
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the set asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        public var parentRef: ParentGatewayReference
        /// Names are unique within the set, not among all listeners of the gateway.
        public var listeners: [Gateway.Listener]
        public static let unreadFields: Set<String> = []

        public init(parentRef: ParentGatewayReference, listeners: [Gateway.Listener]) {
            self.parentRef = parentRef
            self.listeners = listeners
        }
    }

    /// Names the gateway that the listeners are added to.
    public struct ParentGatewayReference: Codable, Hashable, Sendable, FieldListing {
        /// Absent: Gateway API's own group.
        public var group: String?
        /// Absent: `Gateway`.
        public var kind: String?
        public var name: String
        /// Absent: the set's own namespace.
        public var namespace: String?
        public static let unreadFields: Set<String> = []

        public init(group: String? = nil, kind: String? = nil, name: String, namespace: String? = nil) {
            self.group = group
            self.kind = kind
            self.name = name
            self.namespace = namespace
        }
    }
}
