import EngineModel

extension Edit {
    /// What becomes of a configuration; `first`: as it was at the beginning.
    func apply(to configuration: inout EngineConfiguration, first: EngineConfiguration) {
        let (backends, routes) = (configuration.backends.count, configuration.listeners.count)
        switch self {
        case .weight(let backend, let endpoint, let weight):
            let index = backend % backends
            let count = configuration.backends[index].endpoints.count
            if count > 0 { configuration.backends[index].endpoints[endpoint % count].weight = weight }
        case .shares(let route, let weights):
            configuration.changeRoute(route % routes) { route in
                for place in route.backends.indices { route.backends[place].weight = weights[place % weights.count] }
            }
        case .thresholds(let backend, let healthy, let unhealthy):
            configuration.backends[backend % backends].settings.health.active?.healthyThreshold = healthy
            configuration.backends[backend % backends].settings.health.active?.unhealthyThreshold = unhealthy
        case .checks(let backend, let interval):
            configuration.backends[backend % backends].settings.health.active?.interval = .milliseconds(interval)
        case .passive(let backend, let failures):
            configuration.backends[backend % backends].settings.health.passive?.consecutiveFailures = failures
        case .panic(let backend, let percent):
            configuration.backends[backend % backends].settings.health.panicThreshold = percent
        case .sessions(let backend, let timeout):
            configuration.backends[backend % backends].settings.endpointDrainTimeout = .milliseconds(timeout)
        case .circuit, .queue: applyCircuit(to: &configuration.backends)
        case .limit, .rate, .bandwidth, .listenerLimit: applyLimit(to: &configuration)
        case .routeGoes(let route): configuration.listeners[route % routes].traffic = .tcp(nil)
        case .routeComes(let route):
            configuration.listeners[route % routes].traffic = first.listeners[route % routes].traffic
        case .routeDrain(let route, let milliseconds):
            configuration.listeners[route % routes].settings.routeDrainTimeout = milliseconds.map { .milliseconds($0) }
        }
    }

    private func applyCircuit(to backends: inout [BackendConfiguration]) {
        switch self {
        case .circuit(let backend, let connections, let perEndpoint):
            let index = backend % backends.count
            backends[index].circuitBreakers.removeAll { $0.id == Names.circuit(index) }
            backends[index].circuitBreakers.append(
                CircuitBreaker(
                    id: Names.circuit(index), maximumConnections: connections, maximumPerEndpoint: perEndpoint))
        case .queue(let backend, let length, let milliseconds):
            let index = backend % backends.count
            guard backends[index].circuitBreakers.contains(where: { $0.id == Names.circuit(index) }) else { return }
            backends[index].queue = length.map {
                PendingQueue(id: Names.circuit(index), length: $0, timeout: .milliseconds(milliseconds))
            }
        default: return
        }
    }

    private func applyLimit(to configuration: inout EngineConfiguration) {
        let routes = configuration.listeners.count
        switch self {
        case .limit(let route, let connections, let perSource):
            configuration.changeLimits(route % routes) { limits in
                limits.connections = ConnectionLimit(value: connections, perSource: perSource.map { .init(value: $0) })
            }
        case .rate(let route, let connections, let burst):
            configuration.changeLimits(route % routes) { limits in
                limits.connectionRate = ConnectionRateLimit(
                    total: .init(connections: connections, burst: burst), perSource: limits.connectionRate?.perSource)
            }
        case .bandwidth(let route, let bytes):
            configuration.changeLimits(route % routes) { limits in
                let scope = limits.bandwidth?.scope ?? .connection
                limits.bandwidth = bytes.map { BandwidthLimit(response: .init(bytesPerSecond: $0), scope: scope) }
            }
        case .listenerLimit(let value):
            for index in configuration.listeners.indices {
                configuration.listeners[index].limits =
                    value.map { [ClientLimits(id: Names.gatewayLimit, connections: ConnectionLimit(value: $0))] } ?? []
            }
        default: return
        }
    }
}

extension EngineConfiguration {
    fileprivate mutating func changeRoute(_ index: Int, _ change: (inout RouteConfiguration) -> Void) {
        guard case .tcp(var route?) = listeners[index].traffic else { return }
        change(&route)
        listeners[index].traffic = .tcp(route)
    }

    /// Of the route's policy, made where there is none.
    fileprivate mutating func changeLimits(_ index: Int, _ change: (inout ClientLimits) -> Void) {
        changeRoute(index) { route in
            if route.limits.isEmpty { route.limits = [ClientLimits(id: Names.routeLimit(index))] }
            change(&route.limits[0])
        }
    }
}
