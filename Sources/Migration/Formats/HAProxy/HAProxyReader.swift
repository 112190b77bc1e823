/// HAProxy Technologies' TCP, of versions 1 and 3, and the ConfigMap that came before it.
enum HAProxyReader: FormatReader {
    static func entries(of objects: [SourceObject], in context: ConversionContext) -> [Entry] {
        objects.flatMap { object -> [Entry] in
            if object.kind == "ConfigMap" { return PortMapReader.entries(of: [object], in: context) }
            return (object.root["spec"]?.items ?? []).flatMap { HAProxyFrontend(object, $0, context).entries }
        }
    }

    static func reasons(for object: SourceObject) -> Reasons {
        if object.kind == "ConfigMap" { return PortMapReader.reasons(for: object) }
        var reasons = general
        for (field, reason) in frontend { reasons["spec.frontend." + field] = reason }
        for (field, reason) in bind { reasons["spec.frontend.binds." + field] = reason }
        // Of version 3, where binds have names.
        for (field, reason) in bind { reasons["spec.frontend.binds.*." + field] = reason }
        return reasons
    }

    private static let general: Reasons = [
        "metadata.annotations[\"ingress.class\"]": "The Gateway's gatewayClassName says who serves it.",
        "metadata.annotations":
            "Annotations are HAProxy's or another tool's; write those again that still mean something.",
        "metadata.labels": "Labels of this object have nowhere to go.", "metadata": "Not carried over.",
        "spec": "Nothing was made of it.",
    ]

    private static let frontend: [String: String] = [
        "*": "This setting of HAProxy's frontend has no equivalent.",
        "name": "The route's name is that of the part.", "mode": "Streams are TCP.",
        "acl_list": "No rule that was converted refers to it.",
        "backend_switching_rule_list": "Nothing was made of this rule.",
        "tcp_request_rule_list": "Nothing was made of this rule.",
        "capture_list": "Bytes of streams are not captured.",
        "filter_list": "There are no filters.",
        "log_target_list": "Where lines go is said by flags of sluice run: docs/access-log.md.",
        "log_format": "Log lines have fields of their own, chosen by flags of sluice run: docs/access-log.md.",
        "log_tag": "Log lines have fields of their own: docs/access-log.md.",
        "tcplog": "Each connection has a log line unless it is switched off: docs/access-log.md.",
        "httplog": "HTTP.", "dontlognull": "accessLog.include of a ClientPolicy says which connections are logged.",
        "default_backend": "service says where connections go.",
        "stick_table": "Limits by address are connectionLimit.perSourceIP and connectionRateLimit of a ClientPolicy.",
        "monitor_uri": "HTTP; readiness is told at /readyz of the probe address.",
        "clitcpka": "Keepalives are on unless tcpKeepalive.disabled of a ClientPolicy.",
        "clitcpka_cnt": "The number of probes is tcpKeepalive.probes of a ClientPolicy, for a listener.",
        "clitcpka_idle": "It is tcpKeepalive.idleTime of a ClientPolicy, for a listener.",
        "clitcpka_intvl": "It is tcpKeepalive.interval of a ClientPolicy, for a listener.",
        "backlog": "The queue of a listener is as long as the kernel allows.",
        "description": "Put it in metadata.annotations of the route.",
        "disabled": "Nothing was written for it.",
    ]

    private static let bind: [String: String] = [
        "*": "This setting of HAProxy's bind has no equivalent.",
        "name": "The listener's name was made of its port.",
        "v4v6": "All addresses of both families are listened on.",
        "v6only": "All addresses of both families are listened on; ipFamily of GatewayParameters says otherwise.",
        "transparent": "The client's address is passed on by the PROXY protocol: proxyProtocol of a BackendPolicy.",
        "tfo": "Fast open is not used.",
        "defer_accept": "timeout.tcp.firstByteTimeout of a ClientPolicy ends silent clients.",
        "strict_sni": "A name that no route takes is refused.",
        "force_strict_sni": "A name that no route takes is refused.",
        "nice": "All listeners are served alike.", "thread": "All workers serve all listeners.",
        "process": "All workers serve all listeners.",
        "backlog": "The queue of a listener is as long as the kernel allows.",
        "no_sslv3": "TLS below 1.2 is not spoken.", "no_tlsv10": "TLS below 1.2 is not spoken.",
        "no_tlsv11": "TLS below 1.2 is not spoken.", "sslv3": "TLS below 1.2 is not spoken.",
        "tlsv10": "TLS below 1.2 is not spoken.", "tlsv11": "TLS below 1.2 is not spoken.",
        "ciphersuites": "Suites of TLS 1.3 are always offered.", "allow_0rtt": "0-RTT is never accepted.",
        "tls_ticket_keys": "Keys of session tickets are shared by replicas: docs/client-policy.md.",
        "tcp_user_timeout": "It follows from tcpKeepalive of a ClientPolicy.",
    ]
}
