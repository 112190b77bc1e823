/// Why a connection ended: one list for metrics, logs and documentation. Raw values are the label values.
public enum CloseReason: String, CaseIterable, Hashable, Sendable {
    // Clean
    case clientClosed = "client_closed"
    case backendClosed = "backend_closed"
    // Timeouts
    case idleTimeout = "idle_timeout"
    case clientIdleTimeout = "client_idle_timeout"
    case serverIdleTimeout = "server_idle_timeout"
    case firstByteTimeout = "first_byte_timeout"
    case halfCloseTimeout = "half_close_timeout"
    case connectTimeout = "connect_timeout"
    case queueTimeout = "queue_timeout"
    // Backend
    case noRoute = "no_route"
    case noHealthyEndpoint = "no_healthy_endpoint"
    case noEndpoints = "no_endpoints"
    case invalidBackend = "invalid_backend"
    case connectRefused = "connect_refused"
    case connectUnreachable = "connect_unreachable"
    case backendReset = "backend_reset"
    case clientReset = "client_reset"
    case backendTLSError = "backend_tls_error"
    case dnsError = "dns_error"
    case queueFull = "queue_full"
    // TLS and what comes before a route
    case inspectionTimeout = "inspection_timeout"
    case tlsHandshakeTimeout = "tls_handshake_timeout"
    case tlsNoSNIMatch = "tls_no_sni_match"
    case tlsError = "tls_error"
    case tlsTruncated = "tls_truncated"
    case clientHelloTooLarge = "client_hello_too_large"
    case notTLS = "not_tls"
    case proxyProtocolMissing = "proxy_protocol_missing"
    case proxyProtocolMalformed = "proxy_protocol_malformed"
    case proxyProtocolTimeout = "proxy_protocol_timeout"
    case proxyProtocolUntrusted = "proxy_protocol_untrusted"
    case startTLSError = "starttls_error"
    // Policy
    case authorizationDenied = "authz_denied"
    case connectionLimit = "connection_limit"
    case sourceConnectionLimit = "source_connection_limit"
    case rateLimited = "rate_limited"
    case maxDuration = "max_duration"
    case overload = "overload"
    case circuitOpen = "circuit_open"
    // Lifecycle
    case drain = "drain"
    case routeDeleted = "route_deleted"
    case listenerRemoved = "listener_removed"
    case endpointUnhealthy = "endpoint_unhealthy"
    case endpointRemoved = "endpoint_removed"
    case primaryRecovered = "primary_recovered"
    case adminClosed = "admin_closed"
    case internalError = "internal_error"

    /// A stable small number, for counters held in arrays.
    /// The place in `allCases`: such an enum is its place, in a byte. Counted at every close, so nothing is looked up.
    public var index: Int { Int(unsafeBitCast(self, to: UInt8.self)) }
}

/// Who ended a connection.
public enum CloseSide: String, CaseIterable, Hashable, Sendable {
    case client
    case backend
    case proxy

    /// The place in `allCases`, as ``CloseReason/index``.
    public var index: Int { Int(unsafeBitCast(self, to: UInt8.self)) }
}
