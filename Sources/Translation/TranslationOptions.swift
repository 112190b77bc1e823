/// What the translation must know of its surroundings: constant while the process runs.
public struct TranslationOptions: Hashable, Sendable {
    /// Which GatewayClasses are ours.
    public var controllerName = "sluice.dev/gateway-controller"
    /// Of gateways whose parameters do not say.
    public var exposure = Exposure.host
    /// The class that needs no GatewayClass object when ``standalone``, and that is ours, unread, where a snapshot's scope is
    /// some namespaces.
    public var defaultClassName = "sluice"
    /// The objects come from a folder rather than from a cluster: nobody else serves them, so a reference to a gateway
    /// that does not exist is answered too.
    public var standalone = false
    /// Ports of the process itself (probes, admin), never bound for a listener.
    public var reservedPorts: Set<UInt16> = []

    /// Where Services may be made; nil (standalone): nowhere, and ``Exposure/service`` is refused.
    public var installation: Installation?

    /// The zone that this process runs in (topology.kubernetes.io/zone); nil: that of ``node``, as endpoints of the
    /// installation's own Services say, else not known.
    public var zone: String?
    /// The node that this process runs on, by its name; nil: not known.
    public var node: String?

    /// How listeners are reachable.
    public enum Exposure: Hashable, Sendable {
        /// Listener ports are bound as they are, on the addresses the gateway gives or on all.
        case host
        /// Each gateway has a Service in the ``installation``'s namespace, whose ports lead to ports of a range.
        case service
    }

    /// The installation as far as Services are concerned.
    public struct Installation: Hashable, Sendable {
        public var namespace: String
        /// Labels of the installation's own pods: what the Services select. Not empty.
        public var podLabels: [String: String]
        /// Ports that are bound for Services, and for nothing else.
        public var ports: ClosedRange<UInt16> = 20000...29999

        public init(namespace: String, podLabels: [String: String]) {
            (self.namespace, self.podLabels) = (namespace, podLabels)
        }
    }

    public init() {}
}
