internal import EngineModel
internal import KubernetesAPI
internal import Translation

extension StatusTree {
    /// Everything that follows from what is inspected. What only the process knows (version, source, times, leadership) is left to
    /// the caller. Some microseconds for each route.
    public init(_ inspected: Inspected, times: ConditionTimes = ConditionTimes()) {
        self.init()
        let builder = TreeBuilder(inspected, times)
        generation = inspected.acknowledgement?.generation ?? 0
        gateways = builder.gateways()
        routes = builder.routes()
        backends = builder.backends()
        policies = builder.policies()
        certificates = builder.certificates()
        warnings = builder.warnings()
    }
}

/// What the nodes are made from, with what has to be looked up for many of them.
struct TreeBuilder {
    let inspected: Inspected
    let times: ConditionTimes
    /// By id.
    let listeners: [ListenerID: ListenerConfiguration]
    /// The first entry of each rule.
    let rules: [RouteID: RouteConfiguration]
    /// Keys of the routes that a listener serves, in order.
    let routesOfListeners: [ListenerID: [String]]
    /// The uses of each backend, by its id without variant.
    let configured: [BackendID: [BackendConfiguration]]

    var snapshot: ClusterSnapshot { inspected.snapshot }
    var statuses: StatusReport { inspected.statuses }

    init(_ inspected: Inspected, _ times: ConditionTimes) {
        (self.inspected, self.times) = (inspected, times)
        var listeners: [ListenerID: ListenerConfiguration] = [:]
        var rules: [RouteID: RouteConfiguration] = [:]
        var served: [ListenerID: [String]] = [:]
        for listener in inspected.configuration.listeners {
            listeners[listener.id] = listener
            var ids: Set<RouteID> = []
            for route in listener.entries {
                if rules[route.id] == nil { rules[route.id] = route }
                var whole = route.id
                whole.rule = 0
                ids.insert(whole)
            }
            served[listener.id] = ids.map(\.description).sorted()
        }
        (self.listeners, self.rules, routesOfListeners) = (listeners, rules, served)
        configured = Dictionary(grouping: inspected.configuration.backends) { $0.id.withoutVariant }
    }

    /// What no condition has a place for; at most fifty.
    func warnings() -> [String] {
        let most = 50
        let all = inspected.notices.map(\.description)
        return all.count > most ? all.prefix(most) + ["and \(all.count - most) further notices"] : all
    }
}

extension ListenerConfiguration {
    /// A route stands once for each of its names.
    var entries: [RouteConfiguration] {
        switch traffic {
        case .tcp(let route): [route].compactMap { $0 }
        case .tls(let tls): tls.routes.map(\.route) + [tls.fallback].compactMap { $0 }
        }
    }
}

extension BackendID {
    var withoutVariant: BackendID {
        variant.isEmpty ? self : BackendID(kind: kind, namespace: namespace, name: name, port: port)
    }
}
