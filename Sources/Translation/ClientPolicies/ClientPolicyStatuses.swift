internal import KubernetesAPI

/// Writes the status of every ClientPolicy that is attached to something of ours; at most 16 ancestors fit.
func reportClientPolicies(
    _ policies: [ClientPolicyState], _ options: TranslationOptions, into report: inout StatusReport
) {
    for policy in policies {
        let ancestors = policy.attachments.reduce(into: Set<PolicyAncestor>()) { $0.formUnion($1.ancestors) }
        guard !ancestors.isEmpty else { continue }
        report.clientPolicies[policy.key] = PolicyStatus(
            ancestors: ancestors.sorted().prefix(16).map { ancestor in
                PolicyAncestorStatus(
                    ancestorRef: ParentReference(
                        group: gatewayAPIGroup, kind: "Gateway", namespace: ancestor.gateway.namespace,
                        name: ancestor.gateway.name, sectionName: ancestor.section),
                    controllerName: options.controllerName, conditions: policy.conditions(at: ancestor))
            })
    }
}

extension ClientPolicyState {
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
        let message = overridden.sorted { $0.key < $1.key }
            .map { "\($0.key) → ClientPolicy \($0.value.sorted().joined(separator: ", "))" }.joined(separator: "; ")
        let holding = attachments.reduce(into: Set<String>()) { $0.formUnion($1.holding) }
        let isRoute = attachments.contains { if case .route = $0.point { true } else { false } }
        guard !overridden.isEmpty else {
            return Condition(.programmed, .true, .programmed, observedGeneration: generation)
        }
        guard !holding.isEmpty || isRoute else {
            return Condition(.programmed, .false, .overridden, message, observedGeneration: generation)
        }
        return Condition(.programmed, .true, .partiallyProgrammed, message, observedGeneration: generation)
    }
}
