/// A class of gateways and the controller that serves it (Gateway API v1).
public struct GatewayClass: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "gateway.networking.k8s.io", version: "v1", kind: "GatewayClass", plural: "gatewayclasses",
        namespaced: false)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    /// What the class asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        /// The controller that serves gateways of this class, such as `sluice.dev/gateway-controller`.
        public var controllerName: String
        public var parametersRef: ParametersReference?
        public static let unreadFields: Set<String> = ["description"]

        public init(controllerName: String, parametersRef: ParametersReference? = nil) {
            self.controllerName = controllerName
            self.parametersRef = parametersRef
        }
    }
}

/// An object with an implementation's own settings, as GatewayClass and Gateway name it.
public struct ParametersReference: Codable, Hashable, Sendable, FieldListing {
    public var group: String
    public var kind: String
    public var name: String
    /// Only a GatewayClass gives one.
    public var namespace: String?
    public static let unreadFields: Set<String> = []

    public init(group: String, kind: String, name: String, namespace: String? = nil) {
        self.group = group
        self.kind = kind
        self.name = name
        self.namespace = namespace
    }
}
