internal import EngineModel
internal import KubernetesAPI

/// What policies make of one use of a backend.
struct BackendParts: Hashable {
    var settings = BackendSettings()
    var tls: BackendTLS?
    var circuitBreakers: [CircuitBreaker] = []
    var queue: PendingQueue?
}

/// A backend as far as policies are concerned, whoever uses it.
struct PolicedBackend {
    /// By a BackendTLSPolicy; nil: none.
    var tls: BackendTLS?
    /// Whether the Service keeps clients to their endpoints.
    var hasAffinity = false
}

extension BackendParts {
    /// What merged settings make of a backend. `isRaw`: TLS of clients passes through to it.
    init(_ fields: BackendFields, _ backend: PolicedBackend, zone: String?, isRaw: Bool) {
        settings.apply(fields, zone: zone)
        if fields.loadBalancer == nil, backend.hasAffinity {
            settings.loadBalancing.method = .consistentHash(ConsistentHash(source: SourcePrefix(v4: 32, v6: 128)))
        }
        guard !isRaw, let tls = BackendTLS.merged(backend.tls, fields) else { return }
        self.tls = tls
        settings.startTLS = fields.startTLS
    }

    /// Lets no connection to the backend come about.
    mutating func close() {
        tls = BackendTLS(trust: .unusable, hostname: tls?.hostname ?? "")
    }
}

extension BackendTLS {
    /// What policies make of TLS that a BackendTLSPolicy asks for, or of none; nil: there is no TLS.
    static func merged(_ base: BackendTLS?, _ fields: BackendFields) -> BackendTLS? {
        var tls: BackendTLS
        switch (base, fields.verification) {
        case (nil, let verification?) where verification.kind == .pinOnly:
            tls = BackendTLS(trust: .pinsOnly, hostname: "")
            tls.pin(verification)
        // TLS that a wider policy asks for is not taken away: there is nobody to trust now.
        case (nil, let verification?) where verification.pinsBefore != nil:
            tls = BackendTLS(trust: .unusable, hostname: "")
        case (nil, _): return nil
        case (let base?, let verification?):
            tls = base
            if verification.kind != .authority { tls.pin(verification) }
        case (let base?, nil): tls = base
        }
        if let version = fields.minimumVersion { tls.minimumVersion = version }
        if let version = fields.maximumVersion { tls.maximumVersion = version }
        tls.ciphers = fields.ciphers
        tls.groups = fields.groups
        tls.alpnProtocols = fields.alpnProtocols
        return tls
    }

    private mutating func pin(_ verification: BackendFields.Verification) {
        // A BackendTLSPolicy that cannot be used stays so.
        guard trust != .unusable else { return }
        spkiHashes = verification.spkiHashes
        guard verification.kind == .pinOnly else { return }
        trust = .pinsOnly
        if let name = verification.serverName { hostname = name }
        sendsClientsName = verification.sendsClientsName
        subjectAltNames = []
    }
}

extension BackendSettings {
    /// Takes over what policies say. `zone`: where we are; nil: zones do not count.
    fileprivate mutating func apply(_ fields: BackendFields, zone: String?) {
        if let field = fields.loadBalancer {
            var zones = field.zones
            zones?.zone = zone ?? ""
            loadBalancing = LoadBalancing(
                method: field.method, slowStart: field.slowStart, zones: zone == nil ? nil : zones)
        }
        if let field = fields.healthCheck { health = field }
        onEndpointUnhealthy = fields.onEndpointUnhealthy ?? onEndpointUnhealthy
        onEndpointRemoved = fields.onEndpointRemoved ?? onEndpointRemoved
        onPrimaryRecovered = fields.onPrimaryRecovered ?? onPrimaryRecovered
        endpointDrainTimeout = fields.endpointDrainTimeout ?? endpointDrainTimeout
        connectTimeout = fields.connectTimeout ?? connectTimeout
        if let field = fields.retry {
            (retries, retryBaseInterval, retryMaxInterval) = (field.retries, field.baseInterval, field.maxInterval)
        }
        if let field = fields.keepalive { keepalive = field.value }
        if let field = fields.dns {
            (dnsFamily, dnsRefreshRate, respectsTTL) = (field.family, field.refreshRate, field.respectsTTL)
        }
        proxyProtocol = fields.proxyProtocol
    }
}
