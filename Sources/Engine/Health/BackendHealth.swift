internal import EngineModel
internal import Platform

/// The endpoints of one backend as one kind of check sees them. Lives as long as a table or a connection needs it.
final class BackendHealth: Sendable {
    /// What makes a health of its own: variants of a backend with equal keys share it.
    struct Key: Hashable, Sendable {
        /// Without variant.
        var backend: BackendID
        var checking: HealthChecking
        var tls: BackendTLS?
        var startTLS: BackendStartTLS?
        var proxyProtocol: ProxyProtocolSending?
    }

    let key: Key
    let changes = StandingChanges()
    let counters: HealthCounters
    /// Nil: endpoints are not checked.
    let plan: CheckPlan?
    /// Failed connections in a row at which an endpoint is suspected; nil: they say nothing.
    let failureLimit: Int?
    private let endpoints = Locked<[StreamAddress: EndpointHealth]>([:])

    init(key: Key, tls: TLSClientContext?, counters: HealthCounters) {
        self.key = key
        self.counters = counters
        failureLimit = key.checking.passive.map { max(1, $0.consecutiveFailures) }
        plan = key.checking.active.map {
            CheckPlan($0, tls: tls, startTLS: key.startTLS, proxyProtocol: key.proxyProtocol)
        }
    }

    /// The endpoint's; one that is new has not been checked.
    func endpoint(_ address: StreamAddress) -> EndpointHealth {
        endpoints.withLock { endpoints in
            if let known = endpoints[address] { return known }
            let made = EndpointHealth(
                address: address, isChecked: plan != nil, startsHealthy: plan?.settings.startsHealthy ?? true,
                changes: changes)
            endpoints[address] = made
            return made
        }
    }

    /// Endpoints that were judged by other settings until now go on as they stand. Where there were no checks, they begin now, and
    /// where there are none any more, their results count no longer.
    func take(over old: BackendHealth, _ standings: [EndpointHealth]) {
        endpoints.withLock { endpoints in
            for endpoint in standings where endpoints[endpoint.address] == nil && (old.plan != nil) == (plan != nil) {
                endpoints[endpoint.address] = EndpointHealth(
                    continuing: endpoint, isChecked: plan != nil, changes: changes)
            }
        }
    }

    /// The endpoint has left the backend: should it come back, it is new.
    func forget(_ endpoint: EndpointHealth) {
        endpoints.withLock { endpoints in
            if endpoints[endpoint.address] === endpoint { endpoints[endpoint.address] = nil }
        }
    }
}

extension BackendConfiguration {
    /// Nil: neither checks nor connections say anything of its endpoints.
    var healthKey: BackendHealth.Key? {
        guard settings.health.active != nil || settings.health.passive != nil else { return nil }
        return BackendHealth.Key(
            backend: id.withoutVariant, checking: settings.health, tls: tls, startTLS: settings.startTLS,
            proxyProtocol: settings.proxyProtocol)
    }
}
