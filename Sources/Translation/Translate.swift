internal import EngineModel
public import KubernetesAPI

/// Works out what a snapshot means: the engine's configuration, and the status of every object of ours. Pure: the same
/// snapshot gives the same result, whatever order its objects came in.
public func translate(_ snapshot: ClusterSnapshot, options: TranslationOptions) -> TranslationResult {
    let grants = GrantIndex(snapshot.referenceGrants)
    let classes = ClassSelection(snapshot, options)
    var gateways = settledGateways(snapshot, options, classes: classes, grants: grants)

    var attacher = RouteAttacher(snapshot, gateways, collectRoutes(snapshot), standalone: options.standalone)
    attacher.attachAll()
    gateways = attacher.gateways
    var routes = attacher.routes

    let slices = SliceIndex(snapshot.endpointSlices)
    let catalog = BackendCatalog(snapshot.backends)
    let resolver = BackendResolver(snapshot, grants: grants, slices: slices, backends: catalog)
    for index in routes.indices where !routes[index].parents.isEmpty {
        routes[index].rule = resolver.resolve(routes[index])
    }

    var policies = PolicyIndex(snapshot)
    noteUses(of: &policies, gateways, routes)

    var builder = ConfigurationBuilder(slices: slices, catalog: catalog, policies: policies)
    for gateway in gateways.indices {
        for listener in gateways[gateway].listeners.indices {
            let selection = RouteSelection(gateways[gateway].listeners[listener], routes)
            gateways[gateway].listeners[listener].losses = selection.losses
            let state = gateways[gateway].listeners[listener]
            guard state.isServed else { continue }
            builder.add(state, of: gateways[gateway], selection, routes)
        }
    }

    var statuses = StatusReport()
    statuses.bindings = builder.bindings
    statuses.gatewayClasses = classes.statuses
    reportGateways(gateways, into: &statuses)
    if options.standalone { reportStrayListenerSets(snapshot, into: &statuses) }
    reportRoutes(routes, gateways, options, into: &statuses)
    reportPolicies(policies.policies, options, into: &statuses)
    reportBackends(snapshot.backends, catalog, into: &statuses)
    return TranslationResult(
        configuration: builder.configuration, statuses: statuses,
        notices: collectNotices(snapshot, options, classes, policies.policies))
}

/// Gateways of ours whose listeners know whether they will be served.
private func settledGateways(
    _ snapshot: ClusterSnapshot, _ options: TranslationOptions, classes: ClassSelection, grants: GrantIndex
) -> [GatewayState] {
    var gateways = selectGateways(snapshot, options, classes: classes, grants: grants)
    for index in gateways.indices { markConflicts(&gateways[index]) }
    claimPorts(&gateways)
    for index in gateways.indices {
        markOverlaps(&gateways[index])
        gateways[index].settle()
    }
    return gateways
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
