internal import KubernetesAPI

extension ListenerSetState {
    /// The set's listeners that can be served, as far as they and the set are concerned.
    fileprivate func valid(in gateway: GatewayState) -> [ListenerState] {
        gateway.listeners[listeners].filter { $0.obstacle == nil }
    }

    /// Whether the gateway serves at least one of its listeners.
    func isAccepted(by gateway: GatewayState) -> Bool {
        rejection == nil && gateway.rejection == nil && !valid(in: gateway).isEmpty
    }
}

/// Writes the status of every ListenerSet that names a gateway of ours; `Programmed` stays Unknown where the engine
/// decides it.
func reportListenerSets(
    of gateway: GatewayState, _ routes: [RouteSelection], _ policies: TargetConditions,
    into report: inout StatusReport
) {
    for set in gateway.sets {
        report.listenerSets[set.key] = ListenerSetStatus(
            conditions: [accepted(set, gateway), programmed(set, gateway)]
                + policies.affected(.listenerSet(set.key), generation: set.generation),
            listeners: listenerStatuses(
                gateway.listeners[set.listeners], of: gateway, routes, policies, generation: set.generation))
        report.listenerSetParents[set.key] = gateway.key
    }
}

private func accepted(_ set: ListenerSetState, _ gateway: GatewayState) -> Condition {
    if let rejection = set.rejection {
        return Condition(.accepted, rejection, otherwise: .accepted, generation: set.generation)
    }
    if gateway.rejection != nil {
        return Condition(
            .accepted, .false, .parentNotAccepted, "Gateway \(gateway.key) is not accepted",
            observedGeneration: set.generation)
    }
    let invalid = gateway.listeners[set.listeners].filter { $0.obstacle != nil }
    guard !invalid.isEmpty else {
        return Condition(.accepted, .true, .accepted, observedGeneration: set.generation)
    }
    let valid = set.valid(in: gateway)
    let refused = "listeners not valid: " + invalid.map(\.spec.name).joined(separator: ", ")
    let message = valid.isEmpty ? refused : refused + "; valid: " + valid.map(\.spec.name).joined(separator: ", ")
    return Condition(
        .accepted, valid.isEmpty ? .false : .true, .listenersNotValid, message, observedGeneration: set.generation)
}

private func programmed(_ set: ListenerSetState, _ gateway: GatewayState) -> Condition {
    if let rejection = set.rejection {
        return Condition(.programmed, rejection, otherwise: .programmed, generation: set.generation)
    }
    if gateway.rejection != nil {
        return Condition(
            .programmed, .false, .parentNotProgrammed, "Gateway \(gateway.key) is not accepted",
            observedGeneration: set.generation)
    }
    if gateway.unusable != nil {
        return Condition(
            .programmed, .false, .parentNotProgrammed, "the addresses of Gateway \(gateway.key) cannot be used",
            observedGeneration: set.generation)
    }
    if set.valid(in: gateway).isEmpty {
        return Condition(
            .programmed, .false, .listenersNotValid, "no listener can be served", observedGeneration: set.generation)
    }
    return .pendingProgrammed(set.generation, gateway.waiting(for: set.valid(in: gateway)))
}

/// In a folder nobody else answers a set whose gateway does not exist.
func reportStrayListenerSets(_ snapshot: ClusterSnapshot, into report: inout StatusReport) {
    for (key, set) in snapshot.listenerSets {
        let verdict: Verdict
        if let parent = set.gateway(from: key.namespace) {
            guard snapshot.gateways[parent] == nil else { continue }
            verdict = Verdict(.parentNotAccepted, "Gateway \(parent) does not exist")
        } else {
            let parent = set.spec.parentRef
            let group = parent.effectiveGroup.isEmpty ? "" : ".\(parent.effectiveGroup)"
            verdict = Verdict(.invalid, "spec.parentRef: \(parent.effectiveKind)\(group) is no Gateway")
        }
        let generation = set.metadata.generation
        report.listenerSets[key] = ListenerSetStatus(conditions: [
            Condition(.accepted, verdict, otherwise: .accepted, generation: generation),
            Condition(
                .programmed, Verdict(.parentNotProgrammed, verdict.message), otherwise: .programmed,
                generation: generation),
        ])
    }
}
