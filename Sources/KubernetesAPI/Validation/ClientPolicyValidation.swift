extension ClientPolicy: ValidatedResource {
    /// Schema and CEL rules of clientpolicies.sluice.dev, v1alpha1.
    public func specProblems() -> [FieldProblem] { spec.problems(at: "spec") }
}

extension ClientPolicy.Spec {
    /// What the API server would refuse, `field` being the path of the policy's content. What several policies merge to is
    /// judged by the same rules.
    public func problems(at field: String) -> [FieldProblem] {
        var checks = FieldChecks()
        checks.targets("\(field).targetRefs", targetRefs)
        checks.proxyProtocol("\(field).proxyProtocol", proxyProtocol)
        checks.oneOf("\(field).startTLS.protocol", startTLS?.protocol, ["Postgres"])
        checks.oneOf("\(field).startTLS.mode", startTLS?.mode, ["Required", "Optional"])
        checks.tls("\(field).tls", tls)
        checks.keepalive("\(field).tcpKeepalive", tcpKeepalive)
        checks.timeouts("\(field).timeout.tcp", timeout?.tcp)
        checks.accessLog("\(field).accessLog", accessLog)
        checks.authorization("\(field).authorization", authorization)
        checks.connectionLimit("\(field).connectionLimit", connectionLimit)
        checks.connectionRateLimit("\(field).connectionRateLimit", connectionRateLimit)
        checks.bandwidthLimit("\(field).bandwidthLimit", bandwidthLimit)
        targetRules(field, &checks)
        return checks.problems
    }

    /// What may be said of which targets.
    private func targetRules(_ field: String, _ checks: inout FieldChecks) {
        let areBeforeRoutes = targetRefs.allSatisfy(\.isBeforeRoutes)
        let isPreRoute = proxyProtocol != nil || startTLS != nil || tls != nil || tcpKeepalive != nil
        checks.rule(
            field,
            "proxyProtocol, startTLS, tls and tcpKeepalive act before a route is chosen; target a Gateway or ListenerSet",
            holds: !isPreRoute || areBeforeRoutes)
        let tcp = timeout?.tcp
        checks.rule(
            field,
            "tlsHandshakeTimeout and connectionInspectionTimeout act before a route is chosen; target a Gateway or "
                + "ListenerSet",
            holds: (tcp?.tlsHandshakeTimeout == nil && tcp?.connectionInspectionTimeout == nil) || areBeforeRoutes)
        checks.rule(
            field, "onLimit Pause is only allowed when every targetRef is a Gateway or ListenerSet with sectionName",
            holds: connectionLimit?.onLimit != "Pause"
                || targetRefs.allSatisfy { $0.isBeforeRoutes && $0.sectionName != nil })
    }
}

extension PolicyTargetReference {
    /// Whether the target is known before a route is chosen.
    fileprivate var isBeforeRoutes: Bool { kind == "Gateway" || kind == "ListenerSet" }
}

extension FieldChecks {
    fileprivate mutating func targets(_ field: String, _ targets: [PolicyTargetReference]) {
        let kinds: Set<String> = ["Gateway", "ListenerSet", "TCPRoute", "TLSRoute"]
        self.targets(
            field, targets,
            "this policy can only target Gateway, ListenerSet, TCPRoute and TLSRoute (group \(gatewayAPIGroup))"
        ) { $0.group == gatewayAPIGroup && kinds.contains($0.kind) }
    }

    fileprivate mutating func proxyProtocol(_ field: String, _ proxy: ClientPolicy.ProxyProtocol?) {
        guard let proxy else { return }
        oneOf("\(field).mode", proxy.mode, ["Required", "Optional"])
        cidrs("\(field).trustedCIDRs", proxy.trustedCIDRs, 0...256)
        duration("\(field).headerTimeout", proxy.headerTimeout, "must be between 100ms and 60s") {
            $0 >= .milliseconds(100) && $0 <= .seconds(60)
        }
        rule(
            field, "mode Optional needs trustedCIDRs: otherwise any client could spoof its address",
            holds: proxy.mode != "Optional" || proxy.trustedCIDRs?.isEmpty == false)
    }

    mutating func keepalive(_ field: String, _ keepalive: ClientPolicy.Keepalive?) {
        for (name, time) in [("idleTime", keepalive?.idleTime), ("interval", keepalive?.interval)] {
            duration("\(field).\(name)", time, "must be between 1s and 32767s") {
                $0 >= .seconds(1) && $0 <= .seconds(32767)
            }
        }
        range("\(field).probes", keepalive?.probes, 1...127)
    }

    fileprivate mutating func timeouts(_ field: String, _ tcp: ClientPolicy.TCPTimeout?) {
        guard let tcp else { return }
        for (name, time) in [
            ("tlsHandshakeTimeout", tcp.tlsHandshakeTimeout),
            ("connectionInspectionTimeout", tcp.connectionInspectionTimeout),
        ] {
            duration("\(field).\(name)", time, "must be greater than 0s") { $0 > .zero }
        }
        for (name, time) in [
            ("idleTimeout", tcp.idleTimeout), ("clientIdleTimeout", tcp.clientIdleTimeout),
            ("serverIdleTimeout", tcp.serverIdleTimeout), ("firstByteTimeout", tcp.firstByteTimeout),
            ("halfCloseTimeout", tcp.halfCloseTimeout), ("maxConnectionDuration", tcp.maxConnectionDuration),
        ] {
            duration("\(field).\(name)", time)
        }
        range("\(field).maxConnectionDurationJitter", tcp.maxConnectionDurationJitter, 0...50)
    }

    fileprivate mutating func accessLog(_ field: String, _ log: ClientPolicy.AccessLog?) {
        guard let log else { return }
        count("\(field).events", log.events?.count, 1...3)
        var seen: Set<String> = []
        for (index, event) in (log.events ?? []).enumerated() {
            oneOf("\(field).events[\(index)]", event, ["Open", "Periodic", "Close"])
            if !seen.insert(event).inserted { add("\(field).events[\(index)]", "is given twice") }
        }
        duration("\(field).interval", log.interval, "must be at least 10s") { $0 >= .seconds(10) }
        oneOf("\(field).include", log.include, ["All", "Errors", "Rejected"])
        rule(
            field, "events Periodic needs interval",
            holds: log.events?.contains("Periodic") != true || log.interval != nil)
    }
}
