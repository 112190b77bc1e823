internal import KubernetesAPI
public import Translation

extension StatusReport {
    /// Every condition with what it speaks of, in no order.
    public var items: [StatusItem] {
        var items: [StatusItem] = []
        forEachStatus { target, status in items += status.items(of: target) }
        return items
    }

    /// Every condition of one object with what it speaks of; none where it is not ours.
    func items(of target: StatusTarget) -> [StatusItem] { status(of: target)?.items(of: target) ?? [] }
}

extension DesiredStatus {
    fileprivate func items(of target: StatusTarget) -> [StatusItem] {
        func items(_ conditions: [Condition], _ part: StatusSubject.Part = .whole) -> [StatusItem] {
            let subject = StatusSubject(
                kind: target.kind.rawValue, namespace: target.key.namespace, name: target.key.name, part: part)
            return conditions.map { StatusItem(subject, $0) }
        }
        func items(_ conditions: [Condition], _ listeners: [ListenerStatus]) -> [StatusItem] {
            items(conditions) + listeners.flatMap { items($0.conditions, .listener($0.name)) }
        }
        func items(_ conditions: [Condition], for parent: ParentReference) -> [StatusItem] {
            items(conditions, .parent(parent.text(from: target.key.namespace)))
        }
        return switch self {
        case .gatewayClass(let status): items(status.conditions)
        case .gateway(let status): items(status.conditions, status.listeners)
        case .listenerSet(let status): items(status.conditions, status.listeners)
        case .gatewayParameters(let status): items(status.conditions)
        case .backend(let status): items(status.conditions)
        case .policy(let status): status.ancestors.flatMap { items($0.conditions, for: $0.ancestorRef) }
        case .route(let status): status.parents.flatMap { items($0.conditions, for: $0.parentRef) }
        }
    }
}

extension ParentReference {
    /// `namespace/name`, with `/section` and `:port` where they are given; the kind before that of anything but a Gateway.
    func text(from routeNamespace: String) -> String {
        let section = sectionName.map { "/\($0)" } ?? ""
        // A Gateway and a ListenerSet may be namesakes, and so may the routes that a policy does not find.
        let kind = effectiveKind == Gateway.resourceKind.kind ? "" : "\(effectiveKind) "
        return "\(kind)\(namespace ?? routeNamespace)/\(name)\(section)\(port.map { ":\($0)" } ?? "")"
    }
}
