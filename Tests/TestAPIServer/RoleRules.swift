internal import KubernetesAPI

extension AccessToken {
    /// A service account whose rights are those of the Roles and ClusterRoles that are bound to it when it asks.
    public static func serviceAccount(_ namespace: String, _ name: String) -> AccessToken {
        var token = AccessToken(user: "system:serviceaccount:\(namespace):\(name)", rules: [])
        token.followsBindings = true
        return token
    }
}

extension ClusterState {
    /// Everything a user may do now.
    func rules(of user: AccessToken) -> [AccessRule] {
        guard user.followsBindings else { return user.rules }
        var rules = user.rules
        for (path, binding) in stores["rolebindings.rbac.authorization.k8s.io"]?.objects ?? [:]
        where names(binding.value, user: user.user, in: path.namespace) {
            rules += self.rules(of: binding.value["roleRef"], in: path.namespace)
        }
        for (_, binding) in stores["clusterrolebindings.rbac.authorization.k8s.io"]?.objects ?? [:]
        where names(binding.value, user: user.user, in: nil) {
            rules += self.rules(of: binding.value["roleRef"], in: nil)
        }
        return rules
    }

    private func names(_ binding: JSONValue, user: String, in namespace: String?) -> Bool {
        (binding["subjects"]?.elements ?? []).contains { subject in
            let name = subject["name"]?.text ?? ""
            switch subject["kind"]?.text {
            case "ServiceAccount":
                return user == "system:serviceaccount:\(subject["namespace"]?.text ?? namespace ?? ""):\(name)"
            case "Group":
                let parts = user.split(separator: ":")
                return name == "system:authenticated" || name == "system:serviceaccounts"
                    || (parts.count == 4 && name == "system:serviceaccounts:\(parts[2])")
            default: return user == name
            }
        }
    }

    private func rules(of reference: JSONValue?, in namespace: String?) -> [AccessRule] {
        let isRole = reference?["kind"]?.text == "Role"
        let plural = isRole ? "roles.rbac.authorization.k8s.io" : "clusterroles.rbac.authorization.k8s.io"
        let path = ObjectPath(namespace: isRole ? namespace ?? "" : "", name: reference?["name"]?.text ?? "")
        func texts(_ value: JSONValue?) -> Set<String> { Set((value?.elements ?? []).compactMap(\.text)) }
        return (stores[plural]?.objects[path]?.value["rules"]?.elements ?? []).map { rule in
            let names = texts(rule["resourceNames"])
            return AccessRule(
                verbs: texts(rule["verbs"]), groups: texts(rule["apiGroups"]), resources: texts(rule["resources"]),
                namespaces: namespace.map { [$0] }, names: names.isEmpty ? nil : names)
        }
    }
}
