/// Sends the connections of listeners to backends (Gateway API v1).
public struct TCPRoute: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "TCPRoute", plural: "tcproutes", namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the route asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        public var parentRefs: [ParentReference]?
        /// Gateway API allows exactly one.
        public var rules: [RouteRule]
        public static let unreadFields: Set<String> = []

        public init(parentRefs: [ParentReference]? = nil, rules: [RouteRule]) {
            self.parentRefs = parentRefs
            self.rules = rules
        }
    }
}
