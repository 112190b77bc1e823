internal import KubernetesAPI
internal import Translation

extension StatusReport {
    /// Calls `body` for every status of the report.
    func forEachStatus(_ body: (StatusTarget, DesiredStatus) -> Void) {
        for (key, status) in gatewayClasses { body(.init(kind: .gatewayClass, key: key), .gatewayClass(status)) }
        for (key, status) in gateways { body(.init(kind: .gateway, key: key), .gateway(status)) }
        for (key, status) in listenerSets { body(.init(kind: .listenerSet, key: key), .listenerSet(status)) }
        for (key, status) in gatewayParameters {
            body(.init(kind: .gatewayParameters, key: key), .gatewayParameters(status))
        }
        for (key, status) in backends { body(.init(kind: .backend, key: key), .backend(status)) }
        for (key, status) in backendTLSPolicies { body(.init(kind: .backendTLSPolicy, key: key), .policy(status)) }
        for (key, status) in clientPolicies { body(.init(kind: .clientPolicy, key: key), .policy(status)) }
        for (key, status) in backendPolicies { body(.init(kind: .backendPolicy, key: key), .policy(status)) }
        for (key, status) in tcpRoutes { body(.init(kind: .tcpRoute, key: key), .route(status)) }
        for (key, status) in tlsRoutes { body(.init(kind: .tlsRoute, key: key), .route(status)) }
    }

    /// The status of one object; nil where it is not ours.
    func status(of target: StatusTarget) -> DesiredStatus? {
        switch target.kind {
        case .gatewayClass: gatewayClasses[target.key].map(DesiredStatus.gatewayClass)
        case .gateway: gateways[target.key].map(DesiredStatus.gateway)
        case .listenerSet: listenerSets[target.key].map(DesiredStatus.listenerSet)
        case .gatewayParameters: gatewayParameters[target.key].map(DesiredStatus.gatewayParameters)
        case .backend: backends[target.key].map(DesiredStatus.backend)
        case .backendTLSPolicy: backendTLSPolicies[target.key].map(DesiredStatus.policy)
        case .clientPolicy: clientPolicies[target.key].map(DesiredStatus.policy)
        case .backendPolicy: backendPolicies[target.key].map(DesiredStatus.policy)
        case .tcpRoute: tcpRoutes[target.key].map(DesiredStatus.route)
        case .tlsRoute: tlsRoutes[target.key].map(DesiredStatus.route)
        }
    }

    /// The objects of which something else is said than in an earlier report, or of which only one of both says something; in
    /// no order.
    func changedTargets(since earlier: StatusReport) -> [StatusTarget] {
        func targets<Status>(_ kind: StatusKind, _ path: KeyPath<StatusReport, [ObjectKey: Status]>) -> [StatusTarget]
        where Status: Equatable {
            self[keyPath: path].changedKeys(since: earlier[keyPath: path]).map { StatusTarget(kind: kind, key: $0) }
        }
        return targets(.gatewayClass, \.gatewayClasses) + targets(.gateway, \.gateways)
            + targets(.listenerSet, \.listenerSets) + targets(.gatewayParameters, \.gatewayParameters)
            + targets(.backend, \.backends) + targets(.backendTLSPolicy, \.backendTLSPolicies)
            + targets(.clientPolicy, \.clientPolicies) + targets(.backendPolicy, \.backendPolicies)
            + targets(.tcpRoute, \.tcpRoutes) + targets(.tlsRoute, \.tlsRoutes)
    }
}
