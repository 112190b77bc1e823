/// TLS towards backends, and how their certificates are verified (Gateway API v1).
public struct BackendTLSPolicy: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "BackendTLSPolicy", plural: "backendtlspolicies",
        namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the policy asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        public var targetRefs: [TargetReference]
        public var validation: Validation
        /// Implementation-specific settings by key.
        public var options: [String: String]?
        public static let unreadFields: Set<String> = []

        public init(targetRefs: [TargetReference], validation: Validation, options: [String: String]? = nil) {
            self.targetRefs = targetRefs
            self.validation = validation
            self.options = options
        }
    }

    /// A backend in the policy's own namespace.
    public struct TargetReference: Codable, Hashable, Sendable, FieldListing {
        public var group: String
        public var kind: String
        public var name: String
        /// A Service port by name; absent: all ports.
        public var sectionName: String?
        public static let unreadFields: Set<String> = []

        public init(group: String, kind: String, name: String, sectionName: String? = nil) {
            self.group = group
            self.kind = kind
            self.name = name
            self.sectionName = sectionName
        }
    }

    /// What the backend's certificate is checked against.
    public struct Validation: Codable, Hashable, Sendable, FieldListing {
        public var caCertificateRefs: [LocalObjectReference]?
        /// `System`.
        public var wellKnownCACertificates: String?
        /// Sent as SNI, and verified unless ``subjectAltNames`` is given.
        public var hostname: String
        public var subjectAltNames: [SubjectAltName]?
        public static let unreadFields: Set<String> = []

        public init(
            caCertificateRefs: [LocalObjectReference]? = nil, wellKnownCACertificates: String? = nil, hostname: String,
            subjectAltNames: [SubjectAltName]? = nil
        ) {
            self.caCertificateRefs = caCertificateRefs
            self.wellKnownCACertificates = wellKnownCACertificates
            self.hostname = hostname
            self.subjectAltNames = subjectAltNames
        }
    }

    /// A name of which one must be in the certificate.
    public struct SubjectAltName: Codable, Hashable, Sendable, FieldListing {
        /// `Hostname` or `URI`.
        public var type: String
        public var hostname: String?
        public var uri: String?
        public static let unreadFields: Set<String> = []

        public init(type: String, hostname: String? = nil, uri: String? = nil) {
            self.type = type
            self.hostname = hostname
            self.uri = uri
        }
    }
}
