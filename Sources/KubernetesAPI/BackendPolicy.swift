/// What happens between the gateway and its backends (sluice.dev/v1alpha1): which endpoint gets a connection, which ones can
/// serve, and how they are connected to and spoken with. Attached to Gateways, ListenerSets, their listeners, routes, Services,
/// their ports, and Backends.
///
/// Fields are as they were written: absent where the author said nothing. What the definition fills in then are the
/// `effective…` accessors; the defaults of merged fields (those of `spec`, `tls` and `timeout.tcp`) are nobody's here.
public struct BackendPolicy: KubernetesResource {
    public static let resourceKind = ResourceKind(
        group: "sluice.dev", version: "v1alpha1", kind: "BackendPolicy", plural: "backendpolicies", namespaced: true)
    public var metadata: ObjectMeta
    public var spec: Spec
    public static let unreadFields: Set<String> = ["apiVersion", "kind", "status"]

    public init(metadata: ObjectMeta, spec: Spec) {
        self.metadata = metadata
        self.spec = spec
    }

    public typealias TargetReference = PolicyTargetReference
    /// TCP keepalive towards backends. Acts on the next connection.
    public typealias Keepalive = ClientPolicy.Keepalive

    /// What the policy asks for.
    public struct Spec: Codable, Hashable, Sendable, FieldListing {
        /// 1–16.
        public var targetRefs: [TargetReference]
        public var loadBalancer: LoadBalancer?
        public var healthCheck: HealthCheck?
        /// Established sessions of an endpoint that becomes unhealthy: `Keep`, `Drain` or `Close`. Acts at once, as do the next
        /// three.
        public var onEndpointUnhealthy: String?
        /// Established sessions of an endpoint that is no more: as ``onEndpointUnhealthy``.
        public var onEndpointRemoved: String?
        /// Established sessions of fallback endpoints once others can serve again: `Keep` or `Drain`.
        public var onPrimaryRecovered: String?
        /// A Gateway API duration over which draining closes sessions; `0s` is at once.
        public var endpointDrainTimeout: String?
        public var timeout: Timeout?
        public var retry: Retry?
        /// A limit: that of every level applies.
        public var circuitBreaker: CircuitBreaker?
        public var proxyProtocol: ProxyProtocol?
        public var tcpKeepalive: Keepalive?
        public var tls: TLS?
        public var startTLS: StartTLS?
        public var dns: DNS?
        public static let unreadFields: Set<String> = []

        public init(targetRefs: [TargetReference]) { self.targetRefs = targetRefs }
    }
}
