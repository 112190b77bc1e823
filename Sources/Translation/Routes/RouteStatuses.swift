internal import KubernetesAPI

/// Writes the status of every route that has a parent of ours.
func reportRoutes(
    _ routes: [RouteState], _ gateways: [GatewayState], _ catalog: BackendCatalog, _ options: TranslationOptions,
    into report: inout StatusReport
) {
    for (index, route) in routes.enumerated() where !route.parents.isEmpty {
        let resolved = resolvedRefs(route, refused: [])
        let parents = route.parents.map { parent -> RouteParentStatus in
            let refused = parent.gateway.map { refusals(route, by: gateways[$0], catalog) } ?? []
            let resolved = refused.isEmpty ? resolved : resolvedRefs(route, refused: refused)
            return RouteParentStatus(
                parentRef: parent.reference, controllerName: options.controllerName,
                conditions: conditions(index, route, parent, gateways, resolved))
        }
        switch route.kind {
        case .tcp: report.tcpRoutes[route.key] = RouteStatus(parents: parents)
        case .tls: report.tlsRoutes[route.key] = RouteStatus(parents: parents)
        }
    }
}

private func conditions(
    _ index: Int, _ route: RouteState, _ parent: ParentState, _ gateways: [GatewayState], _ resolved: Condition
) -> [Condition] {
    var conditions = [accepted(route, parent, gateways), resolved]
    guard parent.rejection == nil, let gateway = parent.gateway else { return conditions }
    if route.rules.count > 1 {
        let dropped = (1..<route.rules.count).map { "rules[\($0)]" }.joined(separator: ", ")
        conditions.append(
            Condition(
                .partiallyInvalid, .true, .unsupportedValue,
                "Dropped Rule: only the first rule is used, not \(dropped)",
                observedGeneration: route.generation))
    }
    let losses = parent.listeners.compactMap { gateways[gateway].listeners[$0].losses[index] }
    if !losses.isEmpty {
        conditions.append(
            Condition(
                .superseded, .true, losses.contains(where: \.toOlder) ? .olderRouteServes : .narrowerRouteServes,
                losses.map(\.message).joined(separator: "; "),
                observedGeneration: route.generation))
    }
    return conditions
}

private func accepted(_ route: RouteState, _ parent: ParentState, _ gateways: [GatewayState]) -> Condition {
    guard parent.rejection == nil, let index = parent.gateway else {
        return Condition(.accepted, parent.rejection, otherwise: .accepted, generation: route.generation)
    }
    let unserved = parent.listeners.filter { !gateways[index].listeners[$0].isServed }
        .map { gateways[index].listeners[$0].spec.name }
    let ignored =
        route.invalidHostnames.isEmpty ? [] : ["no DNS name: " + route.invalidHostnames.joined(separator: ", ")]
    let idle = unserved.isEmpty ? [] : ["not served for now: listener " + unserved.joined(separator: ", ")]
    return Condition(
        .accepted, .true, .accepted, (ignored + idle).joined(separator: "; "), observedGeneration: route.generation)
}

/// Backends that the gateway's guard refuses, whatever they are to others.
private func refusals(_ route: RouteState, by gateway: GatewayState, _ catalog: BackendCatalog) -> [Verdict] {
    (route.rule?.guarded ?? []).compactMap { gateway.parameters.backendGuard.refusal(of: $0, catalog) }
}

private func resolvedRefs(_ route: RouteState, refused: [Verdict]) -> Condition {
    let rule = route.rule ?? ResolvedRule()
    var seen: Set<String> = []
    let remarks = rule.remarks.filter { seen.insert($0).inserted }
    return Condition(
        .resolvedRefs, (rule.problems + refused).merged, otherwise: .resolvedRefs, remarks.joined(separator: "; "),
        generation: route.generation)
}
