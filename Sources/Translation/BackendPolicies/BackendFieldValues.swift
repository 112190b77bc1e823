internal import EngineModel
internal import KubernetesAPI
internal import Primitives

// Fields of BackendPolicies as the engine's values. What is not valid is another's business: the policy is rejected then.

extension BackendFields {
    init(_ spec: BackendPolicy.Spec) {
        loadBalancer = spec.loadBalancer.map { LoadBalancer($0) }
        healthCheck = spec.healthCheck.map { HealthChecking($0) }
        onEndpointUnhealthy = spec.onEndpointUnhealthy.map { SessionAction($0) }
        onEndpointRemoved = spec.onEndpointRemoved.map { SessionAction($0) }
        onPrimaryRecovered = spec.onPrimaryRecovered.map { SessionAction($0) }
        endpointDrainTimeout = duration(spec.endpointDrainTimeout)
        connectTimeout = duration(spec.timeout?.tcp?.connectTimeout)
        retry = spec.retry.map { Retry($0) }
        proxyProtocol = spec.proxyProtocol.map { ProxyProtocolSending($0) }
        keepalive = spec.tcpKeepalive.map { Keepalive(value: $0.value) }
        startTLS = spec.startTLS.map { _ in .postgres }
        dns = spec.dns.map { DNS($0) }
        if let tls = spec.tls { take(tls) }
    }

    private mutating func take(_ tls: BackendPolicy.TLS) {
        if tls.verification != nil || tls.spkiHashes != nil || tls.serverName != nil {
            verification = Verification(tls)
        }
        minimumVersion = tls.minVersion.flatMap { TLSVersion(rawValue: $0) }
        maximumVersion = tls.maxVersion.flatMap { TLSVersion(rawValue: $0) }
        (ciphers, groups, alpnProtocols) = (tls.ciphers, tls.ecdhCurves, tls.alpnProtocols)
    }
}

extension BackendFields.Verification {
    fileprivate init(_ tls: BackendPolicy.TLS) {
        kind =
            switch tls.effectiveVerification {
            case "PinOnly": .pinOnly
            case "CAAndPin": .authorityAndPin
            default: .authority
            }
        spkiHashes = Set(tls.spkiHashes ?? [])
        sendsClientsName = tls.serverName == "FromClient"
        serverName = sendsClientsName ? nil : tls.serverName
    }
}

extension BackendFields.LoadBalancer {
    fileprivate init(_ field: BackendPolicy.LoadBalancer) {
        switch field.effectiveType {
        case "RoundRobin": method = .roundRobin
        case "Random": method = .random
        case "ConsistentHash":
            let hash = field.consistentHash ?? BackendPolicy.ConsistentHash()
            method = .consistentHash(
                ConsistentHash(
                    source: SourcePrefix(v4: 32, v6: hash.effectiveIPv6PrefixLength),
                    tableSize: hash.effectiveTableSize, boundedLoadPercent: hash.boundedLoadPercent))
        default: method = .leastRequest
        }
        slowStart = duration(field.slowStart?.window)
        zones = field.zoneAware?.preferLocal.map {
            ZonePreference(
                zone: "", minimumEndpoints: $0.effectiveMinEndpointsThreshold,
                forcedMinimum: $0.force.map(\.effectiveMinEndpointsInZoneThreshold),
                percentage: $0.effectivePercentageEnabled)
        }
    }
}

extension BackendFields.Retry {
    fileprivate init(_ field: BackendPolicy.Retry) {
        let backOff = field.perRetry?.backOff ?? BackendPolicy.BackOff()
        self.init(
            retries: field.effectiveNumRetries,
            baseInterval: duration(backOff.effectiveBaseInterval) ?? .milliseconds(25),
            maxInterval: duration(backOff.effectiveMaxInterval) ?? .milliseconds(250))
    }
}

extension BackendFields.DNS {
    fileprivate init(_ field: BackendPolicy.DNS) {
        family =
            switch field.effectiveLookupFamily {
            case "IPv4": .ipv4
            case "IPv6": .ipv6
            case "IPv6Preferred": .ipv6Preferred
            case "IPv4AndIPv6": .ipv4AndIPv6
            default: .ipv4Preferred
            }
        refreshRate = duration(field.effectiveDNSRefreshRate) ?? .seconds(30)
        respectsTTL = field.respectsTTL
    }
}

extension SessionAction {
    fileprivate init(_ text: String) {
        self =
            switch text {
            case "Drain": .drain
            case "Close": .close
            default: .keep
            }
    }
}

extension ProxyProtocolSending {
    fileprivate init(_ field: BackendPolicy.ProxyProtocol) {
        self.init(version: field.version == "V1" ? .v1 : .v2, fields: (field.tlvs ?? []).compactMap { Field($0) })
    }
}

extension ProxyProtocolSending.Field {
    fileprivate init?(_ field: BackendPolicy.TLV) {
        let code = field.code.flatMap { UInt8(exactly: $0) }
        switch (field.type, code) {
        case ("Authority", _): self = .authority
        case ("ALPN", _): self = .alpn
        case ("SSL", _): self = .ssl
        case ("UniqueID", _): self = .uniqueID
        case ("CRC32C", _): self = .crc32c
        case ("Forward", let code?): self = .forward(code)
        case ("Custom", let code?): self = .custom(code, Array((field.value ?? "").utf8))
        default: return nil
        }
    }
}

/// Nil where there is none, or where it is none.
func duration(_ text: String?) -> Duration? { text.flatMap { GatewayDuration($0)?.duration } }
