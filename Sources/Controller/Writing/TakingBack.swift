internal import KubernetesAPI

extension ClusterSnapshot {
    /// Whether what we wrote into the status of an object that is not ours (any more) is to be removed.
    ///
    /// Shared lists name their controller: our entries go, always. A Gateway's status belongs to whoever serves its
    /// class. Where that is another controller now, it writes all of it, and we keep off; where the class does not exist,
    /// nobody would, so we put it back to what a new Gateway says, if this process has seen that it was ours, or the
    /// server's record of who wrote its conditions says so (`wasOurs`; the status itself does not tell). The same holds
    /// for the ListenerSets of such a Gateway.
    func isOursToTakeBack(_ target: StatusTarget, wasOurs: Bool) -> Bool {
        switch target.kind {
        case .backendTLSPolicy, .clientPolicy, .backendPolicy, .tcpRoute, .tlsRoute: true
        // A class names its controller for good, so it is ours or never was; parameters and backends are answered
        // for as long as they exist.
        case .gatewayClass, .gatewayParameters, .backend: false
        case .gateway: wasOurs && isNobodys(target.key)
        case .listenerSet: wasOurs && (listenerSets[target.key].map { isNobodys($0.gatewayKey) } ?? false)
        }
    }

    private func isNobodys(_ key: ObjectKey) -> Bool {
        guard let gateway = gateways[key] else { return knows(key.namespace) }
        // Where classes are not read, any other one may be somebody's.
        guard scope == .cluster else { return false }
        return gatewayClasses[ObjectKey(namespace: "", name: gateway.spec.gatewayClassName)] == nil
    }
}

extension ClusterSnapshot {
    /// Whether what is not here of a namespace is not there.
    private func knows(_ namespace: String) -> Bool {
        if case .namespaces(let watched) = scope { watched.contains(namespace) } else { true }
    }
}

extension ListenerSet {
    fileprivate var gatewayKey: ObjectKey {
        ObjectKey(namespace: spec.parentRef.namespace ?? key.namespace, name: spec.parentRef.name)
    }
}
