internal import EngineModel
internal import KubernetesAPI
internal import Translation

extension TreeBuilder {
    /// Those of which something is said: of our classes.
    func gateways() -> [GatewayNode] {
        var sets: [ObjectKey: [ObjectKey]] = [:]
        for key in statuses.listenerSets.keys.sorted() {
            guard let gateway = snapshot.listenerSets[key]?.spec.parentRef.key(from: key.namespace) else { continue }
            sets[gateway, default: []].append(key)
        }
        return statuses.gateways.sorted { $0.key < $1.key }.map { key, status in
            var node = GatewayNode(namespace: key.namespace, name: key.name)
            node.addresses = (status.addresses ?? []).map(\.value)
            node.conditions = times.nodes("Gateway", key, .whole, status.conditions)
            let own = Dictionary(status.listeners.map { ($0.name, $0.conditions) }) { first, _ in first }
            for listener in snapshot.gateways[key]?.spec.listeners ?? [] {
                let conditions = times.nodes("Gateway", key, .listener(listener.name), own[listener.name] ?? [])
                node.listeners.append(self.listener(listener, listener.name, of: key, conditions))
            }
            for set in sets[key] ?? [] { node.listeners += listeners(of: set, addedTo: key) }
            return node
        }
    }

    /// What is wrong with a set as a whole is wrong with each of its listeners.
    private func listeners(of set: ObjectKey, addedTo gateway: ObjectKey) -> [ListenerNode] {
        guard let spec = snapshot.listenerSets[set]?.spec, let status = statuses.listenerSets[set] else { return [] }
        let kind = ListenerSet.resourceKind.kind
        let whole = times.nodes(kind, set, .whole, status.conditions).filter(\.isProblem)
        let own = Dictionary(status.listeners.map { ($0.name, $0.conditions) }) { first, _ in first }
        return spec.listeners.map { listener in
            let conditions = times.nodes(kind, set, .listener(listener.name), own[listener.name] ?? [])
            let types = Set(conditions.filter(\.isProblem).map(\.type))
            return self.listener(
                listener, "\(set)/\(listener.name)", of: gateway,
                conditions + whole.filter { !types.contains($0.type) })
        }
    }

    private func listener(
        _ spec: Gateway.Listener, _ name: String, of gateway: ObjectKey, _ conditions: [ConditionNode]
    ) -> ListenerNode {
        let id = ListenerID(gatewayNamespace: gateway.namespace, gateway: gateway.name, listener: name)
        var node = ListenerNode(name: name, port: spec.port, mode: spec.mode)
        node.hostname = spec.hostname.flatMap { $0.isEmpty ? nil : $0 }
        node.conditions = conditions
        node.bindings = (statuses.bindings[id] ?? []).map { BindingNode($0, inspected.acknowledgement?.bindings[$0]) }
        node.routes = routesOfListeners[id] ?? []
        node.traffic = inspected.traffic.listeners[id].map(ListenerTrafficNode.init)
        return node
    }
}

extension Gateway.Listener {
    fileprivate var mode: String {
        guard self.protocol == .tls else { return self.protocol.rawValue }
        return tls?.isPassthrough == true ? "TLS Passthrough" : "TLS Terminate"
    }
}

extension BindingNode {
    fileprivate init(_ binding: Binding, _ state: BindingState?) {
        switch state {
        case .bound: self.init(address: binding.description, isBound: true)
        case .failed(let failure): self.init(address: binding.description, isBound: false, problem: failure.message)
        case nil: self.init(address: binding.description, isBound: false)
        }
    }
}
