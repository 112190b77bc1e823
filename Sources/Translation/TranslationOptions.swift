/// What the translation must know of its surroundings: constant while the process runs.
public struct TranslationOptions: Hashable, Sendable {
    /// Which GatewayClasses are ours.
    public var controllerName = "sluice.dev/gateway-controller"
    public var exposure = Exposure.host
    /// The class that needs no GatewayClass object when ``standalone``.
    public var defaultClassName = "sluice"
    /// The objects come from a folder rather than from a cluster: nobody else serves them, so a reference to a gateway
    /// that does not exist is answered too.
    public var standalone = false
    /// Ports of the process itself (probes, admin), never bound for a listener.
    public var reservedPorts: Set<UInt16> = []

    /// How listeners are reachable.
    public enum Exposure: Hashable, Sendable {
        /// Listener ports are bound as they are, on the addresses the gateway gives or on all.
        case host
    }

    public init() {}
}
