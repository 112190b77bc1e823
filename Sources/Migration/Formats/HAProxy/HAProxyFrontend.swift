internal import Primitives

/// One part of a TCP: a frontend with its services.
struct HAProxyFrontend {
    private let object: SourceObject
    private let part: SourceField
    private let context: ConversionContext
    private let rules: HAProxyRules

    init(_ object: SourceObject, _ part: SourceField, _ context: ConversionContext) {
        (self.object, self.part, self.context) = (object, part, context)
        rules = HAProxyRules(part["frontend"])
    }

    private func refuse(_ why: String) -> [Entry] {
        object.ledger.fail("\(part.path): left out. \(why)")
        part.leaveOut(why)
        return []
    }

    var entries: [Entry] {
        let frontend = part["frontend"]
        if frontend?["disabled"]?.bool == true { return refuse("It is disabled.") }
        let binds = frontend?["binds"].map { $0.items.isEmpty ? $0.entries.map(\.field) : $0.items } ?? []
        guard !binds.isEmpty else { return refuse("It has no bind.") }
        var base = Entry(
            origin: object, field: part.path, gateway: "haproxy", listener: "", port: 0, mode: .plain,
            route: ObjectName(
                namespace: object.name.namespace, name: part["name"]?.scalar ?? object.name.name))
        part["name"]?.convert()
        do throws(HAProxyRules.Problem) {
            let routes = try routes(base)
            try rules.apply(to: &base)
            addSettings(frontend, to: &base)
            return place(routes, base, binds)
        } catch {
            return refuse(error.message)
        }
    }

    /// Each service with the names that lead to it; the default one last, without a name.
    private func routes(_ base: Entry) throws(HAProxyRules.Problem) -> [(hosts: [String], target: Target)] {
        let services = [part["service"]].compactMap { $0 } + (part["services"]?.items ?? [])
        var routes: [(hosts: [String], target: Target)] = []
        for rule in part.at("frontend", "backend_switching_rule_list")?.items ?? [] {
            let name = rule["name"]?.scalar ?? ""
            let found = services.first { service in
                let prefix = "\(object.name.namespace)_svc_\(service["name"]?.scalar ?? "")_"
                // Namespaces may be told to the controller elsewhere; the Service's name is what counts.
                return name.hasPrefix(prefix) || name.contains("_svc_\(service["name"]?.scalar ?? "")_")
            }
            guard let found else {
                throw HAProxyRules.Problem(
                    message: "Its rule leads to \(printable(name)), which is none of its services.")
            }
            let hosts = try rules.hosts(of: rule)
            let target = try target(found)
            if let index = routes.firstIndex(where: { $0.target.destination == target.destination }) {
                routes[index].hosts += hosts
            } else {
                routes.append((hosts, target))
            }
            rule.convert("cond", "cond_test", "name")
        }
        if let service = part["service"] { routes.append(([], try target(service))) }
        for service in part["services"]?.items ?? [] { service.drop("No rule leads to this service.") }
        return routes
    }

    private func target(_ service: SourceField) throws(HAProxyRules.Problem) -> Target {
        let name = service["name"]?.scalar ?? ""
        guard HostnamePattern.isDNSName(name), let port = service["port"]?.integer, (1...65535).contains(port) else {
            throw HAProxyRules.Problem(message: "\(service.path) has no name and port of a Service.")
        }
        service["name"]?.convert()
        service["port"]?.convert()
        return Target(.service(ObjectName(namespace: object.name.namespace, name: name), port: port))
    }

    private func addSettings(_ frontend: SourceField?, to entry: inout Entry) {
        if let field = frontend?["client_timeout"], let value = field.takeInteger(), value > 0 {
            entry.client.clientIdleTimeout = Durations.written(value)
        }
        if let field = frontend?["maxconn"], let value = field.integer, value > 0 {
            let binds = frontend?["binds"].map { $0.items.isEmpty ? $0.entries.map(\.field) : $0.items } ?? []
            if !binds.isEmpty, binds.allSatisfy({ ($0["maxconn"]?.integer ?? .max) <= value }) {
                field.drop("The limits of the binds are lower.")
            } else {
                entry.portSettings.connections = value
                field.convert()
            }
        }
    }

    /// Every route at every port.
    private func place(_ routes: [(hosts: [String], target: Target)], _ base: Entry, _ binds: [SourceField]) -> [Entry]
    {
        let isNamed = routes.contains { !$0.hosts.isEmpty } || base.mode == .passthrough
        var entries: [Entry] = []
        var ports: [String: Entry] = [:]
        for bind in binds {
            var placed = base
            guard HAProxyBind(bind, object).apply(to: &placed, isNamed: isNamed) else { continue }
            // One of each family is the rule: together they are all addresses.
            let place = "\(placed.address ?? "") \(placed.port)"
            if let first = ports[place] {
                if first.portSettings == placed.portSettings, first.mode == placed.mode { continue }
                object.ledger.fail("\(bind.path): left out. Another bind of port \(placed.port) has other settings.")
                bind.leaveOut("Another bind of port \(placed.port) has other settings.")
                continue
            }
            ports[place] = placed
            for (hosts, target) in routes {
                var entry = placed
                entry.hostnames = hosts
                entry.targets = [target]
                if hosts.isEmpty, entry.mode == .passthrough {
                    entry.comments.append("Clients without TLS, which HAProxy sent here as well, are refused.")
                }
                entries.append(entry)
            }
        }
        let isInspected = ports.values.contains { $0.mode != .plain }
        for rule in part.at("frontend", "tcp_request_rule_list")?.items ?? []
        where rule["type"]?.scalar == "inspect-delay" {
            isInspected ? rule.convert("type", "timeout") : rule.drop("Nothing is looked at where there is no TLS.")
        }
        return entries
    }
}
