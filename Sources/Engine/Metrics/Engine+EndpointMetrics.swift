internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

extension Engine {
    /// Families of endpoints (POLICY: backends), for gateways that want them.
    func writeEndpoints(_ text: inout PrometheusText) {
        let endpoints = withCompiler { compiler, _ in compiler.endpointTraffic }
            .map { (LabelSet(backend: $0.key.backend).adding("endpoint", "\($0.key.address)"), $0.key, $0.value) }
            .sorted { ($0.1.backend, $0.1.address.description) < ($1.1.backend, $1.1.address.description) }
        text.family(.endpointUp) { for (labels, _, counts) in endpoints { $0.sample(labels, counts.isUp) } }
        text.family(.endpointActive) {
            for (labels, _, counts) in endpoints { $0.sample(labels, UInt64(max(0, counts.active))) }
        }
        text.family(.endpointConnects) { family in
            for (labels, _, counts) in endpoints {
                family.counts(labels, MetricLabels.connects) { counts.connects[$0.rawValue] }
            }
        }
        text.family(.endpointBytes) { family in
            for (labels, _, counts) in endpoints where counts.request | counts.response > 0 {
                for (direction, more) in MetricLabels.directions {
                    family.sample(labels, more, direction == .request ? counts.request : counts.response)
                }
            }
        }
    }
}

extension TableCompiler {
    /// By backend without variant and by address; what is the backend's no more is there while it has connections.
    fileprivate var endpointTraffic: [EndpointKey: EndpointTraffic.Counts] {
        let wanted = countedBackends
        guard !wanted.isEmpty else { return [:] }
        var standings: [ObjectIdentifier: Bool] = [:]
        for (id, runtime) in backends where wanted.contains(id.withoutVariant) {
            for (index, endpoint) in runtime.endpoints.enumerated() {
                standings[ObjectIdentifier(endpoint)] =
                    index < runtime.standings.count ? runtime.standings[index].isUsable : true
            }
        }
        var all: [EndpointKey: EndpointTraffic.Counts] = [:]
        for (key, endpoint) in endpointStates.living(where: { wanted.contains($0.backend.withoutVariant) }) {
            let isUp = standings[ObjectIdentifier(endpoint)]
            var counts = endpoint.traffic.counts
            (counts.active, counts.isUp) = (endpoint.active.load(ordering: .relaxed), isUp ?? false)
            guard isUp != nil || counts.active > 0 else { continue }
            let key = EndpointKey(backend: key.backend.withoutVariant, address: key.address)
            all[key, default: EndpointTraffic.Counts()] += counts
        }
        return all
    }

    /// Tells the workers whose endpoints they are to count from now on.
    mutating func noteCountedBackends() {
        let counted = backendsWithEndpointMetrics
        guard !counted.isEmpty || !countedBackends.isEmpty else { return }
        for id in counted.union(countedBackends) {
            backendStates.known(id)?.countsEndpoints.store(counted.contains(id), ordering: .relaxed)
        }
        countedBackends = counted
    }

    /// Without variant.
    private var backendsWithEndpointMetrics: Set<BackendID> {
        var wanted: Set<BackendID> = []
        for listener in listeners.values where listener.configuration.settings.hasEndpointMetrics {
            func add(_ route: RouteRuntime) {
                for case let target? in route.targets { wanted.insert(target.state.id) }
            }
            listener.fallback.map(add)
            listener.slots.forEach { add($1) }
        }
        return wanted
    }
}
