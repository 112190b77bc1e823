internal import Primitives

/// The objects that routes of Traefik refer to, and the entries that are made of them.
struct TraefikScene {
    let entryPoints: TraefikEntryPoints
    let context: ConversionContext
    private var middlewares: [ObjectName: SourceObject] = [:]
    private(set) var transports: [ObjectName: SourceObject] = [:]
    private(set) var options: [ObjectName: SourceObject] = [:]

    init(objects: [SourceObject], entryPoints: TraefikEntryPoints, context: ConversionContext) {
        self.entryPoints = entryPoints
        self.context = context
        for object in objects {
            switch object.kind {
            case "MiddlewareTCP": middlewares[object.name] = object
            case "ServersTransportTCP": transports[object.name] = object
            case "TLSOption": options[object.name] = object
            default: break
            }
        }
    }

    func entries(of object: SourceObject) -> [Entry] {
        let points = listening(for: object)
        guard !points.isEmpty else { return [] }
        var entries: [Entry] = []
        for route in object.root.at("spec", "routes")?.items ?? [] {
            guard let made = choices(of: route, object) else { continue }
            for (name, point) in points {
                for var entry in made {
                    entry.gateway = "traefik"
                    (entry.listener, entry.port, entry.address) = (Names.label(name), point.port, point.address)
                    entry.portSettings.proxy = point.settings.proxy
                    if !entryPoints.given.contains(name) {
                        entry.gatewayComments.append(
                            "The entry point \(name) was taken to be on port \(point.port): say --entry-point \(name)=PORT if not."
                        )
                    }
                    for field in point.fields { field.convert() }
                    entries.append(entry)
                }
            }
        }
        return entries
    }

    private func listening(for object: SourceObject) -> [(String, TraefikEntryPoints.Point)] {
        let field = object.root.at("spec", "entryPoints")
        let names = field?.items.isEmpty == false ? field?.takeTexts() ?? [] : entryPoints.given
        if names.isEmpty {
            object.ledger.fail(
                "It names no entry point, which means all of them: say their ports, --entry-point NAME=PORT, or convert"
                    + " Traefik's static configuration along with it.")
        }
        return names.compactMap { name in
            if let problem = entryPoints.problems[name] {
                object.ledger.fail("entry point \(name): \(problem)")
                return nil
            }
            guard let point = entryPoints.points[name] else {
                object.ledger.fail(
                    "Where the entry point \(printable(name)) listens is not known: say --entry-point \(printable(name))=PORT,"
                        + " or convert Traefik's static configuration along with it.")
                return nil
            }
            return (name, point)
        }
    }

    /// One entry for each choice of names and clients; nil, with a word, where the route cannot be converted.
    private func choices(of route: SourceField, _ object: SourceObject) -> [Entry]? {
        func refuse(_ why: String) -> [Entry]? {
            object.ledger.fail("\(route.path): left out. \(why)")
            route.leaveOut(why)
            return nil
        }
        guard let match = route["match"], let text = match.scalar else { return refuse("It has no match.") }
        do throws(TraefikRule.Problem) {
            let rule = try TraefikRule(text)
            let choices = try TraefikScene.choices(rule)
            var entry = Entry(
                origin: object, field: route.path, gateway: "", listener: "", port: 0, mode: .plain, route: object.name)
            try addTLS(to: &entry, object.root.at("spec", "tls"))
            if entry.mode == .plain, choices.contains(where: { !$0.hosts.isEmpty }) {
                return refuse("Host names need TLS, and spec.tls is not set.")
            }
            try addServices(of: route, to: &entry)
            addMiddlewares(of: route, to: &entry)
            match.convert()
            return choices.map { choice in TraefikScene.entry(entry, for: choice) }
        } catch {
            return refuse(error.message)
        }
    }

    private struct Choice {
        var hosts: [String]
        var limits: TraefikRule.Alternative
    }

    /// Host names with the clients that have them, names with equal clients together.
    private static func choices(_ rule: TraefikRule) throws(TraefikRule.Problem) -> [Choice] {
        var choices: [Choice] = []
        let hosts = rule.alternatives.reduce(into: Set<String>()) { $0.formUnion($1.hosts ?? []) }
        for host in hosts.sorted() {
            let limits = try combined(rule.alternatives.filter { $0.hosts?.contains(host) ?? false })
            if let index = choices.firstIndex(where: { $0.limits == limits }) {
                choices[index].hosts.append(host)
            } else {
                choices.append(Choice(hosts: [host], limits: limits))
            }
        }
        let any = rule.alternatives.filter { $0.hosts == nil }
        if !any.isEmpty { choices.append(Choice(hosts: [], limits: try combined(any))) }
        return choices
    }

    /// The clients of any of the alternatives.
    private static func combined(_ alternatives: [TraefikRule.Alternative]) throws(TraefikRule.Problem)
        -> TraefikRule.Alternative
    {
        var limits = alternatives.map { TraefikRule.Alternative(allowed: $0.allowed, denied: $0.denied) }
        if limits.contains(TraefikRule.Alternative()) { return TraefikRule.Alternative() }
        if limits.count == 1 { return limits.removeFirst() }
        guard limits.allSatisfy(\.denied.isEmpty) else {
            throw TraefikRule.Problem(message: "Its cases allow some clients and exclude others: make a route of each.")
        }
        return TraefikRule.Alternative(allowed: limits.flatMap { $0.allowed ?? [] })
    }

    private static func entry(_ entry: Entry, for choice: Choice) -> Entry {
        var entry = entry
        entry.hostnames = choice.hosts
        if let allowed = choice.limits.allowed {
            entry.client.allowed = entry.client.allowed.map { Blocks.intersection($0, allowed) } ?? allowed
        }
        entry.client.denied += choice.limits.denied
        if choice.limits != TraefikRule.Alternative() {
            entry.comments.append(
                "Clients that ClientIP does not match are refused; Traefik would look for another route for them.")
        }
        return entry
    }

    private func addMiddlewares(of route: SourceField, to entry: inout Entry) {
        for reference in route["middlewares"]?.items ?? [] {
            let name = ObjectName(
                namespace: reference["namespace"]?.scalar ?? entry.origin.name.namespace,
                name: reference["name"]?.scalar ?? "")
            reference.convert("name", "namespace")
            guard let middleware = middlewares[name] else {
                let why = "MiddlewareTCP \(name) was not among what was converted, and may keep clients out."
                entry.client.closed.append(why)
                entry.origin.ledger.fail("\(reference.path): \(why)")
                continue
            }
            TraefikMiddleware(middleware).apply(to: &entry)
        }
    }
}
