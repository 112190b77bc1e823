import EngineModel
import Primitives

/// Draws a configuration: one to three backends with one to five endpoints, behind one or two listeners with a rule each.
struct ConfigurationDraft {
    private let dice: Dice

    init(_ dice: Dice) { self.dice = dice }

    func draw() -> EngineConfiguration {
        let backends = (0..<dice.roll(1...3)).map(backend)
        let listeners = (0..<dice.roll(1...2)).map { listener($0, backends: backends.count) }
        return EngineConfiguration(listeners: listeners, backends: backends)
    }

    // MARK: Backends

    private func backend(_ index: Int) -> BackendConfiguration {
        let tiers = dice.chance(20)
        let endpoints = (0..<dice.roll(1...5)).map { place in
            EndpointConfiguration(
                address: .ip(Names.endpoint(index, place)), weight: dice.pick([1, 1, 1, 1, 2, 3, 7, 0]),
                preference: tiers ? UInt8(dice.roll(0...1)) : 0)
        }
        var backend = BackendConfiguration(id: Names.backend(index), endpoints: endpoints)
        var settings = BackendSettings()
        settings.connectTimeout = .milliseconds(dice.roll(100...2000))
        settings.retries = dice.roll(0...3)
        settings.loadBalancing = balancing()
        settings.health = HealthChecking(
            active: dice.maybe(60, active), passive: dice.maybe(60, passive),
            panicThreshold: dice.pick([0, 0, 0, 30, 50, 100]))
        let actions: [SessionAction] = [.keep, .keep, .drain, .close]
        settings.onEndpointUnhealthy = dice.pick(actions)
        settings.onEndpointRemoved = dice.pick(actions)
        settings.onPrimaryRecovered = dice.pick([.keep, .drain])
        settings.endpointDrainTimeout = .milliseconds(dice.pick([0, 500, 2000, 8000]))
        backend.settings = settings
        guard dice.chance(50) else { return backend }
        if dice.chance(50) {
            backend.circuitBreakers.append(
                CircuitBreaker(id: Names.sharedCircuit, maximumConnections: dice.roll(2...10)))
        }
        backend.circuitBreakers.append(
            CircuitBreaker(
                id: Names.circuit(index), maximumConnections: dice.maybe(70) { dice.roll(1...6) },
                maximumPerEndpoint: dice.maybe(50) { dice.roll(1...3) }))
        backend.queue = dice.maybe(70) {
            PendingQueue(
                id: Names.circuit(index), length: dice.roll(1...5), timeout: .milliseconds(dice.roll(50...4000)))
        }
        return backend
    }

    private func balancing() -> LoadBalancing {
        let method: LoadBalancing.Method =
            switch dice.roll(0...9) {
            case 0...3: .leastRequest
            case 4: .random
            case 5...6: .roundRobin
            default:
                .consistentHash(
                    ConsistentHash(tableSize: 251, boundedLoadPercent: dice.maybe(40) { dice.pick([100, 125, 200]) }))
            }
        switch method {
        case .leastRequest, .roundRobin:
            return LoadBalancing(method: method, slowStart: dice.maybe(30) { .milliseconds(dice.roll(500...20_000)) })
        default: return LoadBalancing(method: method)
        }
    }

    private func active() -> ActiveHealthCheck {
        var check = ActiveHealthCheck()
        check.interval = .milliseconds(dice.roll(500...5000))
        check.timeout = .milliseconds(dice.roll(50...1000))
        check.unhealthyInterval = dice.maybe(30) { .milliseconds(dice.roll(500...3000)) }
        (check.healthyThreshold, check.unhealthyThreshold) = (dice.roll(1...4), dice.roll(1...4))
        check.startsHealthy = dice.chance(50)
        return check
    }

    private func passive() -> PassiveHealthCheck {
        var check = PassiveHealthCheck()
        check.consecutiveFailures = dice.roll(1...4)
        check.interval = .milliseconds(dice.roll(100...2000))
        check.baseEjectionTime = .milliseconds(dice.roll(300...5000))
        check.maximumEjectionPercent = dice.pick([10, 34, 50, 100])
        check.alwaysEjectsOne = dice.chance(60)
        return check
    }

    // MARK: Listeners

    private func listener(_ index: Int, backends: Int) -> ListenerConfiguration {
        var listener = ListenerConfiguration(
            id: Names.listener(index), bindings: [Binding(port: UInt16(1000 + index))],
            traffic: .tcp(route(index, backends: backends)))
        listener.settings.routeDrainTimeout = dice.maybe(70) { .milliseconds(dice.pick([0, 300, 2000, 10_000])) }
        if dice.chance(30) {
            listener.limits = [
                ClientLimits(id: Names.gatewayLimit, connections: ConnectionLimit(value: dice.roll(2...12)))
            ]
        }
        return listener
    }

    private func route(_ index: Int, backends: Int) -> RouteConfiguration {
        var targets = (0..<backends).map { backend in
            RouteConfiguration.WeightedBackend(
                weight: dice.pick([1, 1, 2, 3, 5, 7, 0]), target: .backend(Names.backend(backend)))
        }
        if dice.chance(10) { targets.append(.init(weight: 1, target: .invalid)) }
        if targets.count > 1, dice.chance(30) {
            for place in targets.indices.dropFirst() { targets[place].isFallback = true }
        }
        var route = RouteConfiguration(id: Names.route(index), backends: targets)
        route.settings.idleTimeout = dice.maybe(50) { .milliseconds(dice.roll(500...20_000)) }
        route.settings.maxConnectionDuration = dice.maybe(20) { .milliseconds(dice.roll(1000...20_000)) }
        route.settings.maxConnectionDurationJitter = dice.roll(0...50)
        guard dice.chance(60) else { return route }
        var limits = ClientLimits(id: Names.routeLimit(index))
        if dice.chance(60) {
            limits.connections = ConnectionLimit(
                value: dice.maybe(60) { dice.roll(1...8) }, perSource: dice.maybe(50) { .init(value: dice.roll(1...3)) }
            )
        }
        if dice.chance(40) {
            limits.connectionRate = ConnectionRateLimit(
                total: dice.maybe(70) { rate() }, perSource: dice.maybe(50) { rate() })
        }
        limits.bandwidth = dice.maybe(50) {
            BandwidthLimit(
                response: .init(
                    bytesPerSecond: dice.pick([10_000, 100_000, 1_000_000]), burst: dice.pick([2048, 65_536])),
                scope: dice.pick([.connection, .source, .target]))
        }
        route.limits = [limits]
        return route
    }

    private func rate() -> ConnectionRateLimit.Rate {
        .init(connections: dice.roll(1...20), per: dice.pick([.second, .second, .minute]), burst: dice.roll(1...8))
    }
}
