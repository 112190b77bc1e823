internal import KubernetesAPI

/// What fits into a PolicyStatus.
private let mostAncestors = 16

/// The status of every policy that is attached to something of ours, and of those whose targets do not exist.
func statuses<Reading>(
    _ policies: [AttachedPolicy<Reading>], _ options: TranslationOptions
) -> [ObjectKey: PolicyStatus] {
    var report: [ObjectKey: PolicyStatus] = [:]
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
        report[policy.key] = PolicyStatus(ancestors: Array(all.prefix(mostAncestors)))
    }
    return report
}

/// Policies that affect nobody's traffic and have no status to say so.
func idlePolicies<Reading>(
    _ report: [ObjectKey: PolicyStatus], _ policies: [AttachedPolicy<Reading>]
) -> [Notice] {
    policies.filter { report[$0.key] == nil }.map { policy in
        Notice(kind: Reading.kind, key: policy.key, message: "has no effect: none of its targets is served")
    }
}

extension AttachedPolicy {
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
        own.targets.compactMap { target in
            let point = own.points(in: key.namespace).first { $0 == target.point(in: key.namespace) }
            let found = attachments.first { $0.point == point }
            let isMissing = found?.verdict?.reason == .targetNotFound && found?.ancestors.isEmpty == true
            // Lists for nobody's targets are not asked for: nothing is known of them.
            guard point == nil || isMissing, let verdict = isMissing ? found?.verdict : rejection else { return nil }
            let generation = own.generation
            return PolicyAncestorStatus(
                ancestorRef: ParentReference(
                    group: target.group, kind: target.kind, namespace: key.namespace, name: target.name,
                    sectionName: target.sectionName),
                controllerName: options.controllerName,
                conditions: [Condition(.accepted, verdict, otherwise: .accepted, generation: generation)])
        }
    }

    fileprivate func conditions(at ancestor: PolicyAncestor) -> [Condition] {
        let generation = own.generation
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
            .map { "\($0.key) → \(Reading.kind) \($0.value.sorted().joined(separator: ", "))" }.joined(separator: "; ")
        guard attachments.contains(where: { !$0.holding.isEmpty }) else {
            return Condition(.programmed, .false, .overridden, message, observedGeneration: generation)
        }
        return Condition(.programmed, .true, .partiallyProgrammed, message, observedGeneration: generation)
    }
}

extension AttachmentIndex {
    /// Says on a target which policy is in force there; nil: none is. `gateway`: of a route, that of the parent in question.
    func affected(_ point: AttachmentPoint, at gateway: ObjectKey? = nil, generation: Int64?) -> [Condition] {
        guard !isEmpty, let holder = holder(at: point) else { return [] }
        let policy = policies[holder.policy]
        let isInForce = obstacle(holder) == nil
        guard isInForce || isSecurity(holder) else { return [] }
        let name = "\(Reading.kind) \(policy.key)"
        if let gateway, policy.isOutOfRoom(gateway) {
            return [
                Condition(
                    Reading.affected, .false, .ancestorLimit,
                    "\(name) is in force, but its status has no room for Gateway \(gateway)",
                    observedGeneration: generation)
            ]
        }
        let message = isInForce ? name : "\(name), which is not accepted: \(Reading.closure)"
        return [Condition(Reading.affected, .true, .policyAffected, message, observedGeneration: generation)]
    }
}
