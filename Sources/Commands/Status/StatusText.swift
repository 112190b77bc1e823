internal import Inspection
internal import Observability

/// A tree for people: a line for each object with a mark, and what is wrong below it.
struct StatusText {
    let tree: StatusTree
    /// Numbers, addresses, and every endpoint.
    let isWide: Bool
    let colours: Bool
    private let routes: [String: RouteNode]
    private let backends: [String: BackendNode]
    private(set) var lines: [String] = []
    private var problems = 0

    init(_ tree: StatusTree, isWide: Bool = false, colours: Bool = false) {
        (self.tree, self.isWide, self.colours) = (tree, isWide, colours)
        routes = Dictionary(tree.routes.map { ($0.key, $0) }) { first, _ in first }
        backends = Dictionary(tree.backends.map { ($0.key, $0) }) { first, _ in first }
        var shown: Set<String> = []
        for gateway in tree.gateways { add(gateway, &shown) }
        addOthers(shown)
        addPolicies()
        addCertificates()
        if !tree.warnings.isEmpty { lines += ["", "Warnings"] }
        for warning in tree.warnings { add(.warning, 1, warning) }
        lines += ["", summary]
    }

    /// Lines, each ended.
    var text: String { lines.drop(while: \.isEmpty).map { $0 + "\n" }.joined() }

    private var summary: String {
        let listeners = tree.gateways.reduce(0) { $0 + $1.listeners.count }
        let counts = [
            counted(tree.gateways.count, "gateway"), counted(listeners, "listener"),
            counted(tree.routes.count, "route"), counted(tree.backends.count, "backend"),
        ]
        return counts.joined(separator: ", ") + ": "
            + (problems == 0 ? "nothing is wrong" : counted(problems, "thing") + " to look at")
    }

    private mutating func add(_ mark: StatusMark, _ depth: Int, _ text: String) {
        if mark != .good { problems += 1 }
        lines.append(String(repeating: "  ", count: depth) + mark.text(colours: colours) + " " + text)
    }

    private mutating func explain(_ problems: [String], _ depth: Int) {
        lines += problems.map { String(repeating: "  ", count: depth) + "  " + Self.line($0) }
    }

    /// What came from elsewhere: control characters could move the cursor.
    static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 32 || (127..<160).contains($0.value) ? " " : $0 }))
    }
}

extension StatusText {
    private mutating func add(_ gateway: GatewayNode, _ shown: inout Set<String>) {
        if !lines.isEmpty { lines.append("") }
        let addresses = gateway.addresses.isEmpty ? "" : "  " + gateway.addresses.joined(separator: ", ")
        add(gateway.conditions.mark, 0, "Gateway \(gateway.namespace)/\(gateway.name)\(addresses)")
        explain(gateway.conditions.problems, 0)
        for listener in gateway.listeners {
            add(listener)
            for key in listener.routes {
                shown.insert(key)
                guard let route = routes[key] else { continue }
                add(route, at: ["Gateway \(gateway.namespace)/\(gateway.name)"], listener.name)
            }
        }
    }

    private mutating func add(_ listener: ListenerNode) {
        var text = "listener \(listener.name)  \(listener.mode) :\(listener.port)"
        if let hostname = listener.hostname { text += "  \(hostname)" }
        if isWide {
            let bound = listener.bindings.filter(\.isBound).map(\.address)
            if !bound.isEmpty { text += "  at \(bound.joined(separator: ", "))" }
            if let traffic = listener.traffic { text += "  \(traffic.text)" }
        }
        add(listener.mark, 1, text)
        explain(listener.problems, 1)
        if listener.mark != .bad, listener.routes.isEmpty {
            explain(["no route is attached: connections are refused"], 1)
        }
    }

    /// With what is said of it where it is served: by its gateway, or by the ListenerSet of the listener.
    private mutating func add(_ route: RouteNode, at gateways: [String], _ listener: String) {
        let parts = listener.split(separator: "/")
        let names = parts.count == 3 ? ["ListenerSet \(parts[0])/\(parts[1])"] : gateways
        let section = parts.last.map(String.init) ?? listener
        let parents = route.parents.filter { parent in
            names.contains {
                parent.parent == $0 || parent.parent == "\($0)/\(section)" || parent.parent.hasPrefix("\($0):")
            }
        }
        add(route, parents.isEmpty ? route.parents : parents, 2)
    }

    private mutating func add(_ route: RouteNode, _ parents: [RouteParentNode], _ depth: Int, _ place: String = "") {
        var text = route.key + place
        if !route.hostnames.isEmpty { text += "  \(Self.short(route.hostnames, isWide))" }
        if isWide, let traffic = route.traffic { text += "  \(traffic.text)" }
        add(parents.map(\.mark).max() ?? .good, depth, text)
        explain(parents.flatMap(\.conditions.problems), depth)
        for reference in route.backends { add(reference, depth + 1, of: route) }
    }

    private mutating func add(_ reference: BackendReferenceNode, _ depth: Int, of route: RouteNode) {
        var text = reference.backend
        if route.backends.count > 1 { text += "  weight \(reference.weight)" }
        if reference.isFallback { text += "  fallback" }
        guard reference.isResolved, let backend = backends[reference.backend] else {
            // Why is among the conditions of the route.
            return add(.bad, depth, text + "  cannot be used")
        }
        text += "  \(backend.summary)"
        if isWide, let traffic = backend.traffic { text += "  \(traffic.text)" }
        add(backend.mark, depth, text)
        explain(backend.conditions.problems, depth)
        for endpoint in backend.endpoints where isWide || endpoint.mark != .good {
            var text = "\(endpoint.address)  \(endpoint.state)"
            if isWide, let zone = endpoint.zone { text += "  zone \(zone)" }
            if let failure = endpoint.failure { text += ": \(Self.line(failure))" }
            add(endpoint.mark, depth + 1, text)
        }
    }

    /// Routes that stand below no listener: why, is for their parents to say.
    private mutating func addOthers(_ shown: Set<String>) {
        let others = tree.routes.filter { !shown.contains($0.key) }
        if others.isEmpty { return }
        lines += ["", "Routes that no listener serves"]
        for route in others {
            var text = route.key
            text +=
                route.parents.isEmpty ? "  names no parent" : "  of \(Self.short(route.parents.map(\.parent), isWide))"
            add(max(route.parents.map(\.mark).max() ?? .warning, .warning), 1, text)
            explain(
                route.parents.flatMap { parent in
                    parent.conditions.isEmpty
                        ? ["\(parent.parent) is not there, or not ours"] : parent.conditions.problems
                }, 1)
        }
    }

    private mutating func addPolicies() {
        if tree.policies.isEmpty { return }
        lines += ["", "Policies"]
        for policy in tree.policies {
            let name = "\(policy.kind) \(policy.namespace)/\(policy.name)"
            add(policy.mark, 1, "\(name)  for \(Self.short(policy.targets, isWide))")
            explain(
                policy.ancestors.isEmpty
                    ? ["holds for nothing that is served"] : Self.once(policy.ancestors.flatMap(\.conditions.problems)),
                1)
        }
    }

    private mutating func addCertificates() {
        let now = tree.time / 1000
        let all = tree.certificates.filter { isWide || $0.mark(at: now) != .good }
        if all.isEmpty { return }
        lines += ["", "Certificates"]
        for certificate in all {
            let names = certificate.names.isEmpty ? "" : "  \(Self.short(certificate.names, isWide))"
            add(
                certificate.mark(at: now), 1,
                "\(certificate.object.isEmpty ? "(unknown)" : certificate.object)  \(certificate.usage)\(names)  "
                    + certificate.end(at: now))
            explain(["used by \(Self.short(certificate.usedBy, isWide))"], 1)
        }
    }

    private static func once(_ lines: [String]) -> [String] {
        var seen: Set<String> = []
        return lines.filter { seen.insert($0).inserted }
    }

    /// The first few.
    private static func short(_ texts: [String], _ isWide: Bool) -> String {
        let most = isWide ? 20 : 3
        let first = texts.prefix(most).joined(separator: ", ")
        return texts.count > most ? "\(first) and \(texts.count - most) more" : first
    }
}
