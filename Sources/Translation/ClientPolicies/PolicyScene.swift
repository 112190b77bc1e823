internal import EngineModel
internal import KubernetesAPI

/// What there is for policies to be attached to.
struct PolicyScene {
    private let snapshot: ClusterSnapshot
    private let gateways: [ObjectKey: GatewayState]
    /// The gateway of each ListenerSet that adds listeners to one of ours.
    private let sets: [ObjectKey: ObjectKey]

    init(_ snapshot: ClusterSnapshot, _ gateways: [GatewayState]) {
        self.snapshot = snapshot
        self.gateways = Dictionary(gateways.map { ($0.key, $0) }) { first, _ in first }
        var sets: [ObjectKey: ObjectKey] = [:]
        for gateway in gateways {
            for set in gateway.sets { sets[set.key] = gateway.key }
        }
        self.sets = sets
    }

    /// The gateways of ours that the point is of; a route's are known when it is attached.
    func ancestors(of point: AttachmentPoint) -> Set<PolicyAncestor> {
        switch point {
        case .gateway(let key): gateways[key] == nil ? [] : [PolicyAncestor(gateway: key, section: nil)]
        case .gatewayListener(let key, let name):
            gateways[key] == nil ? [] : [PolicyAncestor(gateway: key, section: name)]
        case .listenerSet(let key), .setListener(let key, _):
            Set([sets[key].map { PolicyAncestor(gateway: $0, section: nil) }].compactMap { $0 })
        case .route: []
        }
    }

    /// Why a policy cannot hold at a point, the other policies apart.
    func refusal(of policy: ClientPolicyReading, at point: AttachmentPoint) -> Verdict? {
        switch point {
        case .gateway(let key):
            guard snapshot.gateways[key] != nil else { return missing(point) }
            guard let gateway = gateways[key] else { return nil }
            // Listeners that others add must not take the policy from the rest: those are dealt with one by one.
            let own = gateway.ownListeners.isEmpty ? gateway.listeners[...] : gateway.ownListeners
            return policy.unenforceable(on: Array(own), all: gateway.listeners, point)
        case .gatewayListener(let key, let name):
            guard let gateway = gateways[key] else { return snapshot.gateways[key] == nil ? missing(point) : nil }
            let listeners = gateway.ownListeners.filter { $0.spec.name == name }
            if listeners.isEmpty { return Verdict(.targetNotFound, "Gateway \(key) has no listener \(name)") }
            return policy.unenforceable(on: Array(listeners), all: Array(listeners), point)
        case .listenerSet(let key): return refusal(of: policy, at: point, set: key) { _ in true }
        case .setListener(let key, let name):
            return refusal(of: policy, at: point, set: key) { $0.spec.name == name }
        case .route(let route):
            let exists =
                route.kind == .tcp ? snapshot.tcpRoutes[route.key] != nil : snapshot.tlsRoutes[route.key] != nil
            return exists ? nil : missing(point)
        }
    }

    private func refusal(
        of policy: ClientPolicyReading, at point: AttachmentPoint, set key: ObjectKey,
        _ isMeant: (ListenerState) -> Bool
    ) -> Verdict? {
        guard let set = snapshot.listenerSets[key] else { return missing(point) }
        if case .setListener(_, let name) = point, !set.spec.listeners.contains(where: { $0.name == name }) {
            return Verdict(.targetNotFound, "ListenerSet \(key) has no listener \(name)")
        }
        guard let gateway = sets[key].flatMap({ gateways[$0] }) else { return nil }
        // It decides whom to believe: the platform's business.
        if policy.spec.proxyProtocol != nil, gateway.key.namespace != key.namespace {
            return Verdict(
                .invalid,
                "proxyProtocol on ListenerSet \(key) is accepted only from the namespace of Gateway \(gateway.key)")
        }
        let listeners = gateway.listeners.filter { $0.owner.set == key && isMeant($0) }
        return policy.unenforceable(on: listeners, all: listeners, point)
    }

    private func missing(_ point: AttachmentPoint) -> Verdict {
        Verdict(.targetNotFound, "\(point.description) does not exist")
    }
}
