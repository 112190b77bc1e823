public import KubernetesAPI

/// What has to stand in the installation's own namespace: written by the leader alone.
public struct Infrastructure: Hashable, Sendable {
    /// One for each accepted gateway under Service exposure that has a port, sorted by key. The Service of one that has none
    /// just now, or is not accepted, is neither here nor stale: it stays as it is.
    public var services: [DesiredService] = []
    /// Services of ours whose gateway is gone or no longer ours, sorted.
    public var staleServices: [ObjectKey] = []

    public init() {}
}

/// A Service that shall exist: what the writer applies, apart from the owner reference, which is the installation's.
public struct DesiredService: Hashable, Sendable {
    public var key: ObjectKey
    public var gateway: ObjectKey
    public var labels: [String: String]
    public var annotations: [String: String]
    /// `LoadBalancer`, `NodePort` or `ClusterIP`.
    public var type: String
    /// Sorted by port.
    public var ports: [Port]
    public var selector: [String: String]
    public var externalTrafficPolicy: String?
    public var loadBalancerClass: String?
    public var loadBalancerIP: String?
    /// `SingleStack`, `PreferDualStack`; nil: the cluster's default.
    public var ipFamilyPolicy: String?
    public var ipFamilies: [String]?
    /// A field that cannot change on a living Service differs: it has to be deleted and made anew.
    public var mustRecreate = false

    /// One port of the Service.
    public struct Port: Hashable, Sendable {
        public var name: String
        public var port: UInt16
        /// The bound port: the one record of which port a gateway's port has.
        public var targetPort: UInt16
        public var nodePort: UInt16?

        public init(name: String, port: UInt16, targetPort: UInt16, nodePort: UInt16? = nil) {
            (self.name, self.port, self.targetPort, self.nodePort) = (name, port, targetPort, nodePort)
        }
    }

    public init(
        key: ObjectKey, gateway: ObjectKey, labels: [String: String] = [:], annotations: [String: String] = [:],
        type: String, ports: [Port], selector: [String: String] = [:]
    ) {
        (self.key, self.gateway, self.labels, self.annotations) = (key, gateway, labels, annotations)
        (self.type, self.ports, self.selector) = (type, ports, selector)
    }
}
