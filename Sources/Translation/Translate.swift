internal import EngineModel
public import KubernetesAPI

/// Works out what a snapshot means: the engine's configuration, and the status of every object of ours. Pure: the same
/// snapshot gives the same result, whatever order its objects came in.
public func translate(_ snapshot: ClusterSnapshot, options: TranslationOptions) -> TranslationResult {
    translate(snapshot, options, SliceIndex(snapshot.endpointSlices))
}

/// The same, with the snapshot's EndpointSlices in order.
func translate(_ snapshot: ClusterSnapshot, _ options: TranslationOptions, _ slices: SliceIndex) -> TranslationResult {
    let grants = GrantIndex(snapshot.referenceGrants)
    var parameters = ParametersIndex(snapshot)
    let context = SelectionContext(
        snapshot: snapshot, options: options, classes: ClassSelection(snapshot, options, &parameters), grants: grants,
        ledger: ServiceLedger(snapshot, options))
    var (gateways, ports) = settledGateways(context, &parameters)

    var attacher = RouteAttacher(snapshot, gateways, collectRoutes(snapshot), standalone: options.standalone)
    attacher.attachAll()
    gateways = attacher.gateways
    let routes = attacher.routes

    let catalog = BackendCatalog(snapshot.backends, snapshot.services)
    let resolver = BackendResolver(snapshot, grants: grants, slices: slices, backends: catalog)
    for index in routes.indices where !routes[index].parents.isEmpty {
        routes[index].rule = resolver.resolve(routes[index])
    }

    var policies = PolicyIndex(snapshot)
    noteUses(of: &policies, gateways, routes)

    var builder = ConfigurationBuilder(slices: slices, catalog: catalog, policies: policies, options)
    build(&builder, &gateways, routes)

    var statuses = StatusReport()
    statuses.bindings = builder.bindings
    statuses.gatewayClasses = context.classes.statuses
    reportGateways(gateways, into: &statuses)
    if options.standalone { reportStrayListenerSets(snapshot, into: &statuses) }
    reportRoutes(routes, gateways, catalog, options, into: &statuses)
    reportPolicies(policies.policies, options, into: &statuses)
    reportBackends(snapshot.backends, catalog, into: &statuses)
    reportParameters(snapshot.gatewayParameters, parameters, options, into: &statuses)
    var result = TranslationResult(
        configuration: builder.configuration, statuses: statuses,
        notices: collectNotices(snapshot, options, context.classes, slices, policies.policies, parameters))
    addInfrastructure(to: &result, gateways, ports, context)
    return result
}

/// Adds every listener that is to be served, and notes what routes lose to others.
private func build(_ builder: inout ConfigurationBuilder, _ gateways: inout [GatewayState], _ routes: [RouteState]) {
    for gateway in gateways.indices {
        for listener in gateways[gateway].listeners.indices {
            let selection = RouteSelection(gateways[gateway].listeners[listener], routes)
            gateways[gateway].listeners[listener].losses = selection.losses
            let state = gateways[gateway].listeners[listener]
            guard state.isServed else { continue }
            builder.add(state, of: gateways[gateway], selection, routes)
        }
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

/// Tells policies which gateways' traffic they affect: that of listeners which do not pass TLS through.
private func noteUses(of policies: inout PolicyIndex, _ gateways: [GatewayState], _ routes: [RouteState]) {
    guard !policies.policies.isEmpty else { return }
    for gateway in gateways {
        var seen: Set<BackendTarget> = []
        for listener in gateway.listeners where listener.traffic == .tcp || listener.traffic == .terminate {
            for attachment in listener.attachments {
                for target in routes[attachment.route].rule?.targets ?? [] {
                    guard let backend = target.backend, seen.insert(backend).inserted else { continue }
                    policies.use(backend, by: gateway.key)
                }
            }
        }
    }
}
