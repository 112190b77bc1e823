extension MetricDescriptor {
    static let traffic: [MetricDescriptor] = [
        .listenerAccepted, .listenerRejected, .listenerActive, .listenerHandshaking, .listenerReady, .proxyHeaders,
        .routeInfo, .opened, .closed, .active, .bytes, .connectionDuration, .setupDuration, .firstResponseByte,
        .throttled, .bufferedBytes, .accessLogDropped, .eventsSent, .eventsDropped,
        .eventsPending, .overload,
    ]

    public static let listenerAccepted = MetricDescriptor(
        "sluice_listener_connections_accepted_total", .counter, .listener, help: "Connections accepted.")
    public static let listenerRejected = MetricDescriptor(
        "sluice_listener_connections_rejected_total", .counter, .listener, ["reason"],
        help: "Connections that ended before a route was chosen, by reason.")
    public static let listenerActive = MetricDescriptor(
        "sluice_listener_connections_active", .gauge, .listener,
        help: "Connections open, those in the handshake included.")
    public static let listenerHandshaking = MetricDescriptor(
        "sluice_listener_handshaking_connections", .gauge, .listener,
        help: "Connections whose PROXY header, ClientHello or TLS handshake is not complete.")
    public static let listenerReady = MetricDescriptor(
        "sluice_listener_ready", .gauge, .listener, help: "Whether the listener is bound on all its addresses.",
        page: "1 while the listener is bound on all its addresses, else 0")
    public static let proxyHeaders = MetricDescriptor(
        "sluice_proxy_protocol_headers_total", .counter, .listener, ["version", "result"],
        help: "Headers of the PROXY protocol, and connections refused for want of one, by version and result.",
        page: """
            headers: `proxy`, `unknown` and `local` of `v1` and `v2`; connections refused over one, without a version: \
            `missing`, `malformed`, `timeout`, `untrusted`
            """)

    public static let routeInfo = MetricDescriptor(
        "sluice_route_info", .gauge, .route, help: "Routes that listeners serve: always 1.",
        page: "always 1, for each route that a listener serves, from before its first connection until after its last")
    public static let opened = MetricDescriptor(
        "sluice_tcp_connections_opened_total", .counter, .route, help: "Connections routed to the route.")
    public static let closed = MetricDescriptor(
        "sluice_tcp_connections_closed_total", .counter, .route, ["reason", "side"],
        help: "Connections ended, by reason and side.",
        page: "connections ended; `side` is `client`, `backend` or `proxy`")
    public static let active = MetricDescriptor(
        "sluice_tcp_connections_active", .gauge, .route, help: "Connections open on the route.")
    public static let bytes = MetricDescriptor(
        "sluice_tcp_bytes_total", .counter, .route, ["direction"],
        help: "Bytes relayed; request: from client to backend.",
        page: "bytes relayed; `request` is from client to backend, `response` back")
    public static let connectionDuration = MetricDescriptor(
        "sluice_tcp_connection_duration_seconds", .histogram, .route, help: "How long connections lived.",
        page: "how long connections lived; its buckets go from 10 ms to a day")
    public static let setupDuration = MetricDescriptor(
        "sluice_tcp_setup_duration_seconds", .histogram, .route,
        help: "From accept until bytes can flow: the latency that the gateway adds.")
    public static let firstResponseByte = MetricDescriptor(
        "sluice_tcp_first_response_byte_seconds", .histogram, .route,
        help: "From the connected backend to its first byte.")
    public static let throttled = MetricDescriptor(
        "sluice_throttled_seconds_total", .counter, .route, ["direction"],
        help: "Time in which connections waited for their share of a limited bandwidth, added up.")

    public static let bufferedBytes = MetricDescriptor(
        "sluice_buffered_bytes", .gauge, help: "Bytes read from one side and not yet taken by the other.")
    public static let eventsSent = MetricDescriptor(
        "sluice_events_sent_total", .counter, help: "Events of closed connections that were acknowledged.",
        page: "[events](../events.md) of closed connections that were acknowledged; the three only with `--event-sink`")
    public static let eventsDropped = MetricDescriptor(
        "sluice_events_dropped_total", .counter, .none, ["reason"],
        help: "Events of closed connections that were given up, by reason.",
        page: "events that were given up: `queue_full`, `spool_full`, `spool_error`, `refused`")
    public static let eventsPending = MetricDescriptor(
        "sluice_events_pending", .gauge, help: "Events of closed connections that wait in the spool.")
    public static let accessLogDropped = MetricDescriptor(
        "sluice_access_log_dropped_total", .counter,
        help: "Lines of the access log that were dropped: its queue was full, or they could not be written.",
        page: """
            lines of the [access log](../access-log.md) that were dropped: its queue was full, or they could not be \
            written; only where there is an access log
            """)
    public static let overload = MetricDescriptor(
        "sluice_overload_active", .gauge, .none, ["resource"],
        help: "Whether a resource is short: connections or fds, and accepting is paused; memory, and little is read.",
        page: """
            1 while a resource is short. `connections` (`--max-connections` are open) and `fds` (no descriptor, or no \
            memory of the kernel's, for another one): accepting is paused. `memory` (seven eighths of `--buffer-memory` \
            are in use): every stream is read in small pieces, and one that holds bytes is not read
            """)
}
