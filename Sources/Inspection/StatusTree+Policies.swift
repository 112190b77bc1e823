internal import KubernetesAPI
internal import Translation

extension TreeBuilder {
    /// All of the snapshot, by kind: one that holds nowhere has no ancestors.
    func policies() -> [PolicyNode] {
        var nodes: [PolicyNode] = []
        for (key, policy) in snapshot.backendPolicies.sorted(by: { $0.key < $1.key }) {
            let targets = policy.spec.targetRefs.map { title($0.kind, $0.name, $0.sectionName, key) }
            nodes.append(node("BackendPolicy", key, targets, statuses.backendPolicies[key]))
        }
        for (key, policy) in snapshot.backendTLSPolicies.sorted(by: { $0.key < $1.key }) {
            let targets = policy.spec.targetRefs.map { title($0.kind, $0.name, $0.sectionName, key) }
            nodes.append(node("BackendTLSPolicy", key, targets, statuses.backendTLSPolicies[key]))
        }
        for (key, policy) in snapshot.clientPolicies.sorted(by: { $0.key < $1.key }) {
            let targets = policy.spec.targetRefs.map { title($0.kind, $0.name, $0.sectionName, key) }
            nodes.append(node("ClientPolicy", key, targets, statuses.clientPolicies[key]))
        }
        return nodes
    }

    private func title(_ kind: String, _ name: String, _ section: String?, _ policy: ObjectKey) -> String {
        "\(kind) \(ObjectKey(namespace: policy.namespace, name: name))\(section.map { "/\($0)" } ?? "")"
    }

    private func node(_ kind: String, _ key: ObjectKey, _ targets: [String], _ status: PolicyStatus?) -> PolicyNode {
        var node = PolicyNode(kind: kind, namespace: key.namespace, name: key.name)
        node.targets = targets
        node.ancestors = (status?.ancestors ?? []).map { ancestor in
            RouteParentNode(
                parent: ancestor.ancestorRef.title(from: key.namespace),
                conditions: times.nodes(kind, key, .parent(ancestor.ancestorRef), ancestor.conditions))
        }
        return node
    }
}
