internal import KubernetesAPI

/// Which gateways' traffic goes to backends that policies target: that of listeners which do not pass TLS through.
struct PolicyUses {
    private struct Use: Hashable {
        let backend: BackendTarget
        let gateway: Int
    }

    private var counts: [Use: Int] = [:]

    /// Counts what a route makes of its places. Whether that leads a gateway's traffic to a backend for the first time.
    mutating func add(_ route: RouteState, _ gateways: [GatewayState], _ policies: PolicyIndex) -> Bool {
        var isNew = false
        for use in PolicyUses.uses(of: route, gateways, policies) {
            counts[use, default: 0] += 1
            if counts[use] == 1 { isNew = true }
        }
        return isNew
    }

    /// Takes back what ``add(_:_:_:)`` counted. Whether a backend gets nothing of a gateway's traffic any more.
    mutating func remove(_ route: RouteState, _ gateways: [GatewayState], _ policies: PolicyIndex) -> Bool {
        var isGone = false
        for use in PolicyUses.uses(of: route, gateways, policies) {
            counts[use, default: 1] -= 1
            guard counts[use] == 0 else { continue }
            counts[use] = nil
            isGone = true
        }
        return isGone
    }

    /// Tells the policies, which know nothing so far.
    func tell(_ policies: inout PolicyIndex, _ gateways: [GatewayState]) {
        for use in counts.keys { policies.use(use.backend, by: gateways[use.gateway].key) }
    }

    private static func uses(of route: RouteState, _ gateways: [GatewayState], _ policies: PolicyIndex) -> [Use] {
        if policies.policies.isEmpty { return [] }
        var uses: [Use] = []
        for place in route.places {
            let traffic = gateways[place.gateway].listeners[place.listener].traffic
            guard traffic == .tcp || traffic == .terminate else { continue }
            for target in route.rule?.targets ?? [] {
                if let backend = target.backend, policies.concerns(backend) {
                    uses.append(Use(backend: backend, gateway: place.gateway))
                }
            }
        }
        return uses
    }
}
