extension BackendPolicy: ValidatedResource {
    /// Schema and CEL rules of backendpolicies.sluice.dev, v1alpha1.
    public func specProblems() -> [FieldProblem] { spec.problems(at: "spec") }
}

extension BackendPolicy.Spec {
    /// What the API server would refuse, `field` being the path of the policy's content. What several policies merge to is
    /// judged by the same rules.
    public func problems(at field: String) -> [FieldProblem] {
        var checks = FieldChecks()
        checks.targets("\(field).targetRefs", targetRefs)
        checks.loadBalancer("\(field).loadBalancer", loadBalancer)
        checks.healthCheck("\(field).healthCheck", healthCheck)
        checks.oneOf("\(field).onEndpointUnhealthy", onEndpointUnhealthy, ["Keep", "Drain", "Close"])
        checks.oneOf("\(field).onEndpointRemoved", onEndpointRemoved, ["Keep", "Drain", "Close"])
        checks.oneOf("\(field).onPrimaryRecovered", onPrimaryRecovered, ["Keep", "Drain"])
        checks.duration("\(field).endpointDrainTimeout", endpointDrainTimeout)
        checks.positive("\(field).timeout.tcp.connectTimeout", timeout?.tcp?.connectTimeout)
        checks.retry("\(field).retry", retry)
        checks.circuitBreaker("\(field).circuitBreaker", circuitBreaker)
        checks.proxyProtocol("\(field).proxyProtocol", proxyProtocol)
        checks.keepalive("\(field).tcpKeepalive", tcpKeepalive)
        checks.tls("\(field).tls", tls)
        checks.oneOf("\(field).startTLS.protocol", startTLS?.protocol, ["Postgres"])
        checks.dns("\(field).dns", dns)
        return checks.problems
    }
}

extension FieldChecks {
    fileprivate mutating func targets(_ field: String, _ targets: [PolicyTargetReference]) {
        let kinds: Set<String> = ["Gateway", "ListenerSet", "TCPRoute", "TLSRoute"]
        self.targets(
            field, targets,
            "this policy can only target Gateway, ListenerSet, TCPRoute and TLSRoute (group \(gatewayAPIGroup)), "
                + "Service (group \"\") and Backend (group sluice.dev)"
        ) {
            ($0.group == gatewayAPIGroup && kinds.contains($0.kind)) || ($0.group.isEmpty && $0.kind == "Service")
                || ($0.group == "sluice.dev" && $0.kind == "Backend")
        }
    }

    /// A duration that `0s` does not switch off.
    mutating func positive(_ field: String, _ value: String?) {
        duration(field, value, "must be greater than 0s") { $0 > .zero }
    }

    fileprivate mutating func loadBalancer(_ field: String, _ balancer: BackendPolicy.LoadBalancer?) {
        guard let balancer else { return }
        oneOf("\(field).type", balancer.type, ["LeastRequest", "RoundRobin", "Random", "ConsistentHash"])
        let hash = balancer.consistentHash
        oneOf("\(field).consistentHash.type", hash?.type, ["SourceIP"])
        range("\(field).consistentHash.tableSize", hash?.tableSize, 2...5_000_011)
        range("\(field).consistentHash.ipv6PrefixLength", hash?.ipv6PrefixLength, 1...128)
        range("\(field).consistentHash.boundedLoadPercent", hash?.boundedLoadPercent, 100...10_000)
        positive("\(field).slowStart.window", balancer.slowStart?.window)
        let (local, preferred) = (balancer.zoneAware?.preferLocal, "\(field).zoneAware.preferLocal")
        range("\(preferred).minEndpointsThreshold", local?.minEndpointsThreshold, 1...1_000_000)
        range(
            "\(preferred).force.minEndpointsInZoneThreshold", local?.force?.minEndpointsInZoneThreshold, 1...1_000_000)
        range("\(preferred).percentageEnabled", local?.percentageEnabled, 0...100)
        rule(
            field, "consistentHash must be set if, and only if, type is ConsistentHash",
            holds: (balancer.effectiveType == "ConsistentHash") == (hash != nil))
        rule(
            field, "slowStart is only allowed with type LeastRequest and RoundRobin",
            holds: balancer.slowStart == nil || ["LeastRequest", "RoundRobin"].contains(balancer.effectiveType))
    }

    fileprivate mutating func retry(_ field: String, _ retry: BackendPolicy.Retry?) {
        range("\(field).numRetries", retry?.numRetries, 0...10)
        guard let backOff = retry?.perRetry?.backOff else { return }
        let field = "\(field).perRetry.backOff"
        positive("\(field).baseInterval", backOff.baseInterval)
        positive("\(field).maxInterval", backOff.maxInterval)
        if let base = GatewayDuration(backOff.effectiveBaseInterval)?.duration,
            let most = GatewayDuration(backOff.effectiveMaxInterval)?.duration
        {
            rule(field, "baseInterval must not be greater than maxInterval", holds: base <= most)
        }
    }

    fileprivate mutating func circuitBreaker(_ field: String, _ breaker: BackendPolicy.CircuitBreaker?) {
        guard let breaker else { return }
        atLeast(1, "\(field).maxConnections", breaker.maxConnections)
        atLeast(1, "\(field).perEndpoint.maxConnections", breaker.perEndpoint?.maxConnections)
        atLeast(0, "\(field).maxPendingConnections", breaker.maxPendingConnections)
        positive("\(field).queueTimeout", breaker.queueTimeout)
        rule(
            field, "queueTimeout needs maxPendingConnections greater than 0",
            holds: breaker.queueTimeout == nil || breaker.effectiveMaxPendingConnections > 0)
    }

    fileprivate mutating func dns(_ field: String, _ dns: BackendPolicy.DNS?) {
        duration("\(field).dnsRefreshRate", dns?.dnsRefreshRate, "must be at least 1s") { $0 >= .seconds(1) }
        oneOf(
            "\(field).lookupFamily", dns?.lookupFamily,
            ["IPv4", "IPv6", "IPv4Preferred", "IPv6Preferred", "IPv4AndIPv6"])
    }
}
