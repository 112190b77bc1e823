/// Lets objects of other namespaces refer to objects of its own namespace (Gateway API v1).
public struct ReferenceGrant: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "ReferenceGrant", plural: "referencegrants",
        namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// Every entry of `from` may refer to every entry of `to`.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        public var from: [From]
        public var to: [To]
        public static let unreadFields: Set<String> = []

        public init(from: [From], to: [To]) {
            self.from = from
            self.to = to
        }
    }

    /// Who may refer.
    public struct From: Codable, Hashable, Sendable, FieldListing {
        public var group: String
        public var kind: String
        public var namespace: String
        public static let unreadFields: Set<String> = []

        public init(group: String, kind: String, namespace: String) {
            self.group = group
            self.kind = kind
            self.namespace = namespace
        }
    }

    /// What may be referred to.
    public struct To: Codable, Hashable, Sendable, FieldListing {
        public var group: String
        public var kind: String
        /// Absent: every object of the kind.
        public var name: String?
        public static let unreadFields: Set<String> = []

        public init(group: String, kind: String, name: String? = nil) {
            self.group = group
            self.kind = kind
            self.name = name
        }
    }
}
