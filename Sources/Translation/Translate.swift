internal import EngineModel
public import KubernetesAPI

/// Works out what a snapshot means: the engine's configuration, and the status of every object of ours. Pure: the same
/// snapshot gives the same result, whatever order its objects came in.
/// `memory`: what earlier translations leave behind (``Translator/memory``).
public func translate(
    _ snapshot: ClusterSnapshot, options: TranslationOptions, memory: PolicyMemory = PolicyMemory()
) -> TranslationResult {
    Workings(snapshot, options, SliceIndex(snapshot.endpointSlices, standalone: options.standalone), memory).result
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
    /// As ``clientPolicies``, while ``backendUses`` are the same.
    var backendPolicies: BackendPolicyResolution
    var backendUses = Tally<BackendUse>()
    var policies: PolicyIndex
    var policyUses = PolicyUses()
    var result: TranslationResult
    /// In order of precedence; empty once ``book`` has them.
    var routes: [RouteState]
    /// Whether the last change made something of policies that is not told here: all of this is to be made anew.
    var isStale = false
    /// Made when something changes.
    var book: RouteBook?

    init(
        _ snapshot: ClusterSnapshot, _ options: TranslationOptions, _ slices: SliceIndex, _ memory: PolicyMemory
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
        backendPolicies = BackendPolicyResolution(snapshot, gateways, memory, options)
        result = TranslationResult(configuration: EngineConfiguration(), statuses: StatusReport())
        place(routes)
        build()
        result.statuses.gatewayClasses = context.classes.statuses
        report()
        reportParameters(snapshot.gatewayParameters, parameters, options, into: &result.statuses)
        result.notices = collectNotices(
            snapshot, options, context.classes, slices, policies.policies, parameters,
            idlePolicies(result.statuses.clientPolicies, clientPolicies.index.policies)
                + idlePolicies(result.statuses.backendPolicies, backendPolicies.index.policies))
        addInfrastructure(to: &result, gateways, ports, context)
        result.certificates = certificateUses(gateways, clientPolicies, snapshot, grants)
    }

    var resolver: BackendResolver {
        BackendResolver(snapshot, grants: grants, slices: slices, backends: catalog)
    }
    var builder: ConfigurationBuilder {
        ConfigurationBuilder(
            slices: slices, catalog: catalog, policies: policies, clientPolicies: clientPolicies,
            backendPolicies: backendPolicies, services: snapshot.services, options)
    }
    var targetConditions: TargetConditions {
        TargetConditions(clients: clientPolicies.index, backends: backendPolicies.index)
    }
    var reporter: RouteReporter {
        RouteReporter(
            gateways: gateways, selections: selections, catalog: catalog, policies: targetConditions, options: options)
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
        if !backendPolicies.isEmpty {
            for route in routes { countBackendUses(route) }
            backendPolicies.settle(
                .init(uses: Set(backendUses.elements), catalog: catalog, slices: slices, authorities: policies))
        }
        guard !policies.policies.isEmpty else { return }
        for route in routes { _ = policyUses.add(route, gateways, policies) }
        policyUses.tell(&policies, gateways)
    }

    /// To be taken back by its ``RouteState/uses``: what they are made of may have changed by then.
    func countBackendUses(_ route: RouteState) {
        route.uses = backendPolicies.uses(of: route, catalog, policies)
        for use in route.uses { backendUses.add(use) }
    }

    func listenerPolicies(_ gateway: Int, _ listener: Int) -> ConfigurationBuilder.ListenerPolicies {
        .init(client: clientPolicies[gateway, listener], backend: backendPolicies.holders(gateway, listener))
    }

    /// Adds every listener that is to be served.
    private func build() {
        var builder = self.builder
        var listeners: [ListenerConfiguration] = []
        for (gateway, state) in gateways.enumerated() {
            for (index, listener) in state.listeners.enumerated() where listener.isServed {
                guard
                    let built = builder.listener(
                        listener, of: state, selections[gateway][index], listenerPolicies(gateway, index))
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
        let conditions = targetConditions
        for (gateway, selections) in zip(gateways, selections) {
            reportGateway(gateway, selections, conditions, into: &result.statuses)
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
        result.statuses.clientPolicies = Translation.statuses(clientPolicies.index.policies, options)
        result.statuses.backendPolicies = Translation.statuses(backendPolicies.index.policies, options)
        reportBackends(snapshot.backends, catalog, conditions, into: &result.statuses)
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
