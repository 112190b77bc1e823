internal import KubernetesAPI

/// A right that a token has, as a rule of an RBAC Role.
public struct AccessRule: Hashable, Sendable {
    /// `*` stands for all, here and below.
    public var verbs: Set<String>
    public var groups: Set<String>
    /// Plural names; a subresource as `gateways/status`.
    public var resources: Set<String>
    /// nil: everywhere, as a ClusterRole bound by a ClusterRoleBinding; else only in these namespaces.
    public var namespaces: Set<String>?
    /// nil: every name.
    public var names: Set<String>?

    public init(
        verbs: Set<String>, groups: Set<String> = ["*"], resources: Set<String>, namespaces: Set<String>? = nil,
        names: Set<String>? = nil
    ) {
        (self.verbs, self.groups, self.resources) = (verbs, groups, resources)
        (self.namespaces, self.names) = (namespaces, names)
    }

    /// Everything.
    public static let all = AccessRule(verbs: ["*"], resources: ["*"])

    func permits(_ attempt: AccessAttempt) -> Bool {
        func has(_ set: Set<String>, _ value: String) -> Bool { set.contains("*") || set.contains(value) }
        guard has(verbs, attempt.verb), has(groups, attempt.group), has(resources, attempt.resource) else {
            return false
        }
        if let namespaces, !attempt.namespace.map(namespaces.contains, default: false) { return false }
        if let names, !names.contains(attempt.name ?? "") { return false }
        return true
    }
}

extension Optional {
    fileprivate func map<Result>(_ body: (Wrapped) -> Result, default other: Result) -> Result { map(body) ?? other }
}

/// Who a bearer token stands for.
public struct AccessToken: Hashable, Sendable {
    public var user: String
    public var rules: [AccessRule]
    /// Whether the Roles bound to the user count too.
    var followsBindings = false

    public init(user: String, rules: [AccessRule]) { (self.user, self.rules) = (user, rules) }

    /// A user who may do everything.
    public static let admin = AccessToken(user: "admin", rules: [.all])
}

/// What a request wants, in RBAC's words.
struct AccessAttempt: Sendable {
    var verb: String
    var group: String
    /// With the subresource, as `gateways/status`.
    var resource: String
    var namespace: String?
    var name: String?

    func refusal(user: String) -> APIStatus {
        let plural = resource.split(separator: "/").first.map(String.init) ?? resource
        let subject = group.isEmpty ? plural : "\(plural).\(group)"
        let named = name.map { " \"\($0)\"" } ?? ""
        let place = namespace.map { "in the namespace \"\($0)\"" } ?? "at the cluster scope"
        var details: [String: JSONValue] = ["kind": .string(plural)]
        if !group.isEmpty { details["group"] = .string(group) }
        if let name { details["name"] = .string(name) }
        return APIStatus(
            code: 403, reason: "Forbidden",
            message: "\(subject)\(named) is forbidden: User \"\(user)\" cannot \(verb) resource \"\(resource)\" in API "
                + "group \"\(group)\" \(place)", details: .object(details))
    }
}
