internal import EngineModel
internal import KubernetesAPI
internal import Translation

extension Explanation {
    /// Whatever is wrong with any object: the links of all chains that are not good, each once. Costs a walk over everything.
    public static func troubles(in inspected: Inspected) -> [Link] {
        var explainer = Explainer(inspected)
        explainer.explainAll()
        var seen: Set<Link> = []
        return explainer.links.filter { $0.verdict != .good && seen.insert($0).inserted }
    }
}

extension Explainer {
    fileprivate mutating func explainAll() {
        for key in snapshot.gateways.keys.sorted() { chain(key, Focus()) }
        for route in routes {
            for (index, reference) in route.parentRefs.enumerated() { stray(route, reference, index) }
        }
        // Those that are attached to something were met on the way.
        let met = Set(links.map(\.object))
        for policy in allPolicies where !met.contains(policy.title) {
            for condition in policy.conditions(at: nil) {
                guard let verdict = condition.trouble else { continue }
                note(
                    verdict, policy.title, condition, field: "spec.targetRefs", advice: advice(condition), depth: 0)
            }
        }
    }

    /// A parentRef that no listener of a Gateway there is stands for.
    private mutating func stray(_ route: RouteFacts, _ reference: ParentReference, _ index: Int) {
        guard let condition = route.status?.parents.first(where: { $0.parentRef == reference })?.conditions[.accepted],
            condition.status == .false, condition.reason == .noMatchingParent
        else { return }
        note(
            .broken, route.title, condition, field: "spec.parentRefs[\(index)]",
            advice: "compare the parentRef with the Gateways there are, and their listeners", depth: 0)
    }
}
