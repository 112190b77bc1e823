import Testing

@Suite("check of BackendPolicies, field by field")
struct CheckBackendPolicyFieldsTests {
    private typealias Wrong = WrongField

    @Test(
        "a wrong value is an error, by field and rule",
        arguments: balancer + active + conversation + passive + sessions + connecting + proxy + tls + dns)
    func wrong(value: WrongField) throws {
        try value.expect(of: "BackendPolicy", target: "{group: \"\", kind: Service, name: db}")
    }

    @Test(
        "a wrong target is an error",
        arguments: [
            (
                "{group: \"\", kind: Pod, name: a}", "",
                "this policy can only target Gateway, ListenerSet, TCPRoute and TLSRoute (group "
                    + "gateway.networking.k8s.io), Service (group \"\") and Backend (group sluice.dev)"
            ),
            (
                "{group: sluice.dev, kind: Backend, name: a, sectionName: b}", "",
                "sectionName is only allowed for Gateway, ListenerSet and Service"
            ),
            (
                "{group: \"\", kind: Service, name: a}, {group: \"\", kind: Service, name: a, sectionName: b}", "",
                "sectionName must be specified when targetRefs includes 2 or more references to the same target"
            ),
            ("{group: \"\", kind: Service, name: \"\"}", "[0].name", "must not be empty"),
            ("{group: \"\", kind: Service}", "[0].name", "is required"),
            ("{group: A.b, kind: Service, name: a}", "[0].group", "must consist of lower-case letters"),
            ("{group: \"\", kind: Service, name: a, sectionName: B}", "[0].sectionName", "must consist of lower-case"),
        ])
    func target(target: String, field: String, message: String) throws {
        try Wrong("", "targetRefs\(field)", message).expect(of: "BackendPolicy", target: target)
    }

    private static let balancer = [
        Wrong("loadBalancer: {type: First}", "loadBalancer.type", "must be LeastRequest or RoundRobin or Random or"),
        Wrong("loadBalancer: {type: ConsistentHash}", "loadBalancer", "consistentHash must be set if, and only if"),
        Wrong("loadBalancer: {type: Random, consistentHash: {}}", "loadBalancer", "consistentHash must be set if"),
        hash("type: Header", ".type", "must be SourceIP, found \"Header\""),
        hash("tableSize: 1", ".tableSize", "must be between 2 and 5000011, found 1"),
        hash("ipv6PrefixLength: 0", ".ipv6PrefixLength", "must be between 1 and 128, found 0"),
        hash("boundedLoadPercent: 10001", ".boundedLoadPercent", "must be between 100 and 10000, found 10001"),
        Wrong("loadBalancer: {slowStart: {}}", "loadBalancer.slowStart.window", "is required"),
        Wrong("loadBalancer: {slowStart: {window: 0s}}", "loadBalancer.slowStart.window", "must be greater than 0s"),
        Wrong(
            "loadBalancer: {type: Random, slowStart: {window: 1s}}", "loadBalancer",
            "slowStart is only allowed with type LeastRequest and RoundRobin"),
        local("minEndpointsThreshold: 0", ".minEndpointsThreshold", "must be between 1 and 1000000, found 0"),
        local("percentageEnabled: 101", ".percentageEnabled", "must be between 0 and 100, found 101"),
        local(
            "force: {minEndpointsInZoneThreshold: 0}", ".force.minEndpointsInZoneThreshold", "must be between 1 and"),
    ]

    private static func hash(_ hash: String, _ field: String, _ message: String) -> Wrong {
        Wrong(
            "loadBalancer: {type: ConsistentHash, consistentHash: {\(hash)}}", "loadBalancer.consistentHash\(field)",
            message)
    }

    private static func local(_ local: String, _ field: String, _ message: String) -> Wrong {
        Wrong(
            "loadBalancer: {zoneAware: {preferLocal: {\(local)}}}", "loadBalancer.zoneAware.preferLocal\(field)",
            message)
    }

    private static func active(_ active: String, _ field: String, _ message: String) -> Wrong {
        Wrong("healthCheck: {active: {\(active)}}", "healthCheck.active\(field)", message)
    }

    private static let active = [
        active("type: HTTP", ".type", "must be TCP, found \"HTTP\""),
        active("timeout: 0s", ".timeout", "must be greater than 0s"),
        active("interval: soon", ".interval", "must be a duration such as"),
        active("interval: 0s, timeout: 1ms", ".interval", "must be greater than 0s"),
        active("interval: 1s, timeout: 11s", "", "timeout must not be greater than 10 times interval"),
        active("timeout: 31s", "", "timeout must not be greater than 10 times interval"),
        active("initialJitter: 5", ".initialJitter", ""),
        active("unhealthyThreshold: 0", ".unhealthyThreshold", "must be between 1 and 1000, found 0"),
        active("healthyThreshold: 1001", ".healthyThreshold", "must be between 1 and 1000, found 1001"),
        active("unhealthyInterval: 0s", ".unhealthyInterval", "must be greater than 0s"),
        active("initialState: Unknown", ".initialState", "must be Unhealthy or Healthy, found \"Unknown\""),
        active("overrides: {port: 0}", ".overrides.port", "must be between 1 and 65535, found 0"),
        active("plaintext: 1", ".plaintext", ""),
        active("sendProxyProtocol: V2", ".sendProxyProtocol", ""),
        active("tcp: {maxResponseBytes: 0}", ".tcp.maxResponseBytes", "must be between 1 and 64Ki"),
        active("tcp: {maxResponseBytes: 65Ki}", ".tcp.maxResponseBytes", "must be between 1 and 64Ki"),
    ]

    private static func step(_ step: String, _ field: String, _ message: String) -> Wrong {
        active("tcp: {steps: [{\(step)}]}", ".tcp.steps[0]\(field)", message)
    }

    private static let payload = "text must be set for type Text, binary for type Binary, and nothing else"
    private static let expectation =
        "text must be set for type Text, binary for type Binary, regex for type Regex, and nothing else"

    private static let conversation = [
        active("tcp: {send: {type: Regex, text: a}}", ".tcp.send.type", "must be Text or Binary, found \"Regex\""),
        active("tcp: {send: {text: a}}", ".tcp.send.type", "is required"),
        active("tcp: {send: {type: Text, text: a, binary: AQID}}", ".tcp.send", payload),
        active("tcp: {send: {type: Text, text: \"\"}}", ".tcp.send.text", "must not be empty"),
        active("tcp: {receive: {type: Binary, text: a}}", ".tcp.receive", payload),
        active("tcp: {receive: {type: Binary, binary: AQI}}", ".tcp.receive.binary", "must have at least 4 characters"),
        active("tcp: {receive: {type: Binary, binary: AQI-}}", ".tcp.receive.binary", "must be base64"),
        active("tcp: {steps: []}", ".tcp.steps", "must have at least 1 item"),
        active(
            "tcp: {send: {type: Text, text: a}, steps: [{close: {}}]}", ".tcp",
            "steps cannot be combined with send and receive"),
        step("timeout: 1s", "", "exactly one of send, expect and close must be set"),
        step("close: {}, send: {type: Text, text: a}", "", "exactly one of send, expect and close must be set"),
        step("close: {}, timeout: 0s", ".timeout", "must be greater than 0s"),
        step("send: {type: Binary}", ".send", payload),
        step("expect: {type: Glob, text: a}", ".expect.type", "must be Text or Binary or Regex, found \"Glob\""),
        step("expect: {type: Regex, text: a}", ".expect", expectation),
        step("expect: {type: Regex, regex: \"\"}", ".expect.regex", "must not be empty"),
        step("expect: {type: Binary, binary: A===}", ".expect.binary", "must be base64"),
        step("close: {after: 1s}", ".close.after", "unknown field \"after\""),
    ]

    private static func passive(_ passive: String, _ field: String, _ message: String) -> Wrong {
        Wrong("healthCheck: {passive: {\(passive)}}", "healthCheck.passive\(field)", message)
    }

    private static let passive = [
        passive("consecutiveLocalOriginFailures: 0", ".consecutiveLocalOriginFailures", "must be between 1 and 1000"),
        passive("interval: 0s", ".interval", "must be greater than 0s"),
        passive("baseEjectionTime: 0s", ".baseEjectionTime", "must be greater than 0s"),
        passive("maxEjectionPercent: 101", ".maxEjectionPercent", "must be between 0 and 100, found 101"),
        passive("alwaysEjectOneEndpoint: 1", ".alwaysEjectOneEndpoint", ""),
        Wrong("healthCheck: {panicThreshold: -1}", "healthCheck.panicThreshold", "must be between 0 and 100, found -1"),
    ]

    private static let sessions = [
        Wrong("onEndpointUnhealthy: Reset", "onEndpointUnhealthy", "must be Keep or Drain or Close, found \"Reset\""),
        Wrong("onEndpointRemoved: Reset", "onEndpointRemoved", "must be Keep or Drain or Close, found \"Reset\""),
        Wrong("onPrimaryRecovered: Close", "onPrimaryRecovered", "must be Keep or Drain, found \"Close\""),
        Wrong("endpointDrainTimeout: 1d", "endpointDrainTimeout", "must be a duration such as"),
    ]

    private static let connecting = [
        Wrong("timeout: {tcp: {connectTimeout: 0s}}", "timeout.tcp.connectTimeout", "must be greater than 0s"),
        Wrong("retry: {numRetries: 11}", "retry.numRetries", "must be between 0 and 10, found 11"),
        Wrong(
            "retry: {perRetry: {backOff: {baseInterval: 0s}}}", "retry.perRetry.backOff.baseInterval",
            "must be greater than 0s"),
        Wrong(
            "retry: {perRetry: {backOff: {maxInterval: 0s}}}", "retry.perRetry.backOff.maxInterval",
            "must be greater than 0s"),
        Wrong(
            "retry: {perRetry: {backOff: {baseInterval: 1s}}}", "retry.perRetry.backOff",
            "baseInterval must not be greater than maxInterval"),
        Wrong("circuitBreaker: {maxConnections: 0}", "circuitBreaker.maxConnections", "must be at least 1, found 0"),
        Wrong(
            "circuitBreaker: {perEndpoint: {maxConnections: 0}}", "circuitBreaker.perEndpoint.maxConnections",
            "must be at least 1, found 0"),
        Wrong("circuitBreaker: {perEndpoint: {}}", "circuitBreaker.perEndpoint.maxConnections", "is required"),
        Wrong(
            "circuitBreaker: {maxPendingConnections: -1}", "circuitBreaker.maxPendingConnections",
            "must be at least 0, found -1"),
        Wrong(
            "circuitBreaker: {queueTimeout: 1s}", "circuitBreaker",
            "queueTimeout needs maxPendingConnections greater than 0"),
        Wrong(
            "circuitBreaker: {maxPendingConnections: 1, queueTimeout: 0s}", "circuitBreaker.queueTimeout",
            "must be greater than 0s"),
        Wrong("tcpKeepalive: {disabled: 5}", "tcpKeepalive.disabled", ""),
        Wrong("tcpKeepalive: {idleTime: 500ms}", "tcpKeepalive.idleTime", "must be between 1s and 32767s"),
        Wrong("tcpKeepalive: {interval: 10h}", "tcpKeepalive.interval", "must be between 1s and 32767s"),
        Wrong("tcpKeepalive: {probes: 128}", "tcpKeepalive.probes", "must be between 1 and 127, found 128"),
    ]

    private static func tlv(_ tlv: String, _ field: String, _ message: String) -> Wrong {
        Wrong("proxyProtocol: {version: V2, tlvs: [{\(tlv)}]}", "proxyProtocol.tlvs[0]\(field)", message)
    }

    private static let proxy = [
        Wrong("proxyProtocol: {version: V3}", "proxyProtocol.version", "must be V1 or V2, found \"V3\""),
        Wrong("proxyProtocol: {tlvs: []}", "proxyProtocol.version", "is required"),
        Wrong(
            "proxyProtocol: {version: V1, tlvs: [{type: ALPN}]}", "proxyProtocol",
            "tlvs are only allowed with version V2"),
        tlv("type: Netns", ".type", "must be Authority or ALPN or SSL or UniqueID or CRC32C or Forward or Custom"),
        tlv("type: Forward, code: 240", ".code", "must be between 224 and 239, found 240"),
        tlv("type: Forward", "", "code must be set if, and only if, type is Custom or Forward"),
        tlv("type: ALPN, code: 224", "", "code must be set if, and only if, type is Custom or Forward"),
        tlv("type: Custom, code: 224", "", "value must be set if, and only if, type is Custom"),
        tlv("type: SSL, value: a", "", "value must be set if, and only if, type is Custom"),
        tlv(
            "type: Custom, code: 224, value: \(String(repeating: "é", count: 129))", ".value",
            "must be at most 256 bytes"),
    ]

    private static let pin = "spkiHashes: [AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=]"

    private static let tls = [
        Wrong("tls: {verification: None}", "tls.verification", "must be CA or CAAndPin or PinOnly, found \"None\""),
        Wrong("tls: {verification: PinOnly, spkiHashes: [x]}", "tls.spkiHashes[0]", "must have at least 44"),
        Wrong("tls: {verification: PinOnly, spkiHashes: []}", "tls.spkiHashes", "must have at least 1 item"),
        Wrong("tls: {verification: CAAndPin}", "tls", "spkiHashes must be set if, and only if, verification is"),
        Wrong("tls: {\(pin)}", "tls", "spkiHashes must be set if, and only if, verification is CAAndPin or PinOnly"),
        Wrong("tls: {serverName: a.example}", "tls", "serverName is only allowed with verification PinOnly"),
        Wrong(
            "tls: {verification: PinOnly, \(pin), serverName: \"*.example\"}", "tls.serverName",
            "must be a host name in lower case"),
        Wrong("tls: {minVersion: \"1.1\"}", "tls.minVersion", "must be 1.2 or 1.3, found \"1.1\""),
        Wrong("tls: {maxVersion: \"1.4\"}", "tls.maxVersion", "must be 1.2 or 1.3, found \"1.4\""),
        Wrong(
            "tls: {minVersion: \"1.3\", maxVersion: \"1.2\"}", "tls", "minVersion must not be greater than maxVersion"),
        Wrong("tls: {minVersion: \"1.3\", ciphers: [A]}", "tls", "ciphers cannot be set when minVersion is 1.3"),
        Wrong("tls: {ciphers: []}", "tls.ciphers", "must have at least 1 item"),
        Wrong("tls: {ecdhCurves: [\"\"]}", "tls.ecdhCurves[0]", "must not be empty"),
        Wrong("tls: {alpnProtocols: [\"\"]}", "tls.alpnProtocols[0]", "must not be empty"),
        Wrong("startTLS: {protocol: SMTP}", "startTLS.protocol", "must be Postgres, found \"SMTP\""),
    ]

    private static let dns = [
        Wrong("dns: {dnsRefreshRate: 999ms}", "dns.dnsRefreshRate", "must be at least 1s"),
        Wrong("dns: {respectDnsTtl: 1}", "dns.respectDnsTtl", ""),
        Wrong("dns: {lookupFamily: Both}", "dns.lookupFamily", "must be IPv4 or IPv6 or IPv4Preferred or"),
    ]
}
