// TLS with clients, and their policies.

extension MetricDescriptor {
    static let tls: [MetricDescriptor] = [
        .handshakes, .handshakeDuration, .resumptions, .ticketKeyAge, .ticketKeysRotated, .certificateNotAfter,
        .certificateReloads,
    ]

    static let policies: [MetricDescriptor] = [
        .authorizationDecisions, .limitHits, .limitConnections, .limitConnectionsActive,
    ]

    public static let handshakes = MetricDescriptor(
        "sluice_tls_handshakes_total", .counter, .listener, ["mode", "version", "result"],
        help: "TLS handshakes with clients, by result.",
        page: """
            handshakes with clients; `mode` is `terminate` or `passthrough`; `result` is `ok` or what failed: \
            `client_cert_required`, `client_cert_unknown_ca`, `client_cert_expired`, `client_cert_invalid`, \
            `client_cert_revoked`, `client_cert_san_mismatch`, `client_cert_key_mismatch`, `client_crl_expired` (a list \
            that has run out revokes all), `client_crl_missing` (no list of the client's issuer), \
            `no_application_protocol`, `no_shared_cipher`, `unsupported_version` …
            """)
    public static let handshakeDuration = MetricDescriptor(
        "sluice_tls_handshake_duration_seconds", .histogram, .listener,
        help: "From the ClientHello to the end of the handshake.")
    public static let resumptions = MetricDescriptor(
        "sluice_tls_session_resumptions_total", .counter, .listener, help: "Handshakes that resumed a session.")
    public static let ticketKeyAge = MetricDescriptor(
        "sluice_tls_ticket_key_age_seconds", .gauge, .none, ["source"],
        help: "How long session tickets have been sealed by the same key here, which other replicas may share.",
        page: """
            how long session tickets have been sealed by the same key; `source` is `shared` for keys that replicas \
            share, else `process`
            """)
    public static let ticketKeysRotated = MetricDescriptor(
        "sluice_tls_ticket_keys_rotated_timestamp_seconds", .gauge,
        help: "When the keys of session tickets that the replicas share were last rotated, as their Secret says.",
        page: """
            when the keys of session tickets that the replicas share were last rotated, as their Secret says; absent \
            where there are none
            """)

    public static let certificateNotAfter = MetricDescriptor(
        "sluice_tls_certificate_not_after_timestamp_seconds", .gauge, .none,
        ["secret_namespace", "secret", "gateway_namespace", "gateway", "listener", "usage"],
        help: "When a certificate, or list of revoked ones, that a gateway uses ends to be valid.",
        page: """
            when what a gateway uses ends to be valid, of several certificates or lists in one object the first; it stays \
            once that is past. `usage`: `listener` (shown to clients), `client_ca` (clients are verified by it), `crl` (a \
            list of revoked client certificates: its next update), `backend_client` (shown to backends; `listener` is \
            empty). `secret` is a ConfigMap's name where it stands in one
            """)
    public static let certificateReloads = MetricDescriptor(
        "sluice_tls_certificate_reloads_total", .counter, .none, ["secret_namespace", "secret", "result"],
        help: "Versions of certificates that were read, the first included, by result.",
        page: """
            versions of what gateways use that were read, the first included: `ok`, or `invalid`, in place of which the \
            last good version goes on
            """)

    public static let authorizationDecisions = MetricDescriptor(
        "sluice_authorization_decisions_total", .counter, .listenerOrRoute, ["policy", "rule", "action"],
        help: "Connections that a rule of a policy decided on or audited; rule is empty where none matched.",
        page: """
            connections that a rule let in (`allow`), turned away (`deny`) or noted (`audit`), at the listener or route \
            that the policy holds for; `rule` is empty where none matched and the default decided
            """)
    public static let limitHits = MetricDescriptor(
        "sluice_limit_hits_total", .counter, .listenerOrRoute, ["limit"],
        help: "How often a limit of a policy took effect, by limit.",
        page: """
            connections that a limit turned away: `connections`, `source_connections`, `rate`, `source_rate`; \
            `bandwidth`: connections that had to wait for their share; of a listener that pauses, how often a worker of \
            it stopped accepting while clients waited
            """)
    public static let limitConnections = MetricDescriptor(
        "sluice_limit_connections", .gauge, .none, ["policy", "target"],
        help: "How many open connections a policy allows a target.",
        page: """
            how many open connections of this process a ClientPolicy allows its target, such as `Gateway infra/edge`; \
            only where it has a limit (`limits.connections.value`)
            """)
    public static let limitConnectionsActive = MetricDescriptor(
        "sluice_limit_connections_active", .gauge, .none, ["policy", "target"],
        help: "How many open connections count against that limit.",
        page: """
            how many open connections count against that limit: of all listeners and routes of the target together
            """)
}
