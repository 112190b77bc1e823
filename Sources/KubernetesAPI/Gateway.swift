/// A set of listeners and where they are reachable (Gateway API v1).
public struct Gateway: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "Gateway", plural: "gateways", namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the gateway asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        public var gatewayClassName: String
        /// Names are unique within the gateway.
        public var listeners: [Listener]
        public var addresses: [Address]?
        public var infrastructure: Infrastructure?
        public var tls: TLS?
        public var allowedListeners: AllowedListeners?
        public static let unreadFields: Set<String> = []

        public init(
            gatewayClassName: String, listeners: [Listener], addresses: [Address]? = nil,
            infrastructure: Infrastructure? = nil, tls: TLS? = nil, allowedListeners: AllowedListeners? = nil
        ) {
            self.gatewayClassName = gatewayClassName
            self.listeners = listeners
            self.addresses = addresses
            self.infrastructure = infrastructure
            self.tls = tls
            self.allowedListeners = allowedListeners
        }
    }

    /// Which ListenerSets may add listeners.
    public struct AllowedListeners: Codable, Hashable, Sendable, FieldListing {
        public var namespaces: ListenerNamespaces?
        public static let unreadFields: Set<String> = []

        public init(namespaces: ListenerNamespaces? = nil) {
            self.namespaces = namespaces
        }
    }

    /// Namespaces whose ListenerSets may add listeners.
    public struct ListenerNamespaces: Codable, Hashable, Sendable, FieldListing {
        /// `None` (also when absent), `Same`, `All` or `Selector`.
        public var from: String?
        public var selector: LabelSelector?
        public static let unreadFields: Set<String> = []

        public init(from: String? = nil, selector: LabelSelector? = nil) {
            self.from = from
            self.selector = selector
        }
    }

    /// An address the gateway asks to be reachable at.
    public struct Address: Codable, Hashable, Sendable, FieldListing {
        /// Absent: `IPAddress`; see ``effectiveType``.
        public var type: String?
        public var value: String?
        public static let unreadFields: Set<String> = []

        public init(type: String? = nil, value: String? = nil) {
            self.type = type
            self.value = value
        }
    }

    /// Settings of what carries the gateway.
    public struct Infrastructure: Codable, Hashable, Sendable, FieldListing {
        /// Given to the objects that are made for the gateway; at most 8.
        public var labels: [String: String]?
        /// Given to the objects that are made for the gateway; at most 16.
        public var annotations: [String: String]?
        public var parametersRef: ParametersReference?
        public static let unreadFields: Set<String> = []

        public init(
            labels: [String: String]? = nil, annotations: [String: String]? = nil,
            parametersRef: ParametersReference? = nil
        ) {
            self.labels = labels
            self.annotations = annotations
            self.parametersRef = parametersRef
        }
    }

    /// One port (and for TLS one host name) that the gateway listens on.
    public struct Listener: Codable, Hashable, Sendable, FieldListing {
        public var name: String
        public var hostname: String?
        /// 1–65535.
        public var port: Int
        public var `protocol`: ProtocolType
        public var tls: ListenerTLS?
        public var allowedRoutes: AllowedRoutes?
        public static let unreadFields: Set<String> = []

        public init(
            name: String, hostname: String? = nil, port: Int, `protocol`: ProtocolType, tls: ListenerTLS? = nil,
            allowedRoutes: AllowedRoutes? = nil
        ) {
            self.name = name
            self.hostname = hostname
            self.port = port
            self.`protocol` = `protocol`
            self.tls = tls
            self.allowedRoutes = allowedRoutes
        }
    }

    /// What a listener does with TLS.
    public struct ListenerTLS: Codable, Hashable, Sendable, FieldListing {
        /// `Terminate` (also when absent) or `Passthrough`.
        public var mode: String?
        public var certificateRefs: [SecretObjectReference]?
        /// Implementation-specific settings by key.
        public var options: [String: String]?
        public static let unreadFields: Set<String> = []

        public init(
            mode: String? = nil, certificateRefs: [SecretObjectReference]? = nil, options: [String: String]? = nil
        ) {
            self.mode = mode
            self.certificateRefs = certificateRefs
            self.options = options
        }
    }

    /// Which routes may attach to a listener.
    public struct AllowedRoutes: Codable, Hashable, Sendable, FieldListing {
        public var namespaces: RouteNamespaces?
        public var kinds: [RouteGroupKind]?
        public static let unreadFields: Set<String> = []

        public init(namespaces: RouteNamespaces? = nil, kinds: [RouteGroupKind]? = nil) {
            self.namespaces = namespaces
            self.kinds = kinds
        }
    }

    /// Namespaces whose routes may attach.
    public struct RouteNamespaces: Codable, Hashable, Sendable, FieldListing {
        /// `Same` (also when absent), `All` or `Selector`.
        public var from: String?
        public var selector: LabelSelector?
        public static let unreadFields: Set<String> = []

        public init(from: String? = nil, selector: LabelSelector? = nil) {
            self.from = from
            self.selector = selector
        }
    }

    /// A kind of route.
    public struct RouteGroupKind: Codable, Hashable, Sendable, FieldListing {
        /// Absent: Gateway API's own group.
        public var group: String?
        public var kind: String
        public static let unreadFields: Set<String> = []

        public init(group: String? = nil, kind: String) {
            self.group = group
            self.kind = kind
        }
    }

    /// TLS settings that hold for the whole gateway.
    public struct TLS: Codable, Hashable, Sendable, FieldListing {
        public var frontend: Frontend?
        public var backend: Backend?
        public static let unreadFields: Set<String> = []

        public init(frontend: Frontend? = nil, backend: Backend? = nil) {
            self.frontend = frontend
            self.backend = backend
        }
    }

    /// How clients prove who they are.
    public struct Frontend: Codable, Hashable, Sendable, FieldListing {
        public var `default`: FrontendTLS?
        public var perPort: [FrontendPort]?
        public static let unreadFields: Set<String> = []

        public init(`default`: FrontendTLS? = nil, perPort: [FrontendPort]? = nil) {
            self.`default` = `default`
            self.perPort = perPort
        }
    }

    /// Overrides the default for the listeners of one port.
    public struct FrontendPort: Codable, Hashable, Sendable, FieldListing {
        public var port: Int
        public var tls: FrontendTLS?
        public static let unreadFields: Set<String> = []

        public init(port: Int, tls: FrontendTLS? = nil) {
            self.port = port
            self.tls = tls
        }
    }

    /// Client certificates of one port, or of all.
    public struct FrontendTLS: Codable, Hashable, Sendable, FieldListing {
        public var validation: FrontendValidation?
        public static let unreadFields: Set<String> = []

        public init(validation: FrontendValidation? = nil) {
            self.validation = validation
        }
    }

    /// Which client certificates are accepted.
    public struct FrontendValidation: Codable, Hashable, Sendable, FieldListing {
        public var caCertificateRefs: [ObjectReference]?
        /// `AllowValidOnly` (also when absent) or `AllowInsecureFallback`.
        public var mode: String?
        public static let unreadFields: Set<String> = []

        public init(caCertificateRefs: [ObjectReference]? = nil, mode: String? = nil) {
            self.caCertificateRefs = caCertificateRefs
            self.mode = mode
        }
    }

    /// How the gateway proves to backends who it is.
    public struct Backend: Codable, Hashable, Sendable, FieldListing {
        public var clientCertificateRef: SecretObjectReference?
        public static let unreadFields: Set<String> = []

        public init(clientCertificateRef: SecretObjectReference? = nil) {
            self.clientCertificateRef = clientCertificateRef
        }
    }
}
