/// Settings that act before a route is chosen. Defaults are those of POLICY (ClientPolicy); nil durations mean off.
public struct ListenerSettings: Hashable, Sendable {
    /// Time for a whole ClientHello to arrive (POLICY: connectionInspectionTimeout).
    public var inspectionTimeout: Duration = .seconds(10)
    /// Time for the TLS handshake with the client, from the hello's arrival.
    public var tlsHandshakeTimeout: Duration = .seconds(10)
    public var keepalive: TCPKeepalive? = .init()
    /// Length of the accept queue; the kernel caps it at net.core.somaxconn.
    public var backlog: Int32 = 4096
    /// How long sessions go on whose listener or route is gone; nil: until they end by themselves. They are then closed
    /// with `listener_removed` or `route_deleted` (GatewayParameters.routeDrainTimeout).
    public var routeDrainTimeout: Duration?

    public init() {}
}

/// Settings of established connections, per route.
public struct RouteSettings: Hashable, Sendable {
    /// No byte in either direction.
    public var idleTimeout: Duration? = .seconds(3600)
    /// From one side's FIN, prolonged by bytes in the other direction.
    public var halfCloseTimeout: Duration? = .seconds(300)
    public var maxConnectionDuration: Duration?

    public init() {}
}

/// Settings towards a backend's endpoints.
public struct BackendSettings: Hashable, Sendable {
    /// TCP and TLS to one endpoint.
    public var connectTimeout: Duration = .seconds(10)
    /// Further endpoints tried after a failed connect, 0–10; all tries together take at most 3 × connectTimeout.
    public var retries: Int = 2
    /// First and longest pause between tries.
    public var retryBaseInterval: Duration = .milliseconds(25)
    public var retryMaxInterval: Duration = .milliseconds(250)
    public var keepalive: TCPKeepalive? = .init()
    /// Which addresses of a name are used.
    public var dnsFamily: DNSFamily = .ipv4Preferred
    /// Pause after a failed lookup before the next.
    public var dnsRefreshRate: Duration = .seconds(30)
    /// Which addresses of a name are left out (GatewayParameters.backendGuard), whatever the resolver answers.
    public var refusedAddresses = RefusedAddresses()

    public enum DNSFamily: Hashable, Sendable { case ipv4, ipv6, ipv4Preferred, ipv6Preferred, ipv4AndIPv6 }

    public init() {}
}

/// TCP keepalive; the user timeout is idle + interval × probes. Whole seconds, 1–32767.
public struct TCPKeepalive: Hashable, Sendable {
    public var idleSeconds: Int32 = 60
    public var intervalSeconds: Int32 = 15
    public var probes: Int32 = 4

    public init() {}
}
