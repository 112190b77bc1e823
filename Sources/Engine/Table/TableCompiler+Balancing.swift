internal import EngineCore
internal import EngineModel
internal import Platform
internal import Synchronization

extension TableCompiler {
    /// How a backend's connections are spread; nil: by the picker alone.
    func balancer(
        of backend: BackendConfiguration, _ resolved: ResolvedEndpoints, state: BackendState, health: BackendHealth?
    ) -> Balancer? {
        let balancing = backend.settings.loadBalancing
        guard backend.needsBalancer(resolved, hasHealth: health != nil) else { return nil }
        let slowStart = balancing.slowStart.map { SlowStart(window: $0.wholeMilliseconds) }
        let policy = EndpointPolicy(
            weights: resolved.weights, preferences: resolved.preferences, zones: resolved.zones,
            preferring: balancing.zones, slowStart: slowStart, panicThreshold: backend.settings.health.panicThreshold)
        return Balancer(
            method: method(balancing.method, resolved, state), policy: policy, slowStarts: slowStart != nil,
            endpoints: resolved.endpoints,
            standings: health.map { health in resolved.endpoints.map { health.endpoint($0.address) } } ?? [],
            changes: health?.changes, workers: workers)
    }

    private func method(
        _ method: LoadBalancing.Method, _ resolved: ResolvedEndpoints, _ state: BackendState
    ) -> Balancer.Method {
        guard resolved.endpoints.count > 1 else { return .leastRequest }
        switch method {
        case .leastRequest: return .leastRequest
        case .random: return .random
        case .roundRobin: return .rotation(Rotation(weights: resolved.weights), state)
        case .consistentHash(let hash):
            let key = SharedMaglevTable.Key(
                addresses: resolved.endpoints.map(\.address), weights: resolved.weights, size: hash.tableSize)
            let table = maglevTables.state(key) { SharedMaglevTable(key) }
            return .hash(table, hash.source, hash.boundedLoadPercent.map { BoundedLoad(percent: $0) })
        }
    }

    /// Endpoints that a running backend did not have before warm up from now on.
    func noteJoined(_ resolved: ResolvedEndpoints, of backend: BackendConfiguration, since old: BackendRuntime?) {
        guard backend.settings.loadBalancing.slowStart != nil, let old, !old.endpoints.isEmpty else { return }
        let known = Set(old.endpoints.map(ObjectIdentifier.init))
        let now = max(1, clock().nanoseconds / 1_000_000)
        for endpoint in resolved.endpoints where !known.contains(ObjectIdentifier(endpoint)) {
            endpoint.joinedAt.store(now, ordering: .relaxed)
        }
    }
}

extension BackendConfiguration {
    fileprivate func needsBalancer(_ resolved: ResolvedEndpoints, hasHealth: Bool) -> Bool {
        if hasHealth || circuitBreakers.contains(where: { $0.maximumPerEndpoint != nil }) {
            return !resolved.endpoints.isEmpty
        }
        guard resolved.endpoints.count > 1 else { return false }
        let balancing = settings.loadBalancing
        return balancing.method != .leastRequest || balancing.slowStart != nil || balancing.zones != nil
            || resolved.preferences.contains { $0 != resolved.preferences[0] }
    }
}
