internal import EngineModel
internal import KubernetesAPI

/// What there is for policies to be attached to.
struct PolicyScene {
    private let snapshot: ClusterSnapshot
    private let gateways: [ObjectKey: GatewayState]
    /// The gateway of each ListenerSet that adds listeners to one of ours.
    private let sets: [ObjectKey: ObjectKey]

    /// Listeners of one of our gateways that a policy is for.
    struct Listeners {
        let gateway: GatewayState
        /// Those of the target alone. Listeners that others add must not take the policy from the rest.
        let own: [ListenerState]
        let all: [ListenerState]
    }

    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState]) {
        self.snapshot = snapshot
        self.gateways = Dictionary(gateways.map { ($0.key, $0) }) { first, _ in first }
        var sets: [ObjectKey: ObjectKey] = [:]
        for gateway in gateways {
            for set in gateway.sets { sets[set.key] = gateway.key }
        }
        self.sets = sets
    }

    /// The gateways of ours that the point is of; those of a route or backend are known when routes are attached.
    func ancestors(of point: AttachmentPoint) -> Set<PolicyAncestor> {
        switch point {
        case .gateway(let key): gateways[key] == nil ? [] : [PolicyAncestor(gateway: key, section: nil)]
        case .gatewayListener(let key, let name):
            gateways[key] == nil ? [] : [PolicyAncestor(gateway: key, section: name)]
        case .listenerSet(let key), .setListener(let key, _):
            Set([sets[key].map { PolicyAncestor(gateway: $0, section: nil) }].compactMap { $0 })
        case .route, .service, .servicePort, .backend: []
        }
    }

    /// Says that a target does not exist; nil: it does.
    func absence(of point: AttachmentPoint) -> Verdict? {
        let isThere =
            switch point {
            case .gateway(let key), .gatewayListener(let key, _): snapshot.gateways[key] != nil
            case .listenerSet(let key), .setListener(let key, _): snapshot.listenerSets[key] != nil
            case .route(let route):
                route.kind == .tcp ? snapshot.tcpRoutes[route.key] != nil : snapshot.tlsRoutes[route.key] != nil
            case .service(let key), .servicePort(let key, _): snapshot.services[key] != nil
            case .backend(let key): snapshot.backends[key] != nil
            }
        guard isThere else { return Verdict(.targetNotFound, "\(point.description) does not exist") }
        switch point {
        case .gatewayListener(let key, let name):
            guard let gateway = gateways[key], !gateway.ownListeners.contains(where: { $0.spec.name == name }) else {
                return nil
            }
            return Verdict(.targetNotFound, "Gateway \(key) has no listener \(name)")
        case .setListener(let key, let name):
            let isThere = snapshot.listenerSets[key]?.spec.listeners.contains { $0.name == name } ?? true
            return isThere ? nil : Verdict(.targetNotFound, "ListenerSet \(key) has no listener \(name)")
        case .servicePort(let key, let name):
            let isThere = snapshot.services[key]?.spec.ports?.contains { $0.effectiveName == name } ?? false
            return isThere ? nil : Verdict(.targetNotFound, "Service \(key) has no port named \(name)")
        case .gateway, .listenerSet, .route, .service, .backend: return nil
        }
    }

    /// The listeners that a point stands for; nil: it is none of ours, or stands for no listeners.
    func listeners(at point: AttachmentPoint) -> Listeners? {
        switch point {
        case .gateway(let key):
            return gateways[key].map { gateway in
                let own = gateway.ownListeners.isEmpty ? gateway.listeners[...] : gateway.ownListeners
                return Listeners(gateway: gateway, own: Array(own), all: gateway.listeners)
            }
        case .gatewayListener(let key, let name):
            return gateways[key].map { gateway in
                let listeners = gateway.ownListeners.filter { $0.spec.name == name }
                return Listeners(gateway: gateway, own: Array(listeners), all: Array(listeners))
            }
        case .listenerSet(let key): return listeners(of: key) { _ in true }
        case .setListener(let key, let name): return listeners(of: key) { $0.spec.name == name }
        case .route, .service, .servicePort, .backend: return nil
        }
    }

    private func listeners(of set: ObjectKey, _ isMeant: (ListenerState) -> Bool) -> Listeners? {
        guard let gateway = sets[set].flatMap({ gateways[$0] }) else { return nil }
        let listeners = gateway.listeners.filter { $0.owner.set == set && isMeant($0) }
        return Listeners(gateway: gateway, own: listeners, all: listeners)
    }
}
