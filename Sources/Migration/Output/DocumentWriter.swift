/// Writes what was assembled as objects: each Gateway with its policies, then its routes with theirs, then the grants.
struct DocumentWriter {
    static let gatewayAPI = "gateway.networking.k8s.io/v1"
    static let ours = "sluice.dev/v1alpha1"

    let gatewayClass: String
    var documents: [OutputDocument] = []
    var grants = Grants()
    /// Names of policies and of Backends that are taken, by kind and namespace.
    var taken: [String: Set<String>] = [:]
    /// TLS towards a Service or Backend, which there can be one of.
    var upstream: [Target.Destination: UpstreamTLS] = [:]
    /// Which document was made of which part of which object.
    var anchors: [Anchor] = []

    struct Anchor {
        var document: Int
        var ledger: Ledger
        var field: String
    }

    init(_ assembler: Assembler, gatewayClass: String) {
        self.gatewayClass = gatewayClass
        let routes = RouteList(assembler.gateways)
        for gateway in assembler.gateways { write(gateway) }
        for route in routes.merged { write(route) }
        documents += grants.documents
    }

    mutating func unused(_ name: String, kind: String, namespace: String) -> String {
        Names.unused(Names.label(name), in: &taken["\(kind)/\(namespace)", default: []])
    }

    static func reference(_ kind: String, _ name: String, section: String? = nil, group: String? = nil) -> Tree {
        .object(
            ("group", .text(group ?? "gateway.networking.k8s.io")), ("kind", .text(kind)), ("name", .text(name)),
            ("sectionName", section.map(Tree.text)))
    }
}

/// Routes to be written, each once with all it attaches to.
struct RouteList {
    struct Route {
        var entry: Entry
        var name: String
        var parents: [(gateway: ObjectName, listener: String)]
    }

    private(set) var merged: [Route] = []

    init(_ gateways: [Assembler.Gateway]) {
        var names: [String: Set<String>] = [:]
        for gateway in gateways {
            for (entry, listeners) in gateway.routes {
                let parents = listeners.map { (gateway.name, $0) }
                if let index = merged.firstIndex(where: { RouteList.isSame($0.entry, entry) }) {
                    merged[index].parents += parents
                    continue
                }
                let name = Names.unused(Names.label(entry.route.name), in: &names[entry.route.namespace, default: []])
                merged.append(Route(entry: entry, name: name, parents: parents))
            }
        }
    }

    /// The same part of the same object, at another port.
    private static func isSame(_ left: Entry, _ right: Entry) -> Bool {
        left.origin.ledger === right.origin.ledger && left.field == right.field && left.route == right.route
            && left.hostnames == right.hostnames && (left.mode == .plain) == (right.mode == .plain)
    }
}
