internal import EngineModel
internal import Primitives

// What two versions of one thing differ in, by the names that policies and manifests have for it.

extension ListenerConfiguration {
    /// Beside its routes.
    func aspects(since old: ListenerConfiguration) -> [String] {
        var aspects: [String] = []
        if port != old.port { aspects.append("port \(port)") }
        if bindings != old.bindings {
            aspects.append("bound at \(bindings.map(\.description).joined(separator: ", "))")
        }
        switch (traffic, old.traffic) {
        case (.tcp, .tcp): break
        case (.tls(let new), .tls(let old)): aspects += new.aspects(since: old)
        case (.tcp, .tls): aspects.append("TCP instead of TLS")
        case (.tls, .tcp): aspects.append("TLS instead of TCP")
        }
        aspects += settings.aspects(since: old.settings)
        if limits != old.limits { aspects.append("limits") }
        return aspects
    }
}

extension TLSListener {
    fileprivate func aspects(since old: TLSListener) -> [String] {
        var aspects: [String] = []
        if hostname != old.hostname { aspects.append("host name \(hostname?.description ?? "any")") }
        switch (mode, old.mode) {
        case (.passthrough, .passthrough): break
        case (.passthrough, .terminate): aspects.append("passthrough")
        case (.terminate, .passthrough): aspects.append("terminate")
        case (.terminate(let new), .terminate(var old)):
            if new.certificates != old.certificates { aspects.append("certificates") }
            if new.clientValidation != old.clientValidation { aspects.append("client certificates") }
            (old.certificates, old.clientValidation) = (new.certificates, new.clientValidation)
            if new != old { aspects.append("TLS settings") }
        }
        return aspects
    }
}

extension ListenerSettings {
    fileprivate func aspects(since old: ListenerSettings) -> [String] {
        let differing: [(Bool, String)] = [
            (inspectionTimeout != old.inspectionTimeout, "connectionInspectionTimeout"),
            (tlsHandshakeTimeout != old.tlsHandshakeTimeout, "tlsHandshakeTimeout"),
            (keepalive != old.keepalive, "tcpKeepalive"), (proxyProtocol != old.proxyProtocol, "proxyProtocol"),
            (startTLS != old.startTLS, "startTLS"), (routeDrainTimeout != old.routeDrainTimeout, "routeDrainTimeout"),
            (accessLog != old.accessLog || accessLogFormat != old.accessLogFormat, "accessLog"),
        ]
        return named(differing, differs: self != old)
    }
}

extension RouteConfiguration {
    func aspects(since old: RouteConfiguration) -> [String] {
        var aspects: [String] = []
        if backends != old.backends { aspects.append("backends") }
        if alpnProtocols != old.alpnProtocols { aspects.append("ALPN") }
        if limits != old.limits { aspects.append("limits") }
        return aspects + settings.aspects(since: old.settings)
    }
}

extension RouteSettings {
    fileprivate func aspects(since old: RouteSettings) -> [String] {
        let differing: [(Bool, String)] = [
            (idleTimeout != old.idleTimeout, "idleTimeout"),
            (halfCloseTimeout != old.halfCloseTimeout, "halfCloseTimeout"),
            (maxConnectionDuration != old.maxConnectionDuration, "maxConnectionDuration"),
            (maxConnectionDurationJitter != old.maxConnectionDurationJitter, "maxConnectionDurationJitter"),
            (clientIdleTimeout != old.clientIdleTimeout, "clientIdleTimeout"),
            (serverIdleTimeout != old.serverIdleTimeout, "serverIdleTimeout"),
            (firstByteTimeout != old.firstByteTimeout, "firstByteTimeout"), (accessLog != old.accessLog, "accessLog"),
        ]
        return named(differing, differs: self != old)
    }
}

extension BackendConfiguration {
    func aspects(since old: BackendConfiguration) -> [String] {
        var aspects: [String] = []
        if endpoints != old.endpoints { aspects.append(endpointAspect(since: old)) }
        if tls != old.tls { aspects.append(tls == nil ? "no TLS" : old.tls == nil ? "TLS" : "TLS settings") }
        aspects += settings.aspects(since: old.settings)
        if circuitBreakers != old.circuitBreakers { aspects.append("circuitBreaker") }
        if queue != old.queue { aspects.append("queue") }
        return aspects
    }

    private func endpointAspect(since old: BackendConfiguration) -> String {
        let (now, before) = (Set(endpoints.map(\.address)), Set(old.endpoints.map(\.address)))
        let (more, fewer) = (now.subtracting(before).count, before.subtracting(now).count)
        if more == 0, fewer == 0 { return "weights or zones of endpoints" }
        let changes = (more > 0 ? ["+\(more)"] : []) + (fewer > 0 ? ["-\(fewer)"] : [])
        return "\(counted(endpoints.count)) (\(changes.joined(separator: " ")))"
    }
}

extension BackendSettings {
    fileprivate func aspects(since old: BackendSettings) -> [String] {
        let retries = (self.retries, retryBaseInterval, retryMaxInterval)
        let dns = dnsFamily == old.dnsFamily && dnsRefreshRate == old.dnsRefreshRate && respectsTTL == old.respectsTTL
        let differing: [(Bool, String)] = [
            (connectTimeout != old.connectTimeout, "connectTimeout"),
            (retries != (old.retries, old.retryBaseInterval, old.retryMaxInterval), "retry"),
            (keepalive != old.keepalive, "tcpKeepalive"), (!dns, "dns"),
            (refusedAddresses != old.refusedAddresses, "backendGuard"),
            (loadBalancing != old.loadBalancing, "loadBalancer"), (health != old.health, "healthCheck"),
            (onEndpointUnhealthy != old.onEndpointUnhealthy, "onEndpointUnhealthy"),
            (onEndpointRemoved != old.onEndpointRemoved, "onEndpointRemoved"),
            (onPrimaryRecovered != old.onPrimaryRecovered, "onPrimaryRecovered"),
            (endpointDrainTimeout != old.endpointDrainTimeout, "endpointDrainTimeout"),
            (proxyProtocol != old.proxyProtocol, "proxyProtocol"), (startTLS != old.startTLS, "startTLS"),
        ]
        return named(differing, differs: self != old)
    }
}

/// The names of what differs; where something does that has none, that there are settings.
private func named(_ differing: [(Bool, String)], differs: Bool) -> [String] {
    let names = differing.filter(\.0).map(\.1)
    return names.isEmpty && differs ? ["settings"] : names
}

/// `3 endpoints`.
func counted(_ endpoints: Int) -> String { endpoints == 1 ? "1 endpoint" : "\(endpoints) endpoints" }
