internal import EngineModel
internal import KubernetesAPI
internal import Translation

extension TreeBuilder {
    /// All of the snapshot: one that nobody takes is what people look for.
    func routes() -> [RouteNode] {
        var traffic: [RouteID: RouteTrafficNode] = [:]
        for (use, counts) in inspected.traffic.routes { traffic[use.route, default: .init()].add(counts) }
        var nodes: [RouteNode] = []
        nodes.reserveCapacity(snapshot.tcpRoutes.count + snapshot.tlsRoutes.count)
        for key in snapshot.tcpRoutes.keys.sorted() {
            guard let spec = snapshot.tcpRoutes[key]?.spec else { continue }
            var node = RouteNode(kind: "TCPRoute", namespace: key.namespace, name: key.name)
            node.parents = parents("TCPRoute", key, statuses.tcpRoutes[key], spec.parentRefs)
            node.backends = references("TCPRoute", key, spec.rules)
            node.traffic = traffic[RouteID(kind: "TCPRoute", namespace: key.namespace, name: key.name)]
            nodes.append(node)
        }
        for key in snapshot.tlsRoutes.keys.sorted() {
            guard let spec = snapshot.tlsRoutes[key]?.spec else { continue }
            var node = RouteNode(kind: "TLSRoute", namespace: key.namespace, name: key.name)
            node.hostnames = spec.hostnames ?? []
            node.parents = parents("TLSRoute", key, statuses.tlsRoutes[key], spec.parentRefs)
            node.backends = references("TLSRoute", key, spec.rules)
            node.traffic = traffic[RouteID(kind: "TLSRoute", namespace: key.namespace, name: key.name)]
            nodes.append(node)
        }
        return nodes
    }

    /// Each parent that the route names, with what is said of it there: nothing where the parent is not ours.
    private func parents(
        _ kind: String, _ key: ObjectKey, _ status: RouteStatus?, _ references: [ParentReference]?
    ) -> [RouteParentNode] {
        let said = status?.parents ?? []
        var nodes = said.map { parent in
            RouteParentNode(
                parent: parent.parentRef.title(from: key.namespace),
                conditions: times.nodes(kind, key, .parent(parent.parentRef), parent.conditions))
        }
        for reference in references ?? [] {
            let title = reference.title(from: key.namespace)
            if !nodes.contains(where: { $0.parent == title }) {
                nodes.append(RouteParentNode(parent: title, conditions: []))
            }
        }
        return nodes
    }

    private func references(_ kind: String, _ key: ObjectKey, _ rules: [RouteRule]) -> [BackendReferenceNode] {
        var nodes: [BackendReferenceNode] = []
        for (index, rule) in rules.enumerated() {
            let served = self.rules[RouteID(kind: kind, namespace: key.namespace, name: key.name, rule: index)]
            let references = rule.backendRefs ?? []
            for (place, reference) in references.enumerated() {
                let id = reference.backendID(from: key.namespace)
                let entry = served.flatMap { place < $0.backends.count ? $0.backends[place] : nil }
                nodes.append(
                    BackendReferenceNode(
                        rule: index, backend: id.description, weight: reference.effectiveWeight,
                        isFallback: entry?.isFallback ?? isFallback(id),
                        isResolved: entry.map { $0.target != .invalid } ?? exists(id)))
            }
        }
        return nodes
    }

    private func isFallback(_ id: BackendID) -> Bool {
        id.kind == "Backend"
            && snapshot.backends[ObjectKey(namespace: id.namespace, name: id.name)]?.spec.fallback == true
    }

    /// Of a route that no listener serves: whether there is such a thing.
    private func exists(_ id: BackendID) -> Bool {
        let key = ObjectKey(namespace: id.namespace, name: id.name)
        return switch id.kind {
        case "Service": snapshot.services[key]?.spec.ports?.contains { Int($0.port) == Int(id.port) } == true
        case "Backend": snapshot.backends[key] != nil
        default: false
        }
    }
}

extension BackendReference {
    /// What it names, whether or not that exists: a Service with its port, anything else without.
    func backendID(from namespace: String) -> BackendID {
        let key = key(from: namespace)
        let port = effectiveKind == "Service" ? UInt16(clamping: port ?? 0) : 0
        return BackendID(kind: effectiveKind, namespace: key.namespace, name: key.name, port: port)
    }
}

extension ParentReference {
    /// `Gateway infra/edge`, with `/listener` and `:port` where they are named.
    func title(from namespace: String) -> String {
        let section = sectionName.map { "/\($0)" } ?? ""
        return "\(effectiveKind) \(key(from: namespace))\(section)\(port.map { ":\($0)" } ?? "")"
    }
}
