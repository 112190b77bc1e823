internal import KubernetesAPI

/// What is said of routes that have a parent of ours.
struct RouteReporter {
    let gateways: [GatewayState]
    /// By gateway and listener.
    let selections: [[RouteSelection]]
    let catalog: BackendCatalog
    let policies: TargetConditions
    let options: TranslationOptions

    /// Nil where the route has no parent of ours.
    func status(_ route: RouteState) -> RouteStatus? {
        guard !route.parents.isEmpty else { return nil }
        let resolved = resolvedRefs(route, refused: [])
        return RouteStatus(
            parents: route.parents.map { parent in
                let refused = parent.gateway.map { refusals(route, by: gateways[$0], catalog) } ?? []
                let resolved = refused.isEmpty ? resolved : resolvedRefs(route, refused: refused)
                return RouteParentStatus(
                    parentRef: parent.reference, controllerName: options.controllerName,
                    conditions: conditions(route, parent, resolved))
            })
    }

    private func conditions(_ route: RouteState, _ parent: ParentState, _ resolved: Condition) -> [Condition] {
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
        let losses = parent.listeners.compactMap { listener in
            selections[gateway][listener].loss(
                of: route, route.names(gateway, listener), listener: gateways[gateway].listeners[listener].spec.name)
        }
        if !losses.isEmpty {
            conditions.append(
                Condition(
                    .superseded, .true, losses.contains(where: \.toOlder) ? .olderRouteServes : .narrowerRouteServes,
                    losses.map(\.message).joined(separator: "; "),
                    observedGeneration: route.generation))
        }
        return conditions
            + policies.affected(.route(route.ref), at: gateways[gateway].key, generation: route.generation)
    }
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
