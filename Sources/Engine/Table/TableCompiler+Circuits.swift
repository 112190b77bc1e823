internal import EngineModel
internal import Platform

extension TableCompiler {
    /// The circuit breakers of a backend as they are from now on; nil: it has none. What was counted under their ids goes on.
    func circuit(_ backend: BackendConfiguration, _ endpoints: [EndpointState]) -> BackendCircuit? {
        guard !backend.circuitBreakers.isEmpty else { return nil }
        let levels = backend.circuitBreakers.map { breaker in
            BackendCircuit.Level(
                state: circuits.states.state(breaker.id) { CircuitState() },
                most: breaker.maximumConnections.map { max(1, $0) } ?? .max)
        }
        let capped = backend.circuitBreakers.filter { $0.maximumPerEndpoint != nil }
        let rooms = capped.isEmpty ? [] : endpoints.map { room(capped, $0.address) }
        let queue = backend.queue.map { queue in
            BackendCircuit.Queue(
                line: circuits.lines.state(.init(queue: queue.id, backend: backend.id)) { PendingLine() },
                length: circuits.lengths.state(queue.id) { PendingLength() }, most: max(1, queue.length),
                timeout: max(1, queue.timeout.wholeMilliseconds))
        }
        return BackendCircuit(levels: levels, rooms: rooms, queue: queue)
    }

    /// What goes on of a rule with fallback backends; nil: it never had any.
    func fallbackRule(_ route: RouteConfiguration) -> FallbackRule? {
        guard route.backends.contains(where: \.isFallback) else { return fallbackRules.known(route.id) }
        return fallbackRules.state(route.id) { FallbackRule() }
    }

    private func room(_ breakers: [CircuitBreaker], _ address: StreamAddress) -> EndpointRoom {
        EndpointRoom(
            breakers.map { breaker in
                EndpointRoom.Level(
                    tally: circuits.endpoints.state(.init(level: breaker.id, address: address)) { EndpointTally() },
                    most: breaker.maximumPerEndpoint.map { max(1, $0) } ?? .max)
            })
    }
}

/// What circuit breakers have counted, by identity.
final class CircuitRegistry: Sendable {
    let states = Registry<LimitID, CircuitState>()
    let endpoints = Registry<EndpointTally.Key, EndpointTally>()
    let lines = Registry<PendingLine.Key, PendingLine>()
    let lengths = Registry<LimitID, PendingLength>()
}
