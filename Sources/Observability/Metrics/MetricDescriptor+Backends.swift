extension MetricDescriptor {
    static let backends: [MetricDescriptor] = [
        .backendConnects, .backendConnectDuration, .backendConnectRetries, .backendActive, .backendRejected,
        .backendPending, .backendQueueDuration, .backendEndpoints, .backendHealthChecks, .backendHealthTransitions,
        .backendHealthCheckDuration, .backendPanic, .backendSessionsClosed, .backendLookups, .backendLastLookup,
        .backendDroppedTLVs,
    ]

    static let endpoints: [MetricDescriptor] = [.endpointUp, .endpointActive, .endpointConnects, .endpointBytes]

    public static let backendConnects = MetricDescriptor(
        "sluice_backend_connects_total", .counter, .backend, ["result"],
        help: "Attempts to connect to an endpoint, by result.",
        page: "attempts: `ok`, `refused`, `timeout`, `unreachable`, `tls_error`, `dns_error`")
    public static let backendConnectDuration = MetricDescriptor(
        "sluice_backend_connect_duration_seconds", .histogram, .backend,
        help: "Time to connect, TLS included where it is used.")
    public static let backendConnectRetries = MetricDescriptor(
        "sluice_backend_connect_retries_total", .counter, .backend, help: "Attempts repeated after a failed one.")
    public static let backendActive = MetricDescriptor(
        "sluice_backend_connections_active", .gauge, .backend, help: "Connections that use the backend now.")
    public static let backendRejected = MetricDescriptor(
        "sluice_backend_rejected_total", .counter, .backend, ["reason"],
        help: "Connections refused for want of an endpoint, by reason.")
    public static let backendPending = MetricDescriptor(
        "sluice_backend_pending_connections", .gauge, .backend,
        help: "Connections that wait for room at the backend.",
        page: "connections that wait for room (circuit breakers)")
    public static let backendQueueDuration = MetricDescriptor(
        "sluice_backend_queue_duration_seconds", .histogram, .backend,
        help: "How long connections waited for room, however that ended.")

    public static let backendEndpoints = MetricDescriptor(
        "sluice_backend_endpoints", .gauge, .backend, ["state"], help: "Endpoints of the backend, by state.",
        page: """
            endpoints, each in one state: `healthy`, `unhealthy`, `ejected` (left out for a while, because connections \
            failed), `unchecked` (no check has ended yet; all of them where there are neither checks nor ejections), \
            `draining` (no longer the backend's, or unhealthy, with connections that are still open and, where the \
            policy says so, being closed). New connections go to those that are `healthy` or `unchecked`: where their \
            sum is 0, there is nowhere to go. States that cannot be are left out: there is `unchecked` without checks, \
            and `ejected` only with ejections
            """)
    public static let backendHealthChecks = MetricDescriptor(
        "sluice_backend_health_checks_total", .counter, .backend, ["result", "reason"],
        help: "Health checks that came to an end, by result; reason is empty where they passed.",
        page: """
            health checks that ended: `success`, or `failure` by `connect_refused`, `connect_timeout`, \
            `connect_unreachable`, `tls_error`, `reset`, `closed`, `no_match`, `timeout`, `invalid`
            """)
    public static let backendHealthTransitions = MetricDescriptor(
        "sluice_backend_health_transitions_total", .counter, .backend, ["to"],
        help: "How often an endpoint became healthy or unhealthy after its first check, or was ejected.",
        page: "how often an endpoint became `healthy` or `unhealthy` after its first check, or was `ejected`")
    public static let backendHealthCheckDuration = MetricDescriptor(
        "sluice_backend_health_check_duration_seconds", .histogram, .backend,
        help: "How long health checks took, whatever their result.")
    public static let backendPanic = MetricDescriptor(
        "sluice_backend_panic", .gauge, .backend,
        help: "Whether so few endpoints are usable that all of them are used (healthCheck.panicThreshold).",
        page: "1 while so few endpoints are usable that all are used; only with a `panicThreshold`")

    public static let backendSessionsClosed = MetricDescriptor(
        "sluice_backend_sessions_closed_total", .counter, .backend, ["reason"],
        help: "Established sessions closed on account of their endpoint, by reason.",
        page: """
            established sessions closed on account of their endpoint: `endpoint_unhealthy`, `endpoint_removed`, \
            `primary_recovered`
            """)
    public static let backendLookups = MetricDescriptor(
        "sluice_backend_dns_lookups_total", .counter, .backend, ["result"],
        help: "Lookups of the backend's names, by result.",
        page: """
            lookups of the backend's DNS names, those of its SRV records' targets included: `success`, `no_such_name`, \
            `no_data`, `failure` (no usable answer), `timeout`; both address families are one lookup, and the better of \
            two results counts
            """)
    public static let backendLastLookup = MetricDescriptor(
        "sluice_backend_dns_last_success_timestamp_seconds", .gauge, .backend,
        help: "When all of the backend's names were last known to be right: now, while no lookup fails; 0: never.",
        page: """
            when all of the backend's names were last known to be right: now, while no lookup fails; else the last \
            success of the one that has failed for longest; 0: it never had one
            """)
    public static let backendDroppedTLVs = MetricDescriptor(
        "sluice_backend_proxy_tlvs_dropped_total", .counter, .backend,
        help: "TLVs left out of headers of the PROXY protocol to endpoints because the header had no room for them.",
        page: """
            TLVs left out of headers of the PROXY protocol because a header had no room for them (4096 bytes)
            """)

    public static let endpointUp = MetricDescriptor(
        "sluice_endpoint_up", .gauge, .backend, ["endpoint"], help: "Whether new connections may go to the endpoint.",
        page: "1 while new connections may go to the endpoint: it is neither unhealthy nor ejected nor removed; else 0")
    public static let endpointActive = MetricDescriptor(
        "sluice_endpoint_connections_active", .gauge, .backend, ["endpoint"],
        help: "Connections that use the endpoint, or are being connected to it.")
    public static let endpointConnects = MetricDescriptor(
        "sluice_endpoint_connects_total", .counter, .backend, ["endpoint", "result"],
        help: "Attempts to connect to the endpoint, by result.",
        page: "attempts to connect to the endpoint; `result` is as in `sluice_backend_connects_total`")
    public static let endpointBytes = MetricDescriptor(
        "sluice_endpoint_bytes_total", .counter, .backend, ["endpoint", "direction"],
        help: "Bytes of sessions with the endpoint, counted when a session ends.",
        page: """
            bytes of sessions with the endpoint, added when a session ends, so that counting costs its traffic nothing; \
            `request` is from client to backend
            """)
}
