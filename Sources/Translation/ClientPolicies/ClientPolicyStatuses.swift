internal import KubernetesAPI

/// What fits into a PolicyStatus.
private let mostAncestors = 16

/// Writes the status of every ClientPolicy that is attached to something of ours, and of those whose targets do not exist.
func reportClientPolicies(
    _ policies: [ClientPolicyState], _ options: TranslationOptions, into report: inout StatusReport
) {
    for policy in policies {
        let statuses = policy.ancestors.map { ancestor in
            PolicyAncestorStatus(
                ancestorRef: ParentReference(
                    group: gatewayAPIGroup, kind: "Gateway", namespace: ancestor.gateway.namespace,
                    name: ancestor.gateway.name, sectionName: ancestor.section),
                controllerName: options.controllerName, conditions: policy.conditions(at: ancestor))
        }
        // What is not there is nobody's: it stands for itself.
        let all = statuses + policy.lost(options)
        guard !all.isEmpty else { continue }
        report.clientPolicies[policy.key] = PolicyStatus(ancestors: Array(all.prefix(mostAncestors)))
    }
}

/// ClientPolicies that affect nobody's traffic and have no status to say so.
func idleClientPolicies(_ report: StatusReport, _ policies: [ClientPolicyState]) -> [Notice] {
    policies.filter { report.clientPolicies[$0.key] == nil }.map { policy in
        Notice(
            kind: ClientPolicy.resourceKind.kind, key: policy.key,
            message: "has no effect: none of its targets is served")
    }
}

extension ClientPolicyState {
    /// Every gateway that the policy's status has to name.
    fileprivate var ancestors: [PolicyAncestor] {
        attachments.reduce(into: Set<PolicyAncestor>()) { $0.formUnion($1.ancestors) }.sorted()
    }

    /// Whether a gateway, as a whole, is one the status has no room for.
    func isOutOfRoom(_ gateway: ObjectKey) -> Bool {
        ancestors.dropFirst(mostAncestors).contains(PolicyAncestor(gateway: gateway, section: nil))
    }

    /// What is said of targets that cannot be targets, or that do not exist.
    fileprivate func lost(_ options: TranslationOptions) -> [PolicyAncestorStatus] {
        policy.spec.targetRefs.compactMap { target in
            let point = target.point(in: key.namespace)
            let found = attachments.first { $0.point == point }
            let isMissing = found?.verdict?.reason == .targetNotFound && found?.ancestors.isEmpty == true
            // Lists for nobody's targets are not asked for: nothing is known of them.
            guard point == nil || isMissing, let verdict = isMissing ? found?.verdict : rejection else { return nil }
            let generation = policy.metadata.generation
            return PolicyAncestorStatus(
                ancestorRef: ParentReference(
                    group: target.group, kind: target.kind, namespace: key.namespace, name: target.name,
                    sectionName: target.sectionName),
                controllerName: options.controllerName,
                conditions: [Condition(.accepted, verdict, otherwise: .accepted, generation: generation)])
        }
    }

    fileprivate func conditions(at ancestor: PolicyAncestor) -> [Condition] {
        let generation = policy.metadata.generation
        let here = attachments.filter { $0.ancestors.contains(ancestor) }
        let verdict = ([rejection].compactMap { $0 } + here.compactMap(\.verdict)).merged
        var conditions = [Condition(.accepted, verdict, otherwise: .accepted, generation: generation)]
        if hasReferences {
            conditions.append(
                Condition(.resolvedRefs, unresolved.merged, otherwise: .resolvedRefs, generation: generation))
        }
        guard verdict == nil else { return conditions }
        conditions.append(programmed(here, generation))
        if let warning = here.flatMap(\.warnings).merged {
            conditions.append(
                Condition(.warning, .true, warning.reason, warning.message, observedGeneration: generation))
        }
        return conditions
    }

    /// Whether its fields hold, or those of more specific policies do everywhere.
    private func programmed(_ attachments: [Attachment], _ generation: Int64?) -> Condition {
        var overridden: [String: Set<String>] = [:]
        for attachment in attachments { overridden.merge(attachment.overridden) { $0.union($1) } }
        guard !overridden.isEmpty else {
            return Condition(.programmed, .true, .programmed, observedGeneration: generation)
        }
        let message = overridden.sorted { $0.key < $1.key }
            .map { "\($0.key) → ClientPolicy \($0.value.sorted().joined(separator: ", "))" }.joined(separator: "; ")
        guard attachments.contains(where: { !$0.holding.isEmpty }) else {
            return Condition(.programmed, .false, .overridden, message, observedGeneration: generation)
        }
        return Condition(.programmed, .true, .partiallyProgrammed, message, observedGeneration: generation)
    }
}

extension ClientPolicyResolution {
    /// Says on a target which policy is in force there; nil: none is. `gateway`: of a route, that of the parent in question.
    func affected(_ point: AttachmentPoint, at gateway: ObjectKey? = nil, generation: Int64?) -> [Condition] {
        guard !isEmpty, let holder = index.holder(at: point) else { return [] }
        let policy = index.policies[holder.policy]
        let isInForce = index.obstacle(holder) == nil
        guard isInForce || index.isSecurity(holder) else { return [] }
        let name = "ClientPolicy \(policy.key)"
        if let gateway, policy.isOutOfRoom(gateway) {
            return [
                Condition(
                    .clientPolicyAffected, .false, .ancestorLimit,
                    "\(name) is in force, but its status has no room for Gateway \(gateway)",
                    observedGeneration: generation)
            ]
        }
        let message = isInForce ? name : "\(name), which is not accepted: nobody is let in"
        return [Condition(.clientPolicyAffected, .true, .policyAffected, message, observedGeneration: generation)]
    }
}
