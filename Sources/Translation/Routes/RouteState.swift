internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// A TCPRoute or TLSRoute on its way through the translation. A class, because thousands of them are passed about; each
/// belongs to one translation.
final class RouteState {
    let kind: RouteKind
    let key: ObjectKey
    let precedence: Precedence
    let generation: Int64?
    let parentRefs: [ParentReference]
    /// Host names of a TLSRoute; empty for one without and for a TCPRoute.
    let hostnames: [HostnamePattern]
    /// Host names that are none.
    let invalidHostnames: [String]
    let rules: [RouteRule]
    /// One per parent of ours, in the route's order.
    var parents: [ParentState] = []
    /// The listeners that take it, each once, in order.
    var places: [Place] = []
    var rule: ResolvedRule?
    /// What was counted of it, as BackendPolicies see it.
    var uses: Set<BackendUse> = []

    var id: RouteID { RouteID(kind: kind.rawValue, namespace: key.namespace, name: key.name, rule: 0) }
    var description: String { "\(kind.rawValue) \(key)" }

    /// The route in a message that the owner of `reader` gets.
    func title(for reader: RouteState) -> String {
        key.namespace == reader.key.namespace ? description : "a \(kind.rawValue) of another namespace"
    }

    /// Whether it goes before another; of two that are equal the TCPRoute does.
    func precedes(_ other: RouteState) -> Bool {
        if precedence < other.precedence { return true }
        return kind == .tcp && other.kind == .tls && precedence == other.precedence
    }

    /// The names that the route takes at one of its listeners.
    func names(_ gateway: Int, _ listener: Int) -> [AttachedName] {
        let index = places.lowerBound { ($0.gateway, $0.listener) < (gateway, listener) }
        guard index < places.count, places[index].gateway == gateway, places[index].listener == listener else {
            return []
        }
        return places[index].names
    }

    init(_ key: ObjectKey, _ route: TCPRoute) {
        self.kind = .tcp
        self.key = key
        self.precedence = Precedence(route.metadata, key)
        self.generation = route.metadata.generation
        self.parentRefs = route.spec.parentRefs ?? []
        self.hostnames = []
        self.invalidHostnames = []
        self.rules = route.spec.rules
    }

    init(_ key: ObjectKey, _ route: TLSRoute) {
        self.kind = .tls
        self.key = key
        self.precedence = Precedence(route.metadata, key)
        self.generation = route.metadata.generation
        self.parentRefs = route.spec.parentRefs ?? []
        let parsed = (route.spec.hostnames ?? []).map { (text: $0, pattern: HostnamePattern($0)) }
        self.hostnames = parsed.compactMap(\.pattern)
        self.invalidHostnames = parsed.filter { $0.pattern == nil }.map(\.text)
        self.rules = route.spec.rules
    }

    /// The route of that key; nil: it is gone.
    convenience init?(_ route: RouteKey, in snapshot: ClusterSnapshot) {
        switch route.kind {
        case .tcp:
            guard let found = snapshot.tcpRoutes[route.key] else { return nil }
            self.init(route.key, found)
        case .tls:
            guard let found = snapshot.tlsRoutes[route.key] else { return nil }
            self.init(route.key, found)
        }
    }
}

/// What becomes of a route at one parent.
struct ParentState {
    let reference: ParentReference
    /// Index among our gateways; nil where the parent does not exist.
    var gateway: Int?
    /// Why the parent does not accept the route.
    var rejection: Verdict?
    /// Indices of the gateway's listeners that take the route.
    var listeners: [Int] = []
}

/// A listener that takes a route.
struct Place {
    /// Index among our gateways.
    let gateway: Int
    /// Index among the gateway's listeners.
    let listener: Int
    /// Names the route takes here; a nil `name` stands for what nobody else names.
    let names: [AttachedName]
}

/// All routes in order of precedence; of two that are equal the TCPRoute is first.
func collectRoutes(_ snapshot: ClusterSnapshot) -> [RouteState] {
    var routes: [RouteState] = []
    routes.reserveCapacity(snapshot.tcpRoutes.count + snapshot.tlsRoutes.count)
    for (key, route) in snapshot.tcpRoutes { routes.append(RouteState(key, route)) }
    for (key, route) in snapshot.tlsRoutes { routes.append(RouteState(key, route)) }
    routes.sort { $0.precedes($1) }
    return routes
}
