internal import KubernetesAPI

/// Where a policy can be attached. Of the points that a connection passes the later case is the more specific.
enum AttachmentPoint: Hashable {
    case gateway(ObjectKey)
    case gatewayListener(ObjectKey, String)
    case listenerSet(ObjectKey)
    case setListener(ObjectKey, String)
    case route(RouteKey)
    case service(ObjectKey)
    /// A port by its name.
    case servicePort(ObjectKey, String)
    case backend(ObjectKey)

    /// As in messages: kind, key, and the listener or port where it is one.
    var description: String {
        switch self {
        case .gateway(let key): "Gateway \(key)"
        case .gatewayListener(let key, let name): "Gateway \(key), listener \(name)"
        case .listenerSet(let key): "ListenerSet \(key)"
        case .setListener(let key, let name): "ListenerSet \(key), listener \(name)"
        case .route(let route): "\(route.kind.rawValue) \(route.key)"
        case .service(let key): "Service \(key)"
        case .servicePort(let key, let name): "Service \(key), port \(name)"
        case .backend(let key): "Backend \(key)"
        }
    }

    /// Whether it is a Gateway, or one of its own listeners.
    var isOfGateway: Bool {
        switch self {
        case .gateway, .gatewayListener: true
        default: false
        }
    }

    /// Whether it is a backend rather than what leads to one.
    var isBackend: Bool {
        switch self {
        case .service, .servicePort, .backend: true
        default: false
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

extension BackendTarget {
    /// What policies for the backend can be attached to, the least specific first.
    var attachmentPoints: [AttachmentPoint] {
        switch self {
        case .service(let key, let port):
            let name = port.effectiveName
            return name.isEmpty ? [.service(key)] : [.service(key), .servicePort(key, name)]
        case .backend(let key): return [.backend(key)]
        }
    }
}

extension PolicyTargetReference {
    /// Nil where it names a kind, or a section of a kind, that no policy is for.
    func point(in namespace: String) -> AttachmentPoint? {
        let key = ObjectKey(namespace: namespace, name: name)
        switch (group, kind, sectionName) {
        case (gatewayAPIGroup, "Gateway", nil): return .gateway(key)
        case (gatewayAPIGroup, "Gateway", let section?): return .gatewayListener(key, section)
        case (gatewayAPIGroup, "ListenerSet", nil): return .listenerSet(key)
        case (gatewayAPIGroup, "ListenerSet", let section?): return .setListener(key, section)
        case (gatewayAPIGroup, _, nil): return RouteKind(rawValue: kind).map { .route(RouteKey(kind: $0, key: key)) }
        case ("", "Service", nil): return .service(key)
        case ("", "Service", let section?): return .servicePort(key, section)
        case (Backend.resourceKind.group, Backend.resourceKind.kind, nil): return .backend(key)
        default: return nil
        }
    }
}
