internal import EngineModel
internal import KubernetesAPI

/// Writes the status of a gateway and its ListenerSets; `Programmed` stays Unknown where the engine decides it. `routes`: what
/// is attached to each listener.
func reportGateway(
    _ gateway: GatewayState, _ routes: [RouteSelection], _ policies: TargetConditions,
    into report: inout StatusReport
) {
    report.gateways[gateway.key] = GatewayStatus(
        conditions: [accepted(gateway), resolvedRefs(gateway), programmed(gateway)] + insecureFallback(gateway)
            + policies.affected(.gateway(gateway.key), generation: gateway.generation),
        listeners: listenerStatuses(
            gateway.ownListeners, of: gateway, routes, policies, generation: gateway.generation),
        attachedListenerSets: attachedSets(gateway))
    reportListenerSets(of: gateway, routes, policies, into: &report)
}

/// The status of listeners of one object. Of several with one name, which keys the status, the first.
func listenerStatuses(
    _ listeners: ArraySlice<ListenerState>, of gateway: GatewayState, _ routes: [RouteSelection],
    _ policies: TargetConditions, generation: Int64?
) -> [ListenerStatus] {
    var seen: Set<String> = []
    return listeners.indices.filter { seen.insert(listeners[$0].spec.name).inserted }.map { index in
        var status = status(
            listeners[index], of: gateway, attachedRoutes: routes[index].attachedRoutes, generation: generation)
        if let point = listeners[index].attachmentPoints.last {
            status.conditions += policies.affected(point, generation: generation)
        }
        return status
    }
}

private func accepted(_ gateway: GatewayState) -> Condition {
    if let rejection = gateway.rejection {
        return Condition(.accepted, rejection, otherwise: .accepted, generation: gateway.generation)
    }
    let listeners = gateway.ownListeners
    let invalid = listeners.filter { $0.acceptance != nil }
    guard !invalid.isEmpty else {
        return Condition(.accepted, .true, .accepted, observedGeneration: gateway.generation)
    }
    let valid = listeners.filter { $0.acceptance == nil }
    let refused = "not accepted: " + invalid.map(\.spec.name).joined(separator: ", ")
    let message = valid.isEmpty ? refused : refused + "; accepted: " + valid.map(\.spec.name).joined(separator: ", ")
    // With listeners of ListenerSets there still is something to be served.
    let isServing = !valid.isEmpty || gateway.sets.contains { $0.isAccepted(by: gateway) }
    return Condition(
        .accepted, isServing ? .true : .false, .listenersNotValid, "listeners " + message,
        observedGeneration: gateway.generation)
}

private func resolvedRefs(_ gateway: GatewayState) -> Condition {
    let unresolved = gateway.ownListeners.filter { !$0.unresolved.isEmpty }
    let ofListeners =
        unresolved.isEmpty
        ? nil
        : Verdict(.listenersNotResolved, "see listeners " + unresolved.map(\.spec.name).joined(separator: ", "))
    return Condition(
        .resolvedRefs, gateway.unresolved.merged ?? ofListeners, otherwise: .resolvedRefs,
        gateway.remarks.joined(separator: "; "), generation: gateway.generation)
}

/// Present only where it is true, as Gateway API demands.
private func insecureFallback(_ gateway: GatewayState) -> [Condition] {
    guard gateway.allowsInsecureFallback else { return [] }
    return [
        Condition(
            .insecureFrontendValidationMode, .true, .configurationChanged,
            "tls.frontend with AllowInsecureFallback: clients are let in without a certificate that verifies",
            observedGeneration: gateway.generation)
    ]
}

/// How many ListenerSets are accepted; nil where the gateway has nothing to do with any.
private func attachedSets(_ gateway: GatewayState) -> Int? {
    guard gateway.gateway.spec.allowedListeners != nil || !gateway.sets.isEmpty else { return nil }
    return gateway.sets.count { $0.isAccepted(by: gateway) }
}

private func programmed(_ gateway: GatewayState) -> Condition {
    if let rejection = gateway.rejection {
        return Condition(.programmed, .false, .invalid, rejection.message, observedGeneration: gateway.generation)
    }
    if let unusable = gateway.unusable {
        return Condition(.programmed, unusable, otherwise: .programmed, generation: gateway.generation)
    }
    guard gateway.listeners.contains(where: \.isServed) else {
        return Condition(
            .programmed, .false, .invalid, "no listener can be served", observedGeneration: gateway.generation)
    }
    return .pendingProgrammed(gateway.generation, gateway.waiting(for: gateway.listeners.filter(\.isServed)))
}

extension GatewayState {
    /// What has to be there before the engine can be told of a listener; nil: nothing.
    func waiting(for listener: ListenerState) -> String? {
        guard case .service(let service) = exposure, let port = UInt16(exactly: listener.spec.port),
            service.bound[port] == nil
        else { return nil }
        return service.waiting
    }

    /// What has to be there before the engine can be told of any of them; nil: nothing.
    func waiting(for listeners: [ListenerState]) -> String? {
        let waiting = listeners.map { self.waiting(for: $0) }
        return waiting.contains(nil) ? nil : waiting.first ?? nil
    }
}

private func status(
    _ listener: ListenerState, of gateway: GatewayState, attachedRoutes: Int, generation: Int64?
) -> ListenerStatus {
    var conditions = [
        Condition(.accepted, listener.acceptance, otherwise: .accepted, generation: generation),
        Condition(
            .resolvedRefs, listener.unresolved.merged, otherwise: .resolvedRefs,
            listener.remarks.joined(separator: "; "), generation: generation),
    ]
    if let conflict = listener.conflict {
        conditions.append(
            Condition(.conflicted, .true, conflict.reason, conflict.message, observedGeneration: generation))
    } else {
        conditions.append(Condition(.conflicted, .false, .noConflicts, observedGeneration: generation))
    }
    if let overlap = listener.overlap {
        conditions.append(
            Condition(.overlappingTLSConfig, .true, overlap.reason, overlap.message, observedGeneration: generation))
    }
    if gateway.rejection != nil {
        conditions.append(
            Condition(.programmed, .false, .invalid, "the Gateway is not accepted", observedGeneration: generation))
    } else if gateway.unusable != nil {
        conditions.append(
            Condition(
                .programmed, .false, .invalid, "the Gateway's addresses cannot be used", observedGeneration: generation)
        )
    } else if let obstacle = listener.obstacle {
        conditions.append(
            Condition(.programmed, .false, obstacle.reason, obstacle.message, observedGeneration: generation))
    } else {
        conditions.append(.pendingProgrammed(generation, gateway.waiting(for: listener)))
    }
    return ListenerStatus(
        name: listener.spec.name,
        supportedKinds: listener.kinds.map { Gateway.RouteGroupKind(group: gatewayAPIGroup, kind: $0.rawValue) },
        attachedRoutes: attachedRoutes, conditions: conditions)
}

extension ListenerState {
    /// Why the listener is not accepted.
    var acceptance: Verdict? {
        // A conflict is named first: it is what has to be changed before anything else shows.
        if let conflict, rejections.isEmpty { return conflict }
        return rejections.merged
    }
}

extension Condition {
    /// Open until the engine has answered.
    static func pendingProgrammed(_ generation: Int64?, _ waiting: String? = nil) -> Condition {
        Condition(
            .programmed, .unknown, .pending, waiting ?? "waiting for the data plane", observedGeneration: generation)
    }
}
