internal import EngineCore
internal import EngineModel
internal import Platform

/// A backend with the addresses it has now. What a connection needs comes first, as in ``RouteRuntime``.
final class BackendRuntime: Sendable {
    /// The state's.
    let cells: WorkerCells
    /// The endpoint of every connection, where there is no choice.
    let only: EndpointState?
    let connectTimeout: Int64
    let tls: TLSClientContext?
    /// Whether endpoints are told something in the clear before anything else.
    let greets: Bool
    let state: BackendState
    let configuration: BackendConfiguration
    let resolved: ResolvedEndpoints
    let endpoints: [EndpointState]
    let picker: EndpointPicker
    /// Chooses in place of ``picker``; nil for most.
    let balancer: Balancer?
    /// Whether its endpoints depend on answers of DNS.
    let hasNames: Bool
    /// Whether some of them have an alternate (``ResolvedEndpoints/alternates``).
    let hasAlternates: Bool
    /// Nil: every endpoint can always be used.
    let health: BackendHealth?
    /// Parallel to ``endpoints``; empty without ``health``.
    let standings: [EndpointHealth]
    /// By endpoint, where what becomes of connections says something of it; else empty.
    let observed: [ObjectIdentifier: EndpointHealth]
    let isObserved: Bool
    /// Nil: any number of connections.
    let circuit: BackendCircuit?

    init(
        configuration: BackendConfiguration, state: BackendState, resolved: ResolvedEndpoints, tls: TLSClientContext?,
        health: BackendHealth?, balancer: Balancer?, circuit: BackendCircuit?
    ) {
        self.configuration = configuration
        self.balancer = balancer
        self.circuit = circuit
        self.health = health
        standings = health.map { health in resolved.endpoints.map { health.endpoint($0.address) } } ?? []
        isObserved = health?.failureLimit != nil
        observed =
            isObserved
            ? Dictionary(
                zip(resolved.endpoints.map { ObjectIdentifier($0) }, standings), uniquingKeysWith: { first, _ in first }
            )
            : [:]
        self.state = state
        self.tls = tls
        greets = configuration.settings.proxyProtocol != nil || configuration.settings.startTLS != nil
        self.resolved = resolved
        endpoints = resolved.endpoints
        cells = state.counters.cells
        only =
            endpoints.count == 1 && balancer == nil && resolved.weights.allSatisfy { $0 > 0 } ? endpoints[0] : nil
        picker = EndpointPicker(weights: resolved.weights)
        hasAlternates = !resolved.alternates.isEmpty
        hasNames = configuration.endpoints.contains { $0.address.isName }
        connectTimeout = configuration.settings.connectTimeout.wholeMilliseconds
    }
}
