public import Primitives

/// Settings that act before a route is chosen. Defaults are those of POLICY (ClientPolicy); nil durations mean off.
public struct ListenerSettings: Hashable, Sendable {
    /// Time for a whole ClientHello to arrive (POLICY: connectionInspectionTimeout).
    public var inspectionTimeout: Duration = .seconds(10)
    /// Time for the TLS handshake with the client, from the hello's arrival.
    public var tlsHandshakeTimeout: Duration = .seconds(10)
    public var keepalive: TCPKeepalive? = .init()
    /// The PROXY protocol, before anything else on a connection; nil: what arrives is the client's own.
    public var proxyProtocol: ProxyProtocolReception?
    /// TLS that clients ask for in their own protocol; nil: a ClientHello comes first.
    public var startTLS: StartTLS?
    /// Length of the accept queue; the kernel caps it at net.core.somaxconn.
    public var backlog: Int32 = 4096
    /// How long sessions go on whose listener or route is gone; nil: until they end by themselves. They are then closed
    /// with `listener_removed` or `route_deleted` (GatewayParameters.routeDrainTimeout).
    public var routeDrainTimeout: Duration?
    /// Of connections that have no route.
    public var accessLog = AccessLogSettings()
    public var accessLogFormat = AccessLogFormat.json
    /// Whether the endpoints of the backends that its routes lead to have metrics of their own.
    public var hasEndpointMetrics = false

    public init() {}
}

/// Settings of established connections, per route.
public struct RouteSettings: Hashable, Sendable {
    /// No byte in either direction.
    public var idleTimeout: Duration? = .seconds(3600)
    /// From one side's FIN, prolonged by bytes in the other direction.
    public var halfCloseTimeout: Duration? = .seconds(300)
    public var maxConnectionDuration: Duration?
    /// Per cent by which ``maxConnectionDuration`` is shorter at most, varying from connection to connection, 0–50.
    public var maxConnectionDurationJitter = 10
    /// No byte from the client.
    public var clientIdleTimeout: Duration?
    /// No byte from the backend.
    public var serverIdleTimeout: Duration?
    /// Time for the client's first byte, from its connection's acceptance.
    public var firstByteTimeout: Duration?
    /// Whatever the listener's say: they are taken in.
    public var accessLog = AccessLogSettings()

    public init() {}
}

/// A header of the PROXY protocol, version 1 or 2, that a proxy in front of us puts before a client's bytes.
public struct ProxyProtocolReception: Hashable, Sendable {
    public var mode: Mode
    /// Peers whose headers are believed; nil: every peer.
    public var trusted: CIDRSet?
    /// Time for the header, 100 ms–60 s.
    public var headerTimeout: Duration

    public enum Mode: Hashable, Sendable {
        /// No header: `proxy_protocol_missing`. A peer that is not trusted: `proxy_protocol_untrusted`.
        case required
        /// A trusted peer may send one; what others send is the client's own.
        case optional
    }

    public init(mode: Mode = .required, trusted: CIDRSet? = nil, headerTimeout: Duration = .seconds(5)) {
        self.mode = mode
        self.trusted = trusted
        self.headerTimeout = headerTimeout
    }
}

/// TLS that is asked for within a protocol.
public enum StartTLS: Hashable, Sendable {
    /// PostgreSQL's SSLRequest, or TLS at once. `plaintextAllowed`: a client that asks for neither goes to the fallback route.
    case postgres(plaintextAllowed: Bool)
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
    /// Whether an answer is kept as long as its TTL says, at least a second; else for ``dnsRefreshRate``.
    public var respectsTTL = true
    /// Which addresses of a name are left out (GatewayParameters.backendGuard), whatever the resolver answers.
    public var refusedAddresses = RefusedAddresses()
    public var loadBalancing = LoadBalancing()
    public var health = HealthChecking()
    /// Sessions of an endpoint that becomes unhealthy.
    public var onEndpointUnhealthy = SessionAction.keep
    /// Sessions of an endpoint that is none of the backend's any more.
    public var onEndpointRemoved = SessionAction.keep
    /// Sessions of fallback backends once one that goes before them is usable again: kept or drained.
    public var onPrimaryRecovered = SessionAction.keep
    /// How long ``SessionAction/drain`` takes; zero: as ``SessionAction/close``.
    public var endpointDrainTimeout: Duration = .seconds(300)
    public var proxyProtocol: ProxyProtocolSending?
    /// Only where ``BackendConfiguration/tls`` is not nil.
    public var startTLS: BackendStartTLS?

    public enum DNSFamily: Hashable, Sendable { case ipv4, ipv6, ipv4Preferred, ipv6Preferred, ipv4AndIPv6 }

    public init() {}
}

/// TCP keepalive, whole seconds, 1–32767. A peer that leaves what was sent unanswered for ``patience`` is gone, too; one that
/// says that its window is closed has answered.
public struct TCPKeepalive: Hashable, Sendable {
    public var idleSeconds: Int32 = 60
    public var intervalSeconds: Int32 = 15
    public var probes: Int32 = 4

    /// Seconds: idle + interval × probes.
    public var patience: Int64 { Int64(idleSeconds) + Int64(intervalSeconds) * Int64(probes) }

    public init() {}
}
