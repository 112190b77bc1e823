internal import EngineModel
internal import KubernetesAPI

/// Writes the status of every gateway; `Programmed` stays Unknown where the engine decides it.
func reportGateways(_ gateways: [GatewayState], into report: inout StatusReport) {
    for gateway in gateways {
        report.gateways[gateway.key] = GatewayStatus(
            conditions: [
                accepted(gateway), resolvedRefs(gateway), programmed(gateway),
            ],
            listeners: uniqueByName(gateway.listeners).map { status($0, of: gateway) })
    }
}

/// The first of each name: the status is keyed by it.
private func uniqueByName(_ listeners: [ListenerState]) -> [ListenerState] {
    var seen: Set<String> = []
    return listeners.filter { seen.insert($0.spec.name).inserted }
}

private func accepted(_ gateway: GatewayState) -> Condition {
    if let rejection = gateway.rejection {
        return Condition(.accepted, rejection, otherwise: .accepted, generation: gateway.generation)
    }
    let invalid = gateway.listeners.filter { $0.acceptance != nil }
    guard !invalid.isEmpty else {
        return Condition(.accepted, .true, .accepted, observedGeneration: gateway.generation)
    }
    let valid = gateway.listeners.filter { $0.acceptance == nil }
    let refused = "not accepted: " + invalid.map(\.spec.name).joined(separator: ", ")
    let message = valid.isEmpty ? refused : refused + "; accepted: " + valid.map(\.spec.name).joined(separator: ", ")
    return Condition(
        .accepted, valid.isEmpty ? .false : .true, .listenersNotValid, "listeners " + message,
        observedGeneration: gateway.generation)
}

private func resolvedRefs(_ gateway: GatewayState) -> Condition {
    var verdict: Verdict?
    let unresolved = gateway.listeners.filter { !$0.unresolved.isEmpty }
    if gateway.gateway.spec.tls?.backend?.clientCertificateRef != nil {
        verdict = Verdict(
            .invalidClientCertificateRef,
            "tls.backend.clientCertificateRef is not supported by this version: backends see no client certificate")
    } else if !unresolved.isEmpty {
        verdict = Verdict(
            .listenersNotResolved, "see listeners " + unresolved.map(\.spec.name).joined(separator: ", "))
    }
    return Condition(.resolvedRefs, verdict, otherwise: .resolvedRefs, generation: gateway.generation)
}

private func programmed(_ gateway: GatewayState) -> Condition {
    if let rejection = gateway.rejection {
        return Condition(.programmed, .false, .invalid, rejection.message, observedGeneration: gateway.generation)
    }
    guard gateway.listeners.contains(where: \.isServed) else {
        return Condition(
            .programmed, .false, .invalid, "no listener can be served", observedGeneration: gateway.generation)
    }
    return .pendingProgrammed(gateway.generation)
}

private func status(_ listener: ListenerState, of gateway: GatewayState) -> ListenerStatus {
    let generation = gateway.generation
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
    } else if let obstacle = listener.obstacle {
        conditions.append(
            Condition(.programmed, .false, obstacle.reason, obstacle.message, observedGeneration: generation))
    } else {
        conditions.append(.pendingProgrammed(generation))
    }
    return ListenerStatus(
        name: listener.spec.name,
        supportedKinds: listener.kinds.map { Gateway.RouteGroupKind(group: gatewayAPIGroup, kind: $0.rawValue) },
        attachedRoutes: listener.attachments.count, conditions: conditions)
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
    static func pendingProgrammed(_ generation: Int64?) -> Condition {
        Condition(.programmed, .unknown, .pending, "waiting for the data plane", observedGeneration: generation)
    }
}
