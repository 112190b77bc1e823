internal import KubernetesAPI
public import Translation

extension StatusReport {
    /// Every condition with what it speaks of, in no order.
    public var items: [StatusItem] {
        var items: [StatusItem] = []
        func add(_ kind: String, _ key: ObjectKey, _ conditions: [Condition], part: StatusSubject.Part = .whole) {
            let subject = StatusSubject(kind: kind, namespace: key.namespace, name: key.name, part: part)
            items += conditions.map { StatusItem(subject, $0) }
        }
        for (key, status) in gatewayClasses { add("GatewayClass", key, status.conditions) }
        for (key, status) in gateways {
            add("Gateway", key, status.conditions)
            for listener in status.listeners {
                add("Gateway", key, listener.conditions, part: .listener(listener.name))
            }
        }
        for (key, status) in listenerSets {
            add("ListenerSet", key, status.conditions)
            for listener in status.listeners {
                add("ListenerSet", key, listener.conditions, part: .listener(listener.name))
            }
        }
        for (kind, routes) in [("TCPRoute", tcpRoutes), ("TLSRoute", tlsRoutes)] {
            for (key, status) in routes {
                for parent in status.parents {
                    add(kind, key, parent.conditions, part: .parent(parent.parentRef.text(from: key.namespace)))
                }
            }
        }
        for (key, status) in backendTLSPolicies {
            for ancestor in status.ancestors {
                let part = StatusSubject.Part.parent(ancestor.ancestorRef.text(from: key.namespace))
                add("BackendTLSPolicy", key, ancestor.conditions, part: part)
            }
        }
        for (key, status) in backends { add("Backend", key, status.conditions) }
        for (key, status) in gatewayParameters { add("GatewayParameters", key, status.conditions) }
        return items
    }
}

extension ParentReference {
    /// `namespace/name`, with `/section` and `:port` where they are given; `ListenerSet ` before that of one.
    func text(from routeNamespace: String) -> String {
        let section = sectionName.map { "/\($0)" } ?? ""
        // A Gateway and a ListenerSet may be namesakes.
        let kind = effectiveKind == ListenerSet.resourceKind.kind ? "ListenerSet " : ""
        return "\(kind)\(namespace ?? routeNamespace)/\(name)\(section)\(port.map { ":\($0)" } ?? "")"
    }
}
