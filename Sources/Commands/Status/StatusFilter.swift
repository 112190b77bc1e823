internal import Inspection

/// What of a tree is shown.
public struct StatusFilter: Hashable, Sendable {
    /// One object, or all of a kind.
    public struct Object: Hashable, Sendable {
        public enum Kind: String, CaseIterable, Hashable, Sendable {
            case gateway, route, tcproute, tlsroute, backend, service, policy
        }
        public var kind: Kind
        public var namespace: String
        public var name: String
    }

    public var object: Object?
    /// Nil: all of them.
    public var namespace: String?

    public init(object: Object? = nil, namespace: String? = nil) {
        (self.object, self.namespace) = (object, namespace)
    }
}

extension StatusTree {
    /// What is left of it: the wanted objects, and what they lead to and come from.
    func filtered(_ filter: StatusFilter) -> StatusTree {
        var tree = self
        if let object = filter.object { tree.keep(object) }
        if let namespace = filter.namespace { tree.keep(namespace: namespace) }
        return tree
    }

    private mutating func keep(_ object: StatusFilter.Object) {
        let (namespace, name) = (object.namespace, object.name)
        switch object.kind {
        case .gateway:
            gateways.removeAll { $0.namespace != namespace || $0.name != name }
            keepRoutesOfGateways(orNaming: "Gateway \(namespace)/\(name)")
        case .route, .tcproute, .tlsroute:
            routes.removeAll {
                $0.namespace != namespace || $0.name != name
                    || (object.kind != .route && $0.kind.lowercased() != object.kind.rawValue)
            }
            keepGatewaysOfRoutes()
        case .backend, .service:
            backends.removeAll {
                $0.namespace != namespace || $0.name != name
                    || (object.kind == .service && $0.kind != "Service")
            }
            let keys = Set(backends.map(\.key))
            routes.removeAll { route in !route.backends.contains { keys.contains($0.backend) } }
            for index in routes.indices { routes[index].backends.removeAll { !keys.contains($0.backend) } }
            keepGatewaysOfRoutes()
        case .policy:
            (gateways, routes) = ([], [])
            policies.removeAll { $0.namespace != namespace || $0.name != name }
        }
        keepBackendsOfRoutes()
        if object.kind != .policy { policies = [] }
        certificates = object.kind == .gateway ? certificates.filter { $0.isUsed(by: gateways) } : []
        warnings = []
    }

    /// Objects of the namespace, with what stands above and below them in others.
    private mutating func keep(namespace: String) {
        let served = Set(gateways.filter { $0.namespace == namespace }.flatMap(\.listeners).flatMap(\.routes))
        routes.removeAll { $0.namespace != namespace && !served.contains($0.key) }
        let keys = Set(routes.map(\.key))
        for index in gateways.indices where gateways[index].namespace != namespace {
            for listener in gateways[index].listeners.indices {
                gateways[index].listeners[listener].routes.removeAll { !keys.contains($0) }
            }
            gateways[index].listeners.removeAll(where: \.routes.isEmpty)
        }
        gateways.removeAll { $0.namespace != namespace && $0.listeners.isEmpty }
        let used = Set(routes.flatMap(\.backends).map(\.backend))
        backends.removeAll { $0.namespace != namespace && !used.contains($0.key) }
        policies.removeAll { $0.namespace != namespace }
        certificates.removeAll { !$0.object.contains(" \(namespace)/") }
        warnings.removeAll { !$0.contains(" \(namespace)/") }
    }

    /// Those that listeners of the gateways that are left serve, and those that name one of them.
    private mutating func keepRoutesOfGateways(orNaming gateway: String) {
        let served = Set(gateways.flatMap(\.listeners).flatMap(\.routes))
        routes.removeAll { route in
            !served.contains(route.key)
                && !route.parents.contains { $0.parent == gateway || $0.parent.hasPrefix("\(gateway)/") }
        }
    }

    private mutating func keepGatewaysOfRoutes() {
        let keys = Set(routes.map(\.key))
        for gateway in gateways.indices {
            for listener in gateways[gateway].listeners.indices {
                gateways[gateway].listeners[listener].routes.removeAll { !keys.contains($0) }
            }
            gateways[gateway].listeners.removeAll(where: \.routes.isEmpty)
        }
        gateways.removeAll(where: \.listeners.isEmpty)
    }

    private mutating func keepBackendsOfRoutes() {
        let keys = Set(routes.flatMap(\.backends).map(\.backend))
        backends.removeAll { !keys.contains($0.key) }
    }
}

extension CertificateNode {
    fileprivate func isUsed(by gateways: [GatewayNode]) -> Bool {
        gateways.contains { gateway in
            usedBy.contains { $0.hasPrefix("Gateway \(gateway.namespace)/\(gateway.name)/") }
        }
    }
}
