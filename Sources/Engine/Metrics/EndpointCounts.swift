internal import EngineModel
internal import Observability
internal import Platform
internal import Synchronization

/// How many endpoints of a backend are in which state: each in one.
struct EndpointCounts {
    private var healthy = 0
    private var unhealthy = 0
    private var ejected = 0
    private var unchecked = 0
    /// Unhealthy, or the backend's no more, with connections.
    var draining = 0
    private var isChecked = false
    private var ejects = false

    /// Of a backend that is no more.
    init() {}

    /// Where nobody judges the endpoints, they are unchecked.
    init(of runtime: BackendRuntime) {
        guard let health = runtime.health else {
            unchecked = runtime.endpoints.count
            return
        }
        (isChecked, ejects) = (health.plan != nil, health.failureLimit != nil)
        for (endpoint, health) in zip(runtime.endpoints, runtime.standings) {
            if endpoint.isDraining { draining += 1 } else { count(health.standing.state) }
        }
    }

    private mutating func count(_ state: EndpointHealthReport.State) {
        switch state {
        case .healthy: healthy += 1
        case .unhealthy: unhealthy += 1
        case .ejected: ejected += 1
        case .unchecked: unchecked += 1
        }
    }

    private var all: Int { healthy + unhealthy + ejected + unchecked }

    /// Whether these say more of a backend than those of another of its variants: more endpoints, or as many and fewer healthy.
    func outweighs(_ other: EndpointCounts) -> Bool {
        all == other.all ? healthy < other.healthy : all > other.all
    }

    /// What cannot be is left out.
    func write(_ labels: LabelSet, to family: inout MetricFamily) {
        if isChecked || ejects { family.sample(labels, EndpointCounts.labels[0], UInt64(healthy)) }
        if isChecked { family.sample(labels, EndpointCounts.labels[1], UInt64(unhealthy)) }
        if ejects { family.sample(labels, EndpointCounts.labels[2], UInt64(ejected)) }
        if isChecked || !ejects { family.sample(labels, EndpointCounts.labels[3], UInt64(unchecked)) }
        if draining > 0 { family.sample(labels, EndpointCounts.labels[4], UInt64(draining)) }
    }

    private static let labels = ["healthy", "unhealthy", "ejected", "unchecked", "draining"].map {
        LabelSet(["state": $0])
    }
}

extension EndpointState {
    /// Its sessions are being closed, and there are some.
    fileprivate var isDraining: Bool { sessions.value != nil && active.load(ordering: .relaxed) > 0 }
}

extension TableCompiler {
    /// By the backend's state. Of several variants of a backend the one that says most, and what drains of all.
    var endpointCounts: [ObjectIdentifier: EndpointCounts] {
        var counts: [ObjectIdentifier: EndpointCounts] = [:]
        for (_, runtime) in backends {
            let (id, own) = (ObjectIdentifier(runtime.state), EndpointCounts(of: runtime))
            if let other = counts[id], !own.outweighs(other) { continue }
            counts[id] = own
        }
        for (backend, endpoints) in removedEndpoints {
            guard let state = backendStates.known(backend) else { continue }
            counts[ObjectIdentifier(state), default: EndpointCounts()].draining += endpoints.count
        }
        return counts
    }

    /// Endpoints that backends have no more, with connections.
    private var removedEndpoints: [BackendID: Set<StreamAddress>] {
        var removed: [BackendID: Set<StreamAddress>] = [:]
        for (key, endpoint) in endpointStates.livingStates(where: { $0.active.load(ordering: .relaxed) > 0 }) {
            let known = backends[key.backend]?.endpoints.contains { $0 === endpoint } ?? false
            if !known { removed[key.backend.withoutVariant, default: []].insert(key.address) }
        }
        return removed
    }
}

extension Standing {
    /// The one of several that says most.
    var state: EndpointHealthReport.State {
        if contains(.ejected) { return .ejected }
        if contains(.unchecked) { return .unchecked }
        return contains(.unhealthy) ? .unhealthy : .healthy
    }
}
