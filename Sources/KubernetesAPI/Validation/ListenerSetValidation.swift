extension ListenerSet: ValidatedResource {
    /// Schema and CEL rules of listenersets.gateway.networking.k8s.io, v1.6.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        let parent = spec.parentRef
        checks.reference(
            "spec.parentRef", group: parent.group, kind: parent.kind, name: parent.name, namespace: parent.namespace)
        checks.count("spec.listeners", spec.listeners.count, 1...64)
        for (index, listener) in spec.listeners.enumerated() { checks.listener("spec.listeners[\(index)]", listener) }
        checks.listenerRules("spec.listeners", spec.listeners)
        return checks.problems
    }
}
