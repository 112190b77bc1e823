/// The group of Gateway API's kinds.
public let gatewayAPIGroup = "gateway.networking.k8s.io"

// What the CRDs fill in where a field is absent, and what an empty string means where it stands for the default.

extension Gateway.Address {
    public var effectiveType: String { type ?? "IPAddress" }
}

extension Gateway.RouteGroupKind {
    public var effectiveGroup: String { group ?? gatewayAPIGroup }
}

extension Gateway.ListenerTLS {
    /// Whether the stream is passed on as it is rather than decrypted here.
    public var isPassthrough: Bool { mode == "Passthrough" }
}

extension SecretObjectReference {
    public var effectiveGroup: String { group ?? "" }
    public var effectiveKind: String { kind ?? "Secret" }
}

extension ParentReference {
    public var effectiveGroup: String { group ?? gatewayAPIGroup }
    public var effectiveKind: String { kind ?? "Gateway" }
    /// What the reference names when it stands in an object of `namespace`.
    public func key(from namespace: String) -> ObjectKey {
        ObjectKey(namespace: self.namespace ?? namespace, name: name)
    }
}

extension ListenerSet.ParentGatewayReference {
    public var effectiveGroup: String { group ?? gatewayAPIGroup }
    public var effectiveKind: String { kind ?? "Gateway" }
    /// What the reference names when it stands in an object of `namespace`.
    public func key(from namespace: String) -> ObjectKey {
        ObjectKey(namespace: self.namespace ?? namespace, name: name)
    }
}

extension BackendReference {
    public var effectiveGroup: String { group ?? "" }
    public var effectiveKind: String { kind ?? "Service" }
    public var effectiveWeight: Int { weight ?? 1 }
    /// What the reference names when it stands in an object of `namespace`.
    public func key(from namespace: String) -> ObjectKey {
        ObjectKey(namespace: self.namespace ?? namespace, name: name)
    }
}

extension Service.Port {
    public var effectiveProtocol: String { self.protocol ?? "TCP" }
    public var effectiveName: String { name ?? "" }
}

extension EndpointSlice.Port {
    public var effectiveProtocol: String { self.protocol ?? "TCP" }
    public var effectiveName: String { name ?? "" }
}

extension EndpointSlice.Endpoint {
    /// Absent means ready (discovery.k8s.io/v1).
    public var isReady: Bool { conditions?.ready ?? true }
    /// Absent follows ``isReady``.
    public var isServing: Bool { conditions?.serving ?? isReady }
    public var isTerminating: Bool { conditions?.terminating ?? false }
}

extension Backend.Endpoint {
    public var effectiveWeight: Int { weight ?? 1 }
}
