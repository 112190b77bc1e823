internal import EngineModel
internal import KubernetesAPI
internal import Translation

/// A TCPRoute or TLSRoute, as far as explanations look at them.
struct RouteFacts {
    /// `TCPRoute` or `TLSRoute`.
    let kind: String
    let key: ObjectKey
    let parentRefs: [ParentReference]
    /// Empty for a TCPRoute.
    let hostnames: [String]
    let rules: [RouteRule]
    let status: RouteStatus?

    /// Such as `TCPRoute infra/redis`.
    var title: String { "\(kind) \(key)" }

    init(_ key: ObjectKey, _ route: TCPRoute, _ status: RouteStatus?) {
        (kind, self.key, self.status) = (TCPRoute.resourceKind.kind, key, status)
        (parentRefs, hostnames, rules) = (route.spec.parentRefs ?? [], [], route.spec.rules)
    }

    init(_ key: ObjectKey, _ route: TLSRoute, _ status: RouteStatus?) {
        (kind, self.key, self.status) = (TLSRoute.resourceKind.kind, key, status)
        (parentRefs, hostnames) = (route.spec.parentRefs ?? [], route.spec.hostnames ?? [])
        rules = route.spec.rules
    }

    /// Every route of a snapshot, by kind and key.
    static func all(_ inspected: Inspected) -> [RouteFacts] {
        let snapshot = inspected.snapshot
        let tcp = snapshot.tcpRoutes.sorted { $0.key < $1.key }
            .map { RouteFacts($0.key, $0.value, inspected.statuses.tcpRoutes[$0.key]) }
        let tls = snapshot.tlsRoutes.sorted { $0.key < $1.key }
            .map { RouteFacts($0.key, $0.value, inspected.statuses.tlsRoutes[$0.key]) }
        return tcp + tls
    }

    /// The references that name a listener, with what is said of the route there.
    func parents(_ listener: ListenerFacts) -> [(index: Int, conditions: [Condition])] {
        parentRefs.enumerated().filter { listener.isNamed(by: $1, from: key.namespace) }.map { index, reference in
            let status = status?.parents.first { $0.parentRef == reference }
            return (index, status?.conditions ?? [])
        }
    }

    /// Whether a backendRef names the object.
    func refers(to kind: String, _ object: ObjectKey) -> Bool {
        (rules.first?.backendRefs ?? []).contains {
            $0.effectiveKind == kind && $0.key(from: key.namespace) == object
        }
    }
}

/// A listener of a Gateway or of one of its ListenerSets.
struct ListenerFacts {
    let id: ListenerID
    let gateway: ObjectKey
    /// Nil: the Gateway's own.
    let set: ObjectKey?
    let spec: Gateway.Listener
    /// Such as `spec.listeners[0]`.
    let field: String
    let status: ListenerStatus?
    /// Nil: it is not served.
    let configuration: ListenerConfiguration?

    /// Such as `listener infra/edge/redis`.
    var title: String { "listener \(id)" }
    var isTLS: Bool { spec.protocol == .tls }

    /// Whether a parentRef stands for it.
    func isNamed(by reference: ParentReference, from namespace: String) -> Bool {
        guard reference.effectiveGroup == gatewayAPIGroup else { return false }
        let isOwner =
            self.set.map {
                reference.effectiveKind == ListenerSet.resourceKind.kind && reference.key(from: namespace) == $0
            }
            ?? (reference.effectiveKind == Gateway.resourceKind.kind && reference.key(from: namespace) == gateway)
        guard isOwner else { return false }
        if let section = reference.sectionName, !section.isEmpty, section != spec.name { return false }
        return reference.port.map { $0 == spec.port } ?? true
    }

    /// What one rule serves there; the host name that it takes, where it takes one.
    typealias Served = (hostname: String?, configuration: RouteConfiguration)

    /// What each route serves there, by its title; a route that is not in it gets no connection from here.
    var served: [String: [Served]] {
        switch configuration?.traffic {
        case nil, .tcp(nil): return [:]
        case .tcp(let route?): return ["\(route.id)": [(nil, route)]]
        case .tls(let tls):
            var served: [String: [Served]] = [:]
            for named in tls.routes {
                served["\(named.route.id)", default: []].append(("\(named.hostname)", named.route))
            }
            if let route = tls.fallback { served["\(route.id)", default: []].append((nil, route)) }
            return served
        }
    }

    /// Whether some route serves there.
    var hasRoute: Bool {
        switch configuration?.traffic {
        case nil: false
        case .tcp(let route): route != nil
        case .tls(let tls): !tls.routes.isEmpty || tls.fallback != nil
        }
    }

    /// What a connection meets that no route takes.
    var refusal: CloseReason { isTLS ? .tlsNoSNIMatch : .noRoute }
}
