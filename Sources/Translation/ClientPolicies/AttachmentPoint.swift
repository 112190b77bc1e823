internal import KubernetesAPI

/// Where a ClientPolicy can be attached. Of the points that a connection passes the later case is the more specific.
enum AttachmentPoint: Hashable {
    case gateway(ObjectKey)
    case gatewayListener(ObjectKey, String)
    case listenerSet(ObjectKey)
    case setListener(ObjectKey, String)
    case route(RouteKey)

    /// As in messages: kind, key, and the listener where it is one.
    var description: String {
        switch self {
        case .gateway(let key): "Gateway \(key)"
        case .gatewayListener(let key, let name): "Gateway \(key), listener \(name)"
        case .listenerSet(let key): "ListenerSet \(key)"
        case .setListener(let key, let name): "ListenerSet \(key), listener \(name)"
        case .route(let route): "\(route.kind.rawValue) \(route.key)"
        }
    }

    /// Whether it stands for more than one listener or route: then a field need not mean something on all of them.
    var isWhole: Bool {
        switch self {
        case .gateway, .listenerSet: true
        case .gatewayListener, .setListener, .route: false
        }
    }
}

extension ListenerState {
    /// What policies for the listener can be attached to, the least specific first.
    var attachmentPoints: [AttachmentPoint] {
        guard let set = owner.set else {
            return [.gateway(owner.gateway), .gatewayListener(owner.gateway, spec.name)]
        }
        return [.gateway(owner.gateway), .listenerSet(set), .setListener(set, spec.name)]
    }
}

extension ClientPolicy.TargetReference {
    /// Nil where it names a kind that no ClientPolicy is for.
    func point(in namespace: String) -> AttachmentPoint? {
        guard group == gatewayAPIGroup else { return nil }
        let key = ObjectKey(namespace: namespace, name: name)
        switch (kind, sectionName) {
        case ("Gateway", nil): return .gateway(key)
        case ("Gateway", let section?): return .gatewayListener(key, section)
        case ("ListenerSet", nil): return .listenerSet(key)
        case ("ListenerSet", let section?): return .setListener(key, section)
        case (_, nil): return RouteKind(rawValue: kind).map { .route(RouteKey(kind: $0, key: key)) }
        default: return nil
        }
    }
}
