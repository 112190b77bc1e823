import Testing

@Suite("check of ClientPolicies, field by field")
struct CheckPolicyFieldsTests {
    @Test("a wrong value is an error, by field and rule", arguments: before + tls + timeouts + log + rules + limits)
    func wrong(value: WrongField) throws {
        try value.expect(
            of: "ClientPolicy", target: "{group: gateway.networking.k8s.io, kind: Gateway, name: edge}")
    }

    private typealias Wrong = WrongField

    private static let before = [
        Wrong("proxyProtocol: {mode: Maybe}", "proxyProtocol.mode", "must be Required or Optional, found \"Maybe\""),
        Wrong("proxyProtocol: {mode: Optional}", "proxyProtocol", "mode Optional needs trustedCIDRs"),
        Wrong("proxyProtocol: {trustedCIDRs: [10.0.0.1]}", "proxyProtocol.trustedCIDRs[0]", "must be a CIDR such as"),
        Wrong("proxyProtocol: {headerTimeout: 2m}", "proxyProtocol.headerTimeout", "must be between 100ms and 60s"),
        Wrong("startTLS: {protocol: MySQL}", "startTLS.protocol", "must be Postgres, found \"MySQL\""),
        Wrong("startTLS: {protocol: Postgres, mode: None}", "startTLS.mode", "must be Required or Optional"),
        Wrong("tcpKeepalive: {disabled: 5}", "tcpKeepalive.disabled", ""),
        Wrong("tcpKeepalive: {idleTime: 500ms}", "tcpKeepalive.idleTime", "must be between 1s and 32767s"),
        Wrong("tcpKeepalive: {interval: 10h}", "tcpKeepalive.interval", "must be between 1s and 32767s"),
        Wrong("tcpKeepalive: {probes: 128}", "tcpKeepalive.probes", "must be between 1 and 127, found 128"),
    ]

    private static let tls = [
        Wrong("tls: {minVersion: \"1.1\"}", "tls.minVersion", "must be 1.2 or 1.3, found \"1.1\""),
        Wrong("tls: {maxVersion: \"1.4\"}", "tls.maxVersion", "must be 1.2 or 1.3, found \"1.4\""),
        Wrong(
            "tls: {minVersion: \"1.3\", maxVersion: \"1.2\"}", "tls", "minVersion must not be greater than maxVersion"),
        Wrong("tls: {ciphers: []}", "tls.ciphers", "must have at least 1 item"),
        Wrong("tls: {minVersion: \"1.3\", ciphers: [A]}", "tls", "ciphers cannot be set when minVersion is 1.3"),
        Wrong("tls: {ecdhCurves: [\"\"]}", "tls.ecdhCurves[0]", "must not be empty"),
        Wrong("tls: {signatureAlgorithms: []}", "tls.signatureAlgorithms", "must have at least 1 item"),
        Wrong("tls: {alpnProtocols: [\"\"]}", "tls.alpnProtocols[0]", "must not be empty"),
        Wrong("tls: {alpnRequired: true}", "tls", "alpnRequired needs alpnProtocols"),
        Wrong("tls: {clientValidation: {}}", "tls.clientValidation", "must not be empty"),
        Wrong(
            "tls: {clientValidation: {subjectAltNames: [{type: IP, value: a}]}}",
            "tls.clientValidation.subjectAltNames[0].type", "must be DNS or URI or Email"),
        Wrong(
            "tls: {clientValidation: {spkiHashes: [x]}}", "tls.clientValidation.spkiHashes[0]",
            "must have at least 44 characters"),
        Wrong(
            "tls: {clientValidation: {crlRefs: [{kind: Pod, name: a, key: b}]}}",
            "tls.clientValidation.crlRefs[0].kind", "must be ConfigMap or Secret"),
        Wrong(
            "tls: {session: {resumption: {tickets: None}}}", "tls.session.resumption.tickets",
            "must be Enabled or Disabled"),
        Wrong(
            "tls: {session: {resumption: {lifetime: 25h}}}", "tls.session.resumption.lifetime",
            "must be greater than 0s and at most 24h"),
    ]

    private static let timeouts =
        [
            "idleTimeout", "clientIdleTimeout", "serverIdleTimeout", "firstByteTimeout", "halfCloseTimeout",
            "maxConnectionDuration",
        ].map { Wrong("timeout: {tcp: {\($0): 5}}", "timeout.tcp.\($0)", "") }
        + [
            Wrong("timeout: {tcp: {idleTimeout: soon}}", "timeout.tcp.idleTimeout", "must be a duration such as"),
            Wrong(
                "timeout: {tcp: {tlsHandshakeTimeout: 0s}}", "timeout.tcp.tlsHandshakeTimeout",
                "must be greater than 0s"),
            Wrong(
                "timeout: {tcp: {connectionInspectionTimeout: 0s}}", "timeout.tcp.connectionInspectionTimeout",
                "must be greater than 0s"),
            Wrong(
                "timeout: {tcp: {maxConnectionDurationJitter: 51}}", "timeout.tcp.maxConnectionDurationJitter",
                "must be between 0 and 50, found 51"),
        ]

    private static let log = [
        Wrong("accessLog: {disabled: 1}", "accessLog.disabled", ""),
        Wrong("accessLog: {events: [Never]}", "accessLog.events[0]", "must be Open or Periodic or Close"),
        Wrong("accessLog: {events: [Periodic]}", "accessLog", "events Periodic needs interval"),
        Wrong("accessLog: {interval: 1s}", "accessLog.interval", "must be at least 10s"),
        Wrong("accessLog: {include: Some}", "accessLog.include", "must be All or Errors or Rejected"),
    ]

    /// A principal of a rule.
    private static func principal(_ principal: String, _ field: String, _ message: String) -> Wrong {
        Wrong(
            "authorization: {rules: [{name: r, action: Allow, principal: {\(principal)}}]}",
            "authorization.rules[0].principal\(field)", message)
    }

    private static let rules = [
        Wrong("authorization: {defaultAction: Audit}", "authorization.defaultAction", "must be Allow or Deny"),
        Wrong("authorization: {terminateExisting: 1}", "authorization.terminateExisting", ""),
        Wrong(
            "authorization: {rules: [{name: r, action: Log, principal: {peerCIDRs: [10.0.0.0/8]}}]}",
            "authorization.rules[0].action", "must be Allow or Deny or Audit"),
        Wrong(
            "authorization: {rules: [{name: A_b, action: Deny, principal: {peerCIDRs: [10.0.0.0/8]}}]}",
            "authorization.rules[0].name", "must consist of lower-case letters"),
        principal("", "", "at least one of clientCIDRs, clientCIDRRefs, peerCIDRs"),
        principal("clientCIDRs: [x]", ".clientCIDRs[0]", "must be a CIDR such as"),
        principal("peerCIDRs: [x]", ".peerCIDRs[0]", "must be a CIDR such as"),
        principal("clientCIDRRefs: [{name: A, key: k}]", ".clientCIDRRefs[0].name", "must consist of lower-case"),
        principal("serverNames: [A.b]", ".serverNames[0]", "must be a host name in lower case"),
        principal("clientCertificate: {}", ".clientCertificate", "at least one of dnsNames, uris, emails"),
        principal("clientCertificate: {dnsNames: [a*b]}", ".clientCertificate.dnsNames[0]", "may have one '*'"),
        principal("clientCertificate: {uris: [a*b]}", ".clientCertificate.uris[0]", "may have one '*'"),
        principal("clientCertificate: {emails: [a*b]}", ".clientCertificate.emails[0]", "may have one '*'"),
        principal("clientCertificate: {spkiHashes: [x]}", ".clientCertificate.spkiHashes[0]", "must have at least 44"),
        principal(
            "clientCertificate: {issuerCommonNames: [\"\"]}", ".clientCertificate.issuerCommonNames[0]",
            "must not be empty"),
    ]

    private static let limits = [
        Wrong("connectionLimit: {}", "connectionLimit", "at least one of value and perSourceIP must be set"),
        Wrong("connectionLimit: {value: 0}", "connectionLimit.value", "must be at least 1, found 0"),
        Wrong("connectionLimit: {perSourceIP: {value: 0}}", "connectionLimit.perSourceIP.value", "must be at least 1"),
        Wrong(
            "connectionLimit: {perSourceIP: {value: 1, ipv4PrefixLength: 33}}",
            "connectionLimit.perSourceIP.ipv4PrefixLength", "must be between 1 and 32"),
        Wrong("connectionLimit: {value: 1, closeDelay: 61s}", "connectionLimit.closeDelay", "must be at most 60s"),
        Wrong("connectionLimit: {value: 1, onLimit: Wait}", "connectionLimit.onLimit", "must be Close or Pause"),
        Wrong("connectionLimit: {value: 1, shared: All}", "connectionLimit.shared", "must be PerPod or Divide"),
        Wrong(
            "connectionRateLimit: {connections: 0}", "connectionRateLimit.connections", "must be between 1 and 1000000"),
        Wrong(
            "connectionRateLimit: {connections: 1, unit: Day}", "connectionRateLimit.unit", "must be Second or Minute"),
        Wrong("connectionRateLimit: {burst: 5}", "connectionRateLimit", "burst needs connections"),
        Wrong(
            "connectionRateLimit: {perSourceIP: {connections: 1, burst: 0}}", "connectionRateLimit.perSourceIP.burst",
            "must be between 1 and 1000000"),
        Wrong("bandwidthLimit: {}", "bandwidthLimit", "at least one of request and response must be set"),
        Wrong("bandwidthLimit: {request: {value: 50m}}", "bandwidthLimit.request.value", "must be between 1Ki and 1Ti"),
        Wrong(
            "bandwidthLimit: {response: {value: 1Mi, burst: 2Ti}}", "bandwidthLimit.response.burst",
            "must be between 1Ki and 1Ti"),
        Wrong(
            "bandwidthLimit: {request: {value: 1Mi}, scope: Pod}", "bandwidthLimit.scope",
            "must be Connection or SourceIP or Target"),
    ]
}
