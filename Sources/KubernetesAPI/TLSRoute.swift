/// Sends TLS connections to backends by the server name of the ClientHello (Gateway API v1).
public struct TLSRoute: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "TLSRoute", plural: "tlsroutes", namespaced: true)
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
        /// Absent or empty: every name (Gateway API v1 requires at least one).
        public var hostnames: [String]?
        /// Gateway API allows exactly one.
        public var rules: [RouteRule]
        public static let unreadFields: Set<String> = []

        public init(parentRefs: [ParentReference]? = nil, hostnames: [String]? = nil, rules: [RouteRule]) {
            self.parentRefs = parentRefs
            self.hostnames = hostnames
            self.rules = rules
        }
    }
}
