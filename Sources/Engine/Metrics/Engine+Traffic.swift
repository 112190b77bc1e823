public import EngineModel

extension Engine: EngineObserving {
    public func traffic() -> TrafficReport {
        let (listeners, routes, backends) = withCompiler { compiler, _ in
            (compiler.listenerStates.living(), compiler.routeStates.living(), compiler.backendStates.living())
        }
        var report = TrafficReport()
        for state in listeners { report.listeners[state.id, default: .init()].add(state.counters) }
        for state in routes where state.counters.sum(RouteField.opened) > 0 {
            report.routes[.init(listener: state.key.listener, route: state.route), default: .init()].add(state.counters)
        }
        for state in backends {
            var traffic = BackendTraffic()
            traffic.add(state.counters)
            if traffic != BackendTraffic() { report.backends[state.id] = traffic }
        }
        return report
    }

    public func makeSampler() -> any TrafficSampling {
        let (listeners, routes) = withCompiler { compiler, _ in (compiler.listenerStates, compiler.routeStates) }
        return TrafficSampler(listeners: listeners, routes: routes)
    }
}

extension RouteState {
    /// Its rules are counted together.
    var route: RouteID { RouteID(kind: key.kind, namespace: key.namespace, name: key.name) }
}

extension ListenerTraffic {
    /// A listener whose port changed is counted at both.
    fileprivate mutating func add(_ counters: CounterBlock) {
        accepted &+= counters.sum(ListenerField.accepted)
        active &+= counters.gauge(ListenerField.active)
        handshaking &+= counters.gauge(ListenerField.handshaking)
        for reason in CloseReason.allCases {
            let count = counters.sum(ListenerField.rejected(reason))
            if count > 0 { rejected[reason, default: 0] &+= count }
        }
    }
}

extension RouteTraffic {
    fileprivate mutating func add(_ counters: CounterBlock) {
        opened &+= counters.sum(RouteField.opened)
        active &+= counters.gauge(RouteField.active)
        for reason in CloseReason.allCases {
            let count = CloseSide.allCases.reduce(0) { $0 &+ counters.sum(RouteField.closed(reason, $1)) }
            if count > 0 { closed[reason, default: 0] &+= count }
        }
        requestBytes &+= counters.sum(RouteField.requestBytes)
        responseBytes &+= counters.sum(RouteField.responseBytes)
        setupNanoseconds &+= counters.sum(RouteField.setup.sumField)
        setups &+= RouteField.setup.counts(counters).reduce(0, &+)
    }
}

extension BackendTraffic {
    fileprivate mutating func add(_ counters: CounterBlock) {
        active = counters.gauge(BackendField.active)
        pending = counters.gauge(BackendField.pending)
        connected = counters.sum(BackendField.connects(.ok))
        for result in ConnectResult.allCases where result != .ok {
            let count = counters.sum(BackendField.connects(result))
            if count > 0 { failed[result.label] = count }
        }
        retries = counters.sum(BackendField.retries)
        connectNanoseconds = counters.sum(BackendField.connectDuration.sumField)
    }
}

extension CounterBlock {
    /// What goes up and down: the cells of several workers, read one after the other, may add up to less than nothing.
    func gauge(_ field: Int) -> UInt64 { UInt64(max(0, Int64(bitPattern: sum(field)))) }
}
