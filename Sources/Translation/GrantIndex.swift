internal import KubernetesAPI

/// ReferenceGrants, by what they permit.
struct GrantIndex {
    private struct Permission: Hashable {
        let fromGroup: String
        let fromKind: String
        let fromNamespace: String
        let toGroup: String
        let toKind: String
        let toNamespace: String
        /// Nil: every object of the kind.
        let toName: String?
    }

    private var permissions: Set<Permission> = []

    init(_ grants: [ObjectKey: ReferenceGrant]) {
        for (key, grant) in grants {
            for from in grant.spec.from {
                for to in grant.spec.to {
                    permissions.insert(
                        Permission(
                            fromGroup: from.group, fromKind: from.kind, fromNamespace: from.namespace,
                            toGroup: to.group, toKind: to.kind, toNamespace: key.namespace,
                            toName: to.name.flatMap { $0.isEmpty ? nil : $0 }))
                }
            }
        }
    }

    /// Whether an object of Gateway API's kind `fromKind` in `namespace` may refer to another object: always within a
    /// namespace, otherwise only with a grant in the target's namespace.
    func permits(_ fromKind: String, in namespace: String, toGroup: String, toKind: String, _ target: ObjectKey) -> Bool
    {
        if namespace == target.namespace { return true }
        guard !permissions.isEmpty else { return false }
        return [target.name, nil].contains { name in
            permissions.contains(
                Permission(
                    fromGroup: gatewayAPIGroup, fromKind: fromKind, fromNamespace: namespace, toGroup: toGroup,
                    toKind: toKind, toNamespace: target.namespace, toName: name))
        }
    }
}
