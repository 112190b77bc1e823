// What clientpolicies.sluice.dev fills in where a field is absent, and what its descriptions say of those that follow
// another field. Durations are Gateway API durations.

extension ClientPolicy.ProxyProtocol {
    public var effectiveMode: String { mode ?? "Required" }
    public var effectiveHeaderTimeout: String { headerTimeout ?? "5s" }
}

extension ClientPolicy.StartTLS {
    public var effectiveMode: String { mode ?? "Required" }
}

extension ClientPolicy.SubjectAltName {
    public var effectiveMatch: String { match ?? "Exact" }
}

extension ClientPolicy.RevocationListReference {
    public var effectiveKind: String { kind ?? "ConfigMap" }
}

extension ClientPolicy.Keepalive {
    public var isDisabled: Bool { disabled ?? false }
    public var effectiveIdleTime: String { idleTime ?? "60s" }
    public var effectiveInterval: String { interval ?? "15s" }
    public var effectiveProbes: Int { probes ?? 4 }
}

extension ClientPolicy.AccessLog {
    public var isDisabled: Bool { disabled ?? false }
    public var effectiveEvents: [String] { events ?? ["Close"] }
    public var effectiveInclude: String { include ?? "All" }
}

extension ClientPolicy.Authorization {
    public var effectiveDefaultAction: String { defaultAction ?? "Deny" }
    public var terminatesExisting: Bool { terminateExisting ?? false }
}

extension ClientPolicy.ConnectionLimit {
    public var effectiveCloseDelay: String { closeDelay ?? "0s" }
    public var effectiveOnLimit: String { onLimit ?? "Close" }
    public var effectiveShared: String { shared ?? "PerPod" }
}

extension ClientPolicy.SourceLimit {
    public var effectiveIPv4PrefixLength: Int { ipv4PrefixLength ?? 32 }
    public var effectiveIPv6PrefixLength: Int { ipv6PrefixLength ?? 64 }
}

extension ClientPolicy.ConnectionRateLimit {
    public var effectiveUnit: String { unit ?? "Second" }
    /// Nil where ``connections`` are not limited.
    public var effectiveBurst: Int? { burst ?? connections }
}

extension ClientPolicy.SourceRateLimit {
    public var effectiveBurst: Int { burst ?? connections }
    public var effectiveIPv4PrefixLength: Int { ipv4PrefixLength ?? 32 }
    public var effectiveIPv6PrefixLength: Int { ipv6PrefixLength ?? 64 }
}

extension ClientPolicy.BandwidthLimit {
    public var effectiveScope: String { scope ?? "Connection" }
}

extension ClientPolicy.Bandwidth {
    public var effectiveBurst: Quantity { burst ?? value }
}
