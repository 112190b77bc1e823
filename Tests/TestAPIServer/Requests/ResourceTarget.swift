/// What the path of a request names.
struct ResourceTarget: Sendable {
    var group: String
    var version: String
    var plural: String
    /// nil: all namespaces, or a kind of cluster scope.
    var namespace: String?
    var name: String?
    var subresource: String?

    var qualifiedPlural: String { group.isEmpty ? plural : "\(plural).\(group)" }

    /// Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`; nil where the path names no resource.
    init?(path: [String]) {
        var rest = path[...]
        switch rest.popFirst() {
        case "api":
            guard let version = rest.popFirst() else { return nil }
            (group, self.version) = ("", version)
        case "apis":
            guard let group = rest.popFirst(), let version = rest.popFirst() else { return nil }
            (self.group, self.version) = (group, version)
        default: return nil
        }
        let isInNamespace =
            rest.first == "namespaces" && rest.count >= 3
            && !(rest.count == 3 && ["status", "finalize"].contains(rest.last))
        if isInNamespace {
            rest.removeFirst()
            namespace = rest.removeFirst()
        }
        guard let plural = rest.popFirst() else { return nil }
        self.plural = plural
        name = rest.popFirst()
        subresource = rest.popFirst()
        guard rest.isEmpty else { return nil }
        if plural == "namespaces", group.isEmpty, let name { namespace = name }
    }

    func attempt(_ request: ServedRequest) -> AccessAttempt {
        let verb =
            switch request.method {
            case "GET": name != nil ? "get" : request.flag("watch") ? "watch" : "list"
            case "POST": "create"
            case "PUT": "update"
            case "PATCH": "patch"
            case "DELETE": name == nil ? "deletecollection" : "delete"
            default: request.method.lowercased()
            }
        let selected = name ?? Self.name(inSelector: request.query["fieldSelector"] ?? "")
        return AccessAttempt(
            verb: verb, group: group, resource: subresource.map { "\(plural)/\($0)" } ?? plural, namespace: namespace,
            name: selected)
    }

    /// A list or watch by `metadata.name=` counts as one of that name.
    private static func name(inSelector selector: String) -> String? {
        for term in selector.split(separator: ",") where term.hasPrefix("metadata.name=") {
            return String(term.dropFirst("metadata.name=".count).drop { $0 == "=" })
        }
        return nil
    }
}
