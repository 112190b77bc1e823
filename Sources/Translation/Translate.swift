internal import EngineModel
public import KubernetesAPI

/// Works out what a snapshot means: the engine's configuration, and the status of every object of ours. Pure: the same
/// snapshot gives the same result, whatever order its objects came in.
/// `memory`: what earlier translations leave behind (``Translator/memory``).
public func translate(
    _ snapshot: ClusterSnapshot, options: TranslationOptions, memory: ClientPolicyMemory = ClientPolicyMemory()
) -> TranslationResult {
    Workings(snapshot, options, SliceIndex(snapshot.endpointSlices), memory).result
}

/// A translation with what was worked out on the way, as far as a change of routes, Services or EndpointSlices can be carried
/// on from there (``take(_:_:)``). Of one thread.
final class Workings {
    let options: TranslationOptions
    let grants: GrantIndex
    let slices: SliceIndex
    /// Settled: neither routes nor Services change them, but for those of the installation's namespace.
    let gateways: [GatewayState]
    var snapshot: ClusterSnapshot
    var attacher: RouteAttacher
    /// Who serves what, by gateway and listener.
    var selections: [[RouteSelection]]
    var catalog: BackendCatalog
    /// Changed by none of what is carried on.
    var clientPolicies: ClientPolicyResolution
    var policies: PolicyIndex
    var policyUses = PolicyUses()
    var result: TranslationResult
    /// In order of precedence; empty once ``book`` has them.
    var routes: [RouteState]
    /// Made when something changes.
    var book: RouteBook?

    init(
        _ snapshot: ClusterSnapshot, _ options: TranslationOptions, _ slices: SliceIndex, _ memory: ClientPolicyMemory
    ) {
        (self.snapshot, self.options, self.slices) = (snapshot, options, slices)
        grants = GrantIndex(snapshot.referenceGrants)
        var parameters = ParametersIndex(snapshot)
        let context = SelectionContext(
            snapshot: snapshot, options: options, classes: ClassSelection(snapshot, options, &parameters),
            grants: grants,
            ledger: ServiceLedger(snapshot, options))
        let (gateways, ports) = settledGateways(context, &parameters)
        self.gateways = gateways
        attacher = RouteAttacher(snapshot, gateways, standalone: options.standalone)
        routes = collectRoutes(snapshot)
        selections = gateways.map { Array(repeating: RouteSelection(), count: $0.listeners.count) }
        catalog = BackendCatalog(snapshot.backends, snapshot.services)
        policies = PolicyIndex(snapshot)
        clientPolicies = ClientPolicyResolution(snapshot, gateways, memory, options)
        result = TranslationResult(configuration: EngineConfiguration(), statuses: StatusReport())
        place(routes)
        build()
        result.statuses.gatewayClasses = context.classes.statuses
        report()
        reportParameters(snapshot.gatewayParameters, parameters, options, into: &result.statuses)
        result.notices = collectNotices(
            snapshot, options, context.classes, slices, policies.policies, parameters,
            idleClientPolicies(result.statuses, clientPolicies.index.policies))
        addInfrastructure(to: &result, gateways, ports, context)
    }

    var resolver: BackendResolver {
        BackendResolver(snapshot, grants: grants, slices: slices, backends: catalog)
    }
    var builder: ConfigurationBuilder {
        ConfigurationBuilder(
            slices: slices, catalog: catalog, policies: policies, clientPolicies: clientPolicies, options)
    }
    var reporter: RouteReporter {
        RouteReporter(
            gateways: gateways, selections: selections, catalog: catalog, clientPolicies: clientPolicies,
            options: options)
    }

    /// Puts routes where they belong, and works out where they lead.
    private func place(_ routes: [RouteState]) {
        let resolver = self.resolver
        for route in routes {
            attacher.attach(route)
            if !route.parents.isEmpty { route.rule = resolver.resolve(route) }
            for place in route.places { selections[place.gateway][place.listener].add(route, place.names) }
        }
        if !clientPolicies.isEmpty { for route in routes { clientPolicies.note(route, gateways) } }
        guard !policies.policies.isEmpty else { return }
        for route in routes { _ = policyUses.add(route, gateways, policies) }
        policyUses.tell(&policies, gateways)
    }

    /// Adds every listener that is to be served.
    private func build() {
        var builder = self.builder
        var listeners: [ListenerConfiguration] = []
        for (gateway, state) in gateways.enumerated() {
            for (index, listener) in state.listeners.enumerated() where listener.isServed {
                guard
                    let built = builder.listener(
                        listener, of: state, selections[gateway][index], clientPolicies[gateway, index])
                else { continue }
                listeners.append(built)
                result.statuses.bindings[built.id] = built.bindings
            }
        }
        result.configuration.listeners = listeners.sorted { $0.id < $1.id }
        let backends = builder.backends
        // Keys alone are sorted: moving whole backends about is what costs.
        result.configuration.backends = backends.keys.sorted().compactMap { backends[$0] }
    }

    private func report() {
        for (gateway, selections) in zip(gateways, selections) {
            reportGateway(gateway, selections, clientPolicies, into: &result.statuses)
        }
        if options.standalone { reportStrayListenerSets(snapshot, into: &result.statuses) }
        let reporter = self.reporter
        for route in routes {
            guard let status = reporter.status(route) else { continue }
            switch route.kind {
            case .tcp: result.statuses.tcpRoutes[route.key] = status
            case .tls: result.statuses.tlsRoutes[route.key] = status
            }
        }
        reportPolicies(policies.policies, options, into: &result.statuses)
        reportClientPolicies(clientPolicies.index.policies, options, into: &result.statuses)
        reportBackends(snapshot.backends, catalog, into: &result.statuses)
    }
}

/// Gateways of ours whose listeners know whether they will be served.
private func settledGateways(
    _ context: SelectionContext, _ parameters: inout ParametersIndex
) -> (gateways: [GatewayState], ports: [ObjectKey: [UInt16: UInt16]]) {
    var gateways = selectGateways(context, &parameters)
    for index in gateways.indices { markConflicts(&gateways[index]) }
    claimPorts(&gateways)
    let ports = context.ledger.map { allocatePorts(&gateways, $0) } ?? [:]
    for index in gateways.indices {
        markOverlaps(&gateways[index])
        gateways[index].settle()
    }
    return (gateways, ports)
}

/// Adds what has to stand in the installation's namespace, and where it makes the gateways reachable.
private func addInfrastructure(
    to result: inout TranslationResult, _ gateways: [GatewayState], _ ports: [ObjectKey: [UInt16: UInt16]],
    _ context: SelectionContext
) {
    guard let ledger = context.ledger else { return }
    result.infrastructure = desiredInfrastructure(gateways, ports, ledger, context.options)
    for gateway in gateways where gateway.rejection == nil {
        guard case .service(let exposure) = gateway.exposure else { continue }
        let (reach, until) = reach(of: gateway, exposure, context.snapshot)
        result.statuses.reaches[gateway.key] = reach
        if let until { result.reconsiderAt = min(result.reconsiderAt ?? until, until) }
    }
}
