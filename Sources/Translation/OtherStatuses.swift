internal import KubernetesAPI

/// Writes the status of every policy that affects a gateway of ours; at most 16 of them fit.
func reportPolicies(_ policies: [PolicyState], _ options: TranslationOptions, into report: inout StatusReport) {
    for policy in policies where !policy.ancestors.isEmpty {
        let generation = policy.policy.metadata.generation
        let conditions = [
            Condition(.accepted, policy.acceptance, otherwise: .accepted, generation: generation),
            Condition(
                .resolvedRefs, policy.unresolved.merged, otherwise: .resolvedRefs,
                (policy.remarks + policy.unnamed).joined(separator: "; "), generation: generation),
        ]
        report.backendTLSPolicies[policy.key] = PolicyStatus(
            ancestors: policy.ancestors.sorted().prefix(PolicyState.mostAncestors).map { gateway in
                PolicyAncestorStatus(
                    ancestorRef: ParentReference(
                        group: gatewayAPIGroup, kind: "Gateway", namespace: gateway.namespace, name: gateway.name),
                    controllerName: options.controllerName, conditions: conditions)
            })
    }
}

/// Writes the status of every Backend.
func reportBackends(
    _ backends: [ObjectKey: Backend], _ catalog: BackendCatalog, _ policies: TargetConditions,
    into report: inout StatusReport
) {
    for (key, backend) in backends {
        var verdict: Verdict?
        if case .failure(let problem)? = catalog[key] { verdict = Verdict(.invalid, problem.message) }
        let generation = backend.metadata.generation
        report.backends[key] = BackendStatus(
            conditions: [Condition(.accepted, verdict, otherwise: .accepted, generation: generation)]
                + policies.affected(.backend(key), generation: generation))
    }
}

extension PolicyState {
    /// What fits into a PolicyStatus.
    fileprivate static let mostAncestors = 16

    /// The policy holds for all gateways; that some are not named has to be said.
    fileprivate var unnamed: [String] {
        let rest = ancestors.count - PolicyState.mostAncestors
        guard rest > 0 else { return [] }
        return ["holds for \(rest) further Gateways, for which the status has no room"]
    }

    /// Why the policy is not accepted.
    fileprivate var acceptance: Verdict? {
        if let conflict = conflicts.first {
            return Verdict(.conflicted, ([conflict] + conflicts.dropFirst()).joined(separator: "; "))
        }
        return rejection
    }
}

/// What no condition has a place for.
func collectNotices(
    _ snapshot: ClusterSnapshot, _ options: TranslationOptions, _ classes: ClassSelection, _ slices: SliceIndex,
    _ policies: [PolicyState], _ parameters: ParametersIndex, _ idle: [Notice]
) -> [Notice] {
    var notices = idle + idlePolicies(policies)
    for key in slices.strays {
        notices.append(
            Notice(
                kind: "EndpointSlice", key: key,
                message: "has no effect: no label \(EndpointSlice.serviceNameLabel) names its Service"))
    }
    if options.standalone { notices += ignoredObjects(snapshot, classes) + unusedParameters(snapshot, parameters) }
    return notices.sorted()
}

/// Policies that affect nobody's traffic.
func idlePolicies(_ policies: [PolicyState]) -> [Notice] {
    policies.filter(\.ancestors.isEmpty).map { policy in
        Notice(
            kind: BackendTLSPolicy.resourceKind.kind, key: policy.key,
            message: "has no effect: no route sends traffic to its targets in the clear or after termination")
    }
}

/// In a folder, a route that nobody serves; nil where it names a parent.
func idleRoute<Route: KubernetesResource>(_ route: Route, _ key: ObjectKey, _ parents: [ParentReference]?) -> Notice? {
    guard (parents ?? []).isEmpty else { return nil }
    return Notice(kind: Route.resourceKind.kind, key: key, message: "has no effect: no parentRefs")
}

/// In a folder nobody else serves what we ignore.
private func ignoredObjects(_ snapshot: ClusterSnapshot, _ classes: ClassSelection) -> [Notice] {
    var notices: [Notice] = []
    for (key, gateway) in snapshot.gateways where !classes.contains(gateway.spec.gatewayClassName) {
        notices.append(
            Notice(
                kind: "Gateway", key: key, message: "ignored: GatewayClass \(gateway.spec.gatewayClassName) is not ours"
            ))
    }
    for (key, set) in snapshot.listenerSets {
        guard let parent = set.gateway(from: key.namespace), let gateway = snapshot.gateways[parent],
            !classes.contains(gateway.spec.gatewayClassName)
        else { continue }
        notices.append(Notice(kind: "ListenerSet", key: key, message: "ignored: Gateway \(parent) is not ours"))
    }
    notices += snapshot.tcpRoutes.compactMap { idleRoute($0.value, $0.key, $0.value.spec.parentRefs) }
    notices += snapshot.tlsRoutes.compactMap { idleRoute($0.value, $0.key, $0.value.spec.parentRefs) }
    return notices
}

/// Writes the status of GatewayParameters that something of ours refers to; in a folder, of all.
func reportParameters(
    _ all: [ObjectKey: GatewayParameters], _ index: ParametersIndex, _ options: TranslationOptions,
    into report: inout StatusReport
) {
    for (key, parameters) in all where options.standalone || index.used.contains(key) {
        let generation = parameters.metadata.generation
        let problem = index.problem(key).map { Verdict(.invalid, $0) }
        report.gatewayParameters[key] = GatewayParametersStatus(
            conditions: [Condition(.accepted, problem, otherwise: .accepted, generation: generation)])
    }
}

/// In a folder nobody else uses what nothing of ours refers to.
private func unusedParameters(_ snapshot: ClusterSnapshot, _ index: ParametersIndex) -> [Notice] {
    Set(snapshot.gatewayParameters.keys).subtracting(index.used).sorted().map {
        Notice(
            kind: GatewayParameters.resourceKind.kind, key: $0,
            message: "has no effect: neither a GatewayClass nor a Gateway that is served refers to it")
    }
}
