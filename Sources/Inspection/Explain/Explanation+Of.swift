internal import EngineModel
internal import KubernetesAPI
internal import Translation

extension Explanation {
    /// Why an object serves traffic, or why not. `kind`: as ``ExplainedKind`` reads it; `name` of a listener:
    /// `GATEWAY/LISTENER`. What does not exist is said. Pure; costs a walk over the objects that the chain touches.
    public static func of(kind: String, namespace: String, name: String, in inspected: Inspected) -> Explanation {
        guard let known = ExplainedKind(kind) else {
            let near = ExplainedKind.nearest(to: kind).map { "did you mean \($0.rawValue)?" }
            let all = ExplainedKind.allCases.map(\.rawValue).joined(separator: ", ")
            return Explanation(
                object: "\(kind) \(namespace)/\(name)",
                links: [
                    Link(
                        .broken, object: kind, message: "'\(kind)' is no kind that can be explained",
                        advice: near ?? "there are: \(all)")
                ])
        }
        let key = ObjectKey(namespace: known.isClusterScoped ? "" : namespace, name: name)
        var explainer = Explainer(inspected)
        explainer.explain(known, key)
        return Explanation(object: "\(known.rawValue) \(key)", links: explainer.links, values: explainer.values)
    }
}

extension Explainer {
    mutating func explain(_ kind: ExplainedKind, _ key: ObjectKey) {
        switch kind {
        case .gateway: chain(key, Focus())
        case .listenerSet: listenerSet(key)
        case .listener: listener(key)
        case .tcpRoute, .tlsRoute: route(kind.rawValue, key)
        case .service: target("Service", key, exists: snapshot.services[key] != nil, among: snapshot.services.keys)
        case .backend: target("Backend", key, exists: snapshot.backends[key] != nil, among: snapshot.backends.keys)
        case .clientPolicy, .backendPolicy, .backendTLSPolicy: policy(kind.rawValue, key)
        case .gatewayClass: gatewayClass(key)
        case .secret: secret(key)
        }
    }

    private mutating func listenerSet(_ key: ObjectKey) {
        guard let set = snapshot.listenerSets[key] else {
            return missing("ListenerSet", key, among: snapshot.listenerSets.keys, depth: 0)
        }
        let parent = ObjectKey(namespace: set.spec.parentRef.namespace ?? key.namespace, name: set.spec.parentRef.name)
        let own = listeners(of: parent).filter { $0.set == key }
        chain(parent, Focus(listeners: Set(own.map(\.id))), field: "spec.parentRef")
    }

    private mutating func listener(_ key: ObjectKey) {
        let parts = key.name.split(separator: "/", maxSplits: 1).map(String.init)
        let gateway = ObjectKey(namespace: key.namespace, name: parts.first ?? "")
        let all = listeners(of: gateway)
        guard snapshot.gateways[gateway] == nil || all.contains(where: { $0.id.listener == parts.last }) else {
            let names = all.map(\.id.listener).joined(separator: ", ")
            links.append(
                Link(
                    .broken, object: "listener \(key)", message: "Gateway \(gateway) has no such listener",
                    advice: "there are: \(names)"))
            return
        }
        chain(gateway, Focus(listeners: Set(all.map(\.id).filter { $0.listener == parts.last })))
    }

    private mutating func route(_ kind: String, _ key: ObjectKey) {
        guard let route = routes.first(where: { $0.kind == kind && $0.key == key }) else {
            return missing(kind, key, among: routes.filter { $0.kind == kind }.map(\.key), depth: 0)
        }
        if route.parentRefs.isEmpty {
            links.append(
                Link(
                    .broken, object: route.title, field: "spec.parentRefs", message: "the route names no Gateway",
                    advice: "add a parentRef with the Gateway that is to serve it"))
        }
        chains(of: [route], Focus(routes: [route.title]))
    }

    /// From every Gateway that routes name.
    private mutating func chains(of routes: [RouteFacts], _ focus: Focus) {
        var seen: Set<ObjectKey> = []
        for route in routes {
            for (index, reference) in route.parentRefs.enumerated() {
                let field = "spec.parentRefs[\(index)].name"
                guard let gateway = gateway(of: reference, from: route.key.namespace) else {
                    missing(
                        reference.effectiveKind, reference.key(from: route.key.namespace),
                        among: reference.effectiveKind == "Gateway"
                            ? Array(snapshot.gateways.keys) : Array(snapshot.listenerSets.keys), field: field, depth: 0)
                    continue
                }
                guard seen.insert(gateway).inserted else { continue }
                let named = listeners(of: gateway).filter { listener in
                    routes.contains { !$0.parents(listener).isEmpty }
                }
                chain(gateway, Focus(listeners: Set(named.map(\.id)), routes: focus.routes, backends: focus.backends))
                unmatched(route, reference, index, named)
            }
        }
    }

    /// A parentRef that names no listener of its Gateway.
    private mutating func unmatched(
        _ route: RouteFacts, _ reference: ParentReference, _ index: Int, _ named: [ListenerFacts]
    ) {
        guard !named.contains(where: { $0.isNamed(by: reference, from: route.key.namespace) }),
            let condition = route.status?.parents.first(where: { $0.parentRef == reference })?.conditions[.accepted],
            condition.status == .false
        else { return }
        note(
            .broken, route.title, condition, field: "spec.parentRefs[\(index)]",
            advice: "compare sectionName and port of the parentRef with the Gateway's listeners", depth: 1)
    }

    private func gateway(of reference: ParentReference, from namespace: String) -> ObjectKey? {
        let key = reference.key(from: namespace)
        if reference.effectiveKind == "Gateway" { return snapshot.gateways[key] == nil ? nil : key }
        guard let set = snapshot.listenerSets[key] else { return nil }
        return ObjectKey(namespace: set.spec.parentRef.namespace ?? key.namespace, name: set.spec.parentRef.name)
    }

    private mutating func target(
        _ kind: String, _ key: ObjectKey, exists: Bool, among keys: some Sequence<ObjectKey>
    ) {
        guard exists else { return missing(kind, key, among: keys, depth: 0) }
        for condition in inspected.statuses.backends[key]?.conditions ?? [] where kind == "Backend" {
            if let verdict = condition.trouble { note(verdict, "Backend \(key)", condition, depth: 0) }
        }
        let users = routes.filter { $0.refers(to: kind, key) }
        guard !users.isEmpty else {
            links.append(
                Link(
                    .broken, object: "\(kind) \(key)", message: "no route sends anything to it",
                    advice: "name it in backendRefs of a TCPRoute or TLSRoute"))
            return
        }
        chains(of: users, Focus(routes: Set(users.map(\.title)), backends: ["\(kind) \(key)"]))
    }
}
