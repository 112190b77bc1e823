internal import EngineModel
internal import KubernetesAPI
internal import Translation

extension TreeBuilder {
    /// Those that the engine has, and those that routes name and that cannot be used.
    func backends() -> [BackendNode] {
        var ids = Set(configured.keys)
        for (key, route) in snapshot.tcpRoutes { insert(route.spec.rules, key, into: &ids) }
        for (key, route) in snapshot.tlsRoutes { insert(route.spec.rules, key, into: &ids) }
        return ids.sorted().map(backend)
    }

    private func insert(_ rules: [RouteRule], _ key: ObjectKey, into ids: inout Set<BackendID>) {
        for rule in rules {
            for reference in rule.backendRefs ?? [] { ids.insert(reference.backendID(from: key.namespace)) }
        }
    }

    private func backend(_ id: BackendID) -> BackendNode {
        var node = BackendNode(kind: id.kind, namespace: id.namespace, name: id.name, port: Int(id.port))
        let key = ObjectKey(namespace: id.namespace, name: id.name)
        if id.kind == "Backend", let status = statuses.backends[key] {
            node.conditions = times.nodes("Backend", key, .whole, status.conditions)
        }
        let uses = configured[id] ?? []
        node.hasHealthChecks = uses.contains {
            $0.settings.health.active != nil || $0.settings.health.passive != nil
        }
        node.endpoints = endpoints(uses, inspected.health[id], inspected.acknowledgement?.unresolved[id])
        node.traffic = inspected.traffic.backends[id].map(BackendTrafficNode.init)
        return node
    }

    /// Those of the configuration, and the addresses that their names stand for, as far as those are checked.
    private func endpoints(
        _ uses: [BackendConfiguration], _ report: BackendHealthReport?, _ unresolved: String?
    ) -> [EndpointNode] {
        var health: [String: EndpointHealthReport] = [:]
        for endpoint in report?.endpoints ?? [] { health[endpoint.address] = endpoint }
        var nodes: [EndpointNode] = []
        var known: Set<String> = []
        for endpoint in uses.flatMap(\.endpoints) {
            let address = endpoint.address.description
            guard known.insert(address).inserted else { continue }
            var node = EndpointNode(address: address, zone: endpoint.zone, state: "serving")
            if let standing = health[address] { node.take(standing) }
            if endpoint.address.isName, let unresolved {
                (node.state, node.failure) = ("unhealthy", unresolved)
            }
            nodes.append(node)
        }
        // What names were found to be.
        for endpoint in report?.endpoints ?? [] where known.insert(endpoint.address).inserted {
            var node = EndpointNode(address: endpoint.address, state: "serving")
            node.take(endpoint)
            nodes.append(node)
        }
        return nodes
    }
}

extension EndpointNode {
    fileprivate mutating func take(_ standing: EndpointHealthReport) {
        state = standing.state.rawValue
        failure = standing.lastCheck?.failure
        checkedAt = standing.lastCheck?.time
    }
}
