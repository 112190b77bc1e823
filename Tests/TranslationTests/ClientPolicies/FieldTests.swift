import EngineModel
import KubernetesAPI
import Primitives
import Testing
import Translation

/// Each field of a ClientPolicy, and what the engine is told of it.
@Suite("Fields of ClientPolicies")
struct ClientPolicyFieldTests {
    /// A field with the value that is to come of it.
    struct Field: CustomTestStringConvertible, Sendable {
        let spec: String
        let target: String
        let expected: @Sendable () -> AnyHashable
        let found: @Sendable (PolicyBench) throws -> AnyHashable
        var testDescription: String { spec }

        init<Value: Hashable & Sendable>(
            _ spec: String, at target: String, _ expected: Value,
            _ found: @escaping @Sendable (PolicyBench) throws -> Value
        ) {
            (self.spec, self.target) = (spec, target)
            self.expected = { AnyHashable(expected) }
            self.found = { AnyHashable(try found($0)) }
        }
    }

    @Test("it reaches what it is for", arguments: settings + terminations + timeouts + limits + principals)
    func holds(field: Field) throws {
        let bench = try PolicyBench(PolicyBench.policy("p", field.target, field.spec))
        #expect(bench.conditions("p").first == "Accepted=True Accepted", "\(bench.message("p"))")
        #expect(try field.found(bench) == field.expected())
    }

    @Test("what nobody sets is the engine's own")
    func defaults() throws {
        let bench = try PolicyBench("")
        for listener in bench.result.configuration.listeners {
            #expect(listener.settings == ListenerSettings() && listener.limits.isEmpty)
            for route in listener.routes { #expect(route.settings == RouteSettings() && route.limits.isEmpty) }
        }
        #expect(bench.result.statuses.clientPolicies.isEmpty)
    }

    private static let plain = PolicyBench.target("Gateway", "edge", "plain")
    private static let terminate = PolicyBench.target("Gateway", "edge", "terminate")
    private static let route = PolicyBench.target("TCPRoute", "plain")

    private static func set(_ blocks: String...) -> CIDRSet { CIDRSet(blocks.compactMap { CIDR($0) }) }

    private static func keepalive(_ idle: Int32, _ interval: Int32, _ probes: Int32) -> TCPKeepalive {
        var keepalive = TCPKeepalive()
        (keepalive.idleSeconds, keepalive.intervalSeconds, keepalive.probes) = (idle, interval, probes)
        return keepalive
    }

    private static let settings: [Field] = [
        Field(
            "proxyProtocol: {}", at: plain,
            ProxyProtocolReception(mode: .required, trusted: nil, headerTimeout: .seconds(5))
        ) { try $0.listener("plain").settings.proxyProtocol },
        Field(
            "proxyProtocol: {mode: Optional, trustedCIDRs: [10.0.0.0/8, \"fd00::/8\"], headerTimeout: 250ms}",
            at: plain,
            ProxyProtocolReception(
                mode: .optional, trusted: set("10.0.0.0/8", "fd00::/8"), headerTimeout: .milliseconds(250))
        ) { try $0.listener("plain").settings.proxyProtocol },
        Field("startTLS: {protocol: Postgres}", at: terminate, StartTLS.postgres(plaintextAllowed: false)) {
            try $0.listener("terminate").settings.startTLS
        },
        Field(
            "startTLS: {protocol: Postgres, mode: Optional}", at: terminate, StartTLS.postgres(plaintextAllowed: true)
        ) {
            try $0.listener("terminate").settings.startTLS
        },
        Field("tcpKeepalive: {}", at: plain, keepalive(60, 15, 4)) { try $0.listener("plain").settings.keepalive },
        Field("tcpKeepalive: {idleTime: 30s500ms, interval: 1s, probes: 9}", at: plain, keepalive(31, 1, 9)) {
            try $0.listener("plain").settings.keepalive
        },
        Field("tcpKeepalive: {disabled: true}", at: plain, TCPKeepalive?.none) {
            try $0.listener("plain").settings.keepalive
        },
        Field("accessLog: {}", at: plain, AccessLogSettings(closes: .all)) {
            try $0.listener("plain").settings.accessLog
        },
        Field("accessLog: {disabled: true}", at: plain, AccessLogSettings.none) {
            try $0.route(at: "plain").settings.accessLog
        },
        Field(
            "accessLog: {events: [Open, Periodic], interval: 15s, include: Errors}", at: plain,
            AccessLogSettings(opens: true, interval: .seconds(15), closes: nil)
        ) { try $0.listener("plain").settings.accessLog },
        Field("accessLog: {include: Errors}", at: plain, AccessLogSettings(closes: .errors)) {
            try $0.route(at: "plain").settings.accessLog
        },
        Field("accessLog: {include: Rejected}", at: plain, AccessLogSettings(closes: .rejected)) {
            try $0.listener("plain").settings.accessLog
        },
        Field("accessLog: {events: [Open]}", at: route, AccessLogSettings(opens: true, closes: .all)) {
            try $0.route(at: "plain").settings.accessLog
        },
        Field("accessLog: {events: [Open]}", at: route, AccessLogSettings()) {
            try $0.listener("plain").settings.accessLog
        },
        Field("timeout: {tcp: {tlsHandshakeTimeout: 3s}}", at: terminate, Duration.seconds(3)) {
            try $0.listener("terminate").settings.tlsHandshakeTimeout
        },
        Field("timeout: {tcp: {connectionInspectionTimeout: 4s}}", at: terminate, Duration.seconds(4)) {
            try $0.listener("terminate").settings.inspectionTimeout
        },
    ]

    private static func tls<Value: Hashable & Sendable>(
        _ field: String, _ expected: Value, _ found: @escaping @Sendable (TLSTermination) -> Value
    ) -> Field {
        Field("tls: {\(field)}", at: terminate, expected) { found(try $0.termination()) }
    }

    private static let hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

    private static let terminations: [Field] = [
        tls("minVersion: \"1.3\"", .v13) { $0.minimumVersion },
        tls("maxVersion: \"1.2\"", .v12) { $0.maximumVersion },
        tls("ciphers: [ECDHE-RSA-AES128-GCM-SHA256]", ["ECDHE-RSA-AES128-GCM-SHA256"]) { $0.ciphers },
        tls("ecdhCurves: [X25519, P-256]", ["X25519", "P-256"]) { $0.groups },
        tls("signatureAlgorithms: [ecdsa_secp256r1_sha256]", ["ecdsa_secp256r1_sha256"]) { $0.signatureAlgorithms },
        tls("alpnProtocols: [h2, http/1.1]", ["h2", "http/1.1"]) { $0.alpnProtocols },
        tls("alpnProtocols: [h2], alpnRequired: true", true) { $0.alpnRequired },
        tls("session: {resumption: {tickets: Disabled}}", Duration?.none) { $0.ticketLifetime },
        tls("session: {resumption: {lifetime: 10m}}", .seconds(600)) { $0.ticketLifetime },
        tls(
            "clientValidation: {subjectAltNames: [{type: DNS, value: A.example.com}, {type: URI, match: Prefix, "
                + "value: \"spiffe://x/\"}, {type: Email, match: Suffix, value: \"@example.com\"}]}",
            [
                ClientValidation.Requirement(names: [
                    .dns(.exact("a.example.com")), .uri(.prefix("spiffe://x/")), .email(.suffix("@example.com")),
                ])
            ]
        ) { $0.clientValidation?.requirements },
        tls("clientValidation: {spkiHashes: [\"\(hash)\"]}", [ClientValidation.Requirement(spkiHashes: [hash])]) {
            $0.clientValidation?.requirements
        },
        tls(
            "clientValidation: {crlRefs: [{name: lists, key: crl.pem}]}",
            [ClientValidation.Requirement(revocationLists: [PolicyBench.revoked])]
        ) { $0.clientValidation?.requirements },
    ]

    private static func timeout<Value: Hashable & Sendable>(
        _ field: String, _ expected: Value, _ found: @escaping @Sendable (RouteSettings) -> Value
    ) -> Field {
        Field("timeout: {tcp: {\(field)}}", at: route, expected) { found(try $0.route(at: "plain").settings) }
    }

    private static let timeouts: [Field] = [
        timeout("idleTimeout: 12h", .seconds(43200)) { $0.idleTimeout },
        timeout("idleTimeout: 0s", Duration?.none) { $0.idleTimeout },
        timeout("clientIdleTimeout: 5m", .seconds(300)) { $0.clientIdleTimeout },
        timeout("serverIdleTimeout: 6m", .seconds(360)) { $0.serverIdleTimeout },
        timeout("firstByteTimeout: 7s", .seconds(7)) { $0.firstByteTimeout },
        timeout("halfCloseTimeout: 0s", Duration?.none) { $0.halfCloseTimeout },
        timeout("maxConnectionDuration: 24h", .seconds(86400)) { $0.maxConnectionDuration },
        timeout("maxConnectionDurationJitter: 0", 0) { $0.maxConnectionDurationJitter },
    ]

    private static func limit<Value: Hashable & Sendable>(
        _ field: String, at target: String = route, _ expected: Value,
        _ found: @escaping @Sendable (ClientLimits) -> Value
    ) -> Field {
        Field(field, at: target, expected) { bench in
            let limits = try bench.listener("plain").limits + bench.route(at: "plain").limits
            return found(try #require(limits.first))
        }
    }

    private static let limits: [Field] = [
        limit(
            "connectionLimit: {value: 5, closeDelay: 2s}", ConnectionLimit(value: 5, closeDelay: .seconds(2))
        ) { $0.connections },
        limit(
            "connectionLimit: {perSourceIP: {value: 2, ipv4PrefixLength: 24, ipv6PrefixLength: 48}}",
            ConnectionLimit(perSource: .init(value: 2, source: SourcePrefix(v4: 24, v6: 48)))
        ) { $0.connections },
        limit("connectionLimit: {value: 1, onLimit: Pause}", at: plain, .pause) { $0.connections?.onLimit },
        limit(
            "connectionRateLimit: {connections: 10, unit: Minute, burst: 20, perSourceIP: {connections: 1, burst: 2}}",
            ConnectionRateLimit(
                total: .init(connections: 10, per: .minute, burst: 20),
                perSource: .init(connections: 1, per: .minute, burst: 2))
        ) { $0.connectionRate },
        limit(
            "bandwidthLimit: {request: {value: 1Ki}, response: {value: 50Mi, burst: 60Mi}, scope: SourceIP}",
            BandwidthLimit(
                request: .init(bytesPerSecond: 1024), response: .init(bytesPerSecond: 50 << 20, burst: 60 << 20),
                scope: .source)
        ) { $0.bandwidth },
        limit("bandwidthLimit: {request: {value: 1Mi}, scope: Target}", .target) { $0.bandwidth?.scope },
        limit(
            "connectionLimit: {value: 1}", LimitID(policy: "infra/p", target: "TCPRoute infra/plain")
        ) { $0.id },
        limit(
            "connectionLimit: {value: 1}", at: plain,
            LimitID(policy: "infra/p", target: "Gateway infra/edge, listener plain")
        ) { $0.id },
        limit("authorization: {}", Authorization(rules: [])) { $0.authorization },
        limit(
            "authorization: {defaultAction: Allow, terminateExisting: true}",
            Authorization(rules: [], allowsByDefault: true, terminatesExisting: true)
        ) { $0.authorization },
    ]

    private static func principal(
        _ field: String, _ action: String, _ expected: Principal
    ) -> Field {
        let rule = "{name: r, action: \(action), principal: {\(field)}}"
        return Field(
            "authorization: {rules: [\(rule)]}", at: terminate,
            Authorization(rules: [
                .init(
                    name: "r", action: Authorization.Action(rawValue: action.lowercased()) ?? .deny, principal: expected
                )
            ])
        ) { try $0.listener("terminate").limits.first?.authorization }
    }

    private static let principals: [Field] = [
        principal("clientCIDRs: [192.0.2.0/24]", "Allow", Principal(clients: [set("192.0.2.0/24")])),
        principal(
            "clientCIDRs: [192.0.2.0/24], clientCIDRRefs: [{name: lists, key: cidrs.txt}]", "Deny",
            Principal(clients: [set("192.0.2.0/24"), set("10.0.0.0/8", "2001:db8::/32")])),
        principal("peerCIDRs: [10.0.0.0/8]", "Audit", Principal(peers: set("10.0.0.0/8"))),
        principal(
            "serverNames: [db.example.com, \"*.example.org\"]", "Allow",
            Principal(serverNames: ["db.example.com", "*.example.org"].compactMap { HostnamePattern($0) })),
        principal(
            "clientCertificate: {dnsNames: [\"*.Corp\"], uris: [\"spiffe://corp/ci/*\"], emails: [\"a@b\"], "
                + "spkiHashes: [\"\(hash)\"], issuerCommonNames: [CA 1]}", "Allow",
            Principal(
                certificate: CertificatePrincipal(
                    dnsNames: [.suffix(".corp")], uris: [.prefix("spiffe://corp/ci/")], emails: [.exact("a@b")],
                    spkiHashes: [hash], issuerCommonNames: ["CA 1"]))),
    ]
}
