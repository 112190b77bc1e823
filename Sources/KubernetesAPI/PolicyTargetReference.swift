/// What a policy is for: an object in the policy's own namespace, or one section of it.
public struct PolicyTargetReference: Codable, Hashable, Sendable, FieldListing {
    /// `gateway.networking.k8s.io`; for a ``BackendPolicy`` also empty (Service) and `sluice.dev` (Backend).
    public var group: String
    /// `Gateway`, `ListenerSet`, `TCPRoute` or `TLSRoute`; for a ``BackendPolicy`` also `Service` and `Backend`.
    public var kind: String
    public var name: String
    /// A listener of a Gateway or ListenerSet, or a port of a Service, by name; absent: all of them.
    public var sectionName: String?
    public static let unreadFields: Set<String> = []

    public init(group: String = gatewayAPIGroup, kind: String, name: String, sectionName: String? = nil) {
        self.group = group
        self.kind = kind
        self.name = name
        self.sectionName = sectionName
    }
}
