// What backendpolicies.sluice.dev fills in where a field is absent, and what its descriptions say of those that follow
// another field. Durations are Gateway API durations.

extension BackendPolicy.LoadBalancer {
    public var effectiveType: String { type ?? "LeastRequest" }
}

extension BackendPolicy.ConsistentHash {
    public var effectiveType: String { type ?? "SourceIP" }
    public var effectiveTableSize: Int { tableSize ?? 65_537 }
    public var effectiveIPv6PrefixLength: Int { ipv6PrefixLength ?? 64 }
}

extension BackendPolicy.PreferLocal {
    public var effectiveMinEndpointsThreshold: Int { minEndpointsThreshold ?? 1 }
    public var effectivePercentageEnabled: Int { percentageEnabled ?? 100 }
}

extension BackendPolicy.Force {
    public var effectiveMinEndpointsInZoneThreshold: Int { minEndpointsInZoneThreshold ?? 1 }
}

extension BackendPolicy.HealthCheck {
    public var effectivePanicThreshold: Int { panicThreshold ?? 0 }
}

extension BackendPolicy.ActiveHealthCheck {
    public var effectiveType: String { type ?? "TCP" }
    public var effectiveTimeout: String { timeout ?? "1s" }
    public var effectiveInterval: String { interval ?? "3s" }
    public var effectiveUnhealthyInterval: String { unhealthyInterval ?? effectiveInterval }
    public var effectiveUnhealthyThreshold: Int { unhealthyThreshold ?? 3 }
    public var effectiveHealthyThreshold: Int { healthyThreshold ?? 1 }
    public var effectiveInitialState: String { initialState ?? "Unhealthy" }
    public var isPlaintext: Bool { plaintext ?? false }
}

extension BackendPolicy.TCPHealthCheck {
    public var effectiveMaxResponseBytes: Quantity { maxResponseBytes ?? Quantity("4Ki") }
}

extension BackendPolicy.PassiveHealthCheck {
    public var effectiveConsecutiveLocalOriginFailures: Int { consecutiveLocalOriginFailures ?? 5 }
    public var effectiveInterval: String { interval ?? "3s" }
    public var effectiveBaseEjectionTime: String { baseEjectionTime ?? "30s" }
    public var effectiveMaxEjectionPercent: Int { maxEjectionPercent ?? 10 }
    public var alwaysEjectsOneEndpoint: Bool { alwaysEjectOneEndpoint ?? true }
}

extension BackendPolicy.Retry {
    public var effectiveNumRetries: Int { numRetries ?? 2 }
}

extension BackendPolicy.BackOff {
    public var effectiveBaseInterval: String { baseInterval ?? "25ms" }
    public var effectiveMaxInterval: String { maxInterval ?? "250ms" }
}

extension BackendPolicy.CircuitBreaker {
    public var effectiveMaxPendingConnections: Int { maxPendingConnections ?? 0 }
    /// What holds where there is a queue; the definition does not fill it in.
    public var effectiveQueueTimeout: String { queueTimeout ?? "5s" }
}

extension BackendPolicy.TLS {
    /// After merging; the definition does not fill it in.
    public var effectiveVerification: String { verification ?? "CA" }
}

extension BackendPolicy.DNS {
    public var effectiveDNSRefreshRate: String { dnsRefreshRate ?? "30s" }
    public var respectsTTL: Bool { respectDnsTtl ?? true }
    public var effectiveLookupFamily: String { lookupFamily ?? "IPv4Preferred" }
}
