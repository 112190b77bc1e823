internal import EngineModel
internal import KubernetesAPI

/// Routes by key, who refers to which Service, and how often each backend is pointed at: what a change has to look up.
struct RouteBook {
    private var tcp: [ObjectKey: RouteState] = [:]
    private var tls: [ObjectKey: RouteState] = [:]
    /// Routes by the Services they refer to; nil until that was asked for.
    private var referrers: [ObjectKey: Set<RouteKey>]?
    /// How many entries of listeners point at a backend.
    private var uses: [BackendID: Int] = [:]

    init(_ routes: [RouteState], _ configuration: EngineConfiguration) {
        for route in routes { insert(route) }
        for listener in configuration.listeners {
            for route in listener.routes { use(route) }
        }
    }

    mutating func insert(_ route: RouteState) {
        switch route.kind {
        case .tcp: tcp[route.key] = route
        case .tls: tls[route.key] = route
        }
        if referrers != nil {
            for service in route.services { referrers?[service, default: []].insert(route.ref) }
        }
    }

    mutating func remove(_ route: RouteKey) -> RouteState? {
        let removed = route.kind == .tcp ? tcp.removeValue(forKey: route.key) : tls.removeValue(forKey: route.key)
        if referrers != nil {
            for service in removed?.services ?? [] {
                referrers?[service]?.remove(route)
                if referrers?[service]?.isEmpty == true { referrers?[service] = nil }
            }
        }
        return removed
    }

    /// How many routes there are.
    var count: Int { tcp.count + tls.count }

    /// Routes that refer to any of the Services, there or not.
    mutating func routes(to services: [ObjectKey]) -> Set<RouteKey> {
        if services.isEmpty { return [] }
        var all = referrers ?? [:]
        if referrers == nil {
            for routes in [tcp, tls] {
                for route in routes.values {
                    for service in route.services { all[service, default: []].insert(route.ref) }
                }
            }
        }
        referrers = all
        return services.reduce(into: []) { $0.formUnion(all[$1] ?? []) }
    }

    mutating func use(_ route: RouteConfiguration) {
        for id in route.backendIDs { uses[id, default: 0] += 1 }
    }

    /// Takes back one ``use(_:)``.
    mutating func drop(_ route: RouteConfiguration) {
        for id in route.backendIDs {
            uses[id, default: 1] -= 1
            if uses[id] == 0 { uses[id] = nil }
        }
    }

    func isUsed(_ id: BackendID) -> Bool { uses[id] != nil }
}

extension RouteState {
    var ref: RouteKey { RouteKey(kind: kind, key: key) }

    /// The Services that the route refers to.
    fileprivate var services: [ObjectKey] {
        (rules.first?.backendRefs ?? []).compactMap { reference in
            reference.effectiveGroup.isEmpty && reference.effectiveKind == "Service"
                ? reference.key(from: key.namespace) : nil
        }
    }
}

extension RouteConfiguration {
    /// The backends that can be resolved, one per weight.
    var backendIDs: [BackendID] {
        backends.compactMap { if case .backend(let id) = $0.target { id } else { nil } }
    }
}

extension ListenerConfiguration {
    /// Every entry: a route stands once for each of its names.
    fileprivate var routes: [RouteConfiguration] {
        switch traffic {
        case .tcp(let route): [route].compactMap { $0 }
        case .tls(let tls): tls.routes.map(\.route) + [tls.fallback].compactMap { $0 }
        }
    }
}
