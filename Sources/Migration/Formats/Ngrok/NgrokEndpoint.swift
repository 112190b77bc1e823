internal import Primitives

/// An endpoint of version 3.
struct NgrokEndpoint {
    private let object: SourceObject
    private let endpoint: SourceField
    private let context: ConversionContext
    private let name: String

    init(_ object: SourceObject, _ endpoint: SourceField, _ context: ConversionContext) {
        (self.object, self.endpoint, self.context) = (object, endpoint, context)
        name = endpoint["name"]?.scalar ?? "endpoint"
    }

    var entry: Entry? {
        func refuse(_ why: String) -> Entry? {
            object.ledger.fail("\(endpoint.path): left out. \(why)")
            endpoint.leaveOut(why)
            return nil
        }
        let url = endpoint["url"]?.scalar ?? ""
        guard let kind = ["tcp", "tls"].first(where: { url.hasPrefix("\($0)://") }) else {
            return refuse("Its url is not of tcp:// or tls://.")
        }
        let rest = String(url.dropFirst(6).prefix { $0 != "/" })
        guard let place = DestinationName.split(rest) else { return refuse("\(printable(url)) is no address.") }
        guard let port = context.options.entryPoints[name] ?? place.port ?? (kind == "tls" ? 443 : nil) else {
            return refuse("ngrok chose its port: say one, --entry-point \(printable(name))=PORT.")
        }
        guard let destination = NgrokAddress.destination(endpoint.at("upstream", "url"), name: Names.label(name)) else {
            return refuse(
                "upstream.url: \(printable(endpoint.at("upstream", "url")?.scalar ?? "")) has no host and port.")
        }
        var entry = Entry(
            origin: object, field: endpoint.path, gateway: "ngrok", listener: "\(kind)-\(port)", port: port,
            mode: .plain,
            route: ObjectName(namespace: object.name.namespace, name: Names.label(name)))
        entry.targets = [Target(destination)]
        if kind == "tls" {
            entry.mode = .passthrough
            if !place.host.isEmpty {
                guard HostnamePattern(place.host) != nil else {
                    return refuse("\(printable(place.host)) is no host name.")
                }
                entry.hostnames = [place.host.lowercased()]
            }
        }
        for field in [endpoint["name"], endpoint["url"], endpoint.at("upstream", "url")] { field?.convert() }
        addProxyProtocol(endpoint.at("upstream", "proxy_protocol"), to: &entry)
        NgrokPolicy(endpoint["traffic_policy"]).apply(to: &entry)
        if let file = endpoint["traffic_policy_file"] { close(file, &entry) }
        return entry
    }

    private func close(_ file: SourceField, _ entry: inout Entry) {
        let why = "\(file.path): the policy is in a file of its own, which may keep clients out."
        entry.client.closed.append(why)
        object.ledger.fail("\(entry.field): closed. \(why)")
        file.drop("Put the policy into traffic_policy, or say who may connect by a ClientPolicy.")
    }
}

/// A traffic policy: actions that a stream can have.
struct NgrokPolicy {
    private let policy: SourceField?

    init(_ policy: SourceField?) { self.policy = policy }

    func apply(to entry: inout Entry) {
        guard let policy else { return }
        if policy["enabled"]?.bool == false { return policy.drop("It is not enabled.") }
        policy["enabled"]?.convert()
        for key in ["on_tcp_connect", "inbound"] {
            for rule in policy[key]?.items ?? [] { apply(rule, to: &entry) }
        }
        policy["outbound"]?.drop("What backends send is not looked at.")
        for (key, field) in policy.entries where !["on_tcp_connect", "inbound", "outbound", "enabled"].contains(key) {
            if key.hasPrefix("on_http") {
                field.drop("HTTP.")
            } else {
                close(&entry, "\(field.path) has no equivalent", field)
            }
        }
    }

    private func apply(_ rule: SourceField, to entry: inout Entry) {
        let expressions = rule["expressions"]?.texts ?? []
        rule["name"]?.drop("Rules of a policy have names of our own.")
        let actions = rule["actions"]?.items ?? []
        for action in actions {
            let type = action["type"]?.scalar ?? ""
            switch type {
            case "restrict-ips" where expressions.isEmpty:
                action["type"]?.convert()
                action.at("config", "enforce")?.bool == false
                    ? action["config"]?.drop("It is not enforced.")
                    : NgrokLists.apply(action["config"], to: &entry)
                action.at("config", "enforce")?.convert()
                if let rules = action.at("config", "ip_policies") {
                    close(&entry, "\(rules.path) refers to policies in ngrok's account", action)
                }
            case "deny":
                if let blocks = denied(by: expressions) {
                    rule["expressions"]?.convert()
                    action.convert("type")
                    entry.client.denied += blocks
                } else {
                    close(&entry, "the expressions of \(rule.path) have no equivalent", action)
                }
            case "log": action.drop("Connections are logged by flags of sluice run: docs/access-log.md.")
            case "terminate-tls" where entry.mode == .passthrough && expressions.isEmpty: terminate(action, &entry)
            case "forward-internal", "set-vars": close(&entry, "\(type) of \(rule.path) has no equivalent", action)
            default: close(&entry, "\(printable(type)) of \(rule.path) has no equivalent", action)
            }
        }
        rule["expressions"]?.drop("Expressions in CEL have no equivalent, except those that compare conn.client_ip.")
    }

    private func terminate(_ action: SourceField, _ entry: inout Entry) {
        NgrokTLS.terminate(&entry, name: entry.route.name)
        action["type"]?.convert()
        if let authorities = action.at("config", "mutual_tls_certificate_authorities") {
            let secret = ObjectName(namespace: entry.route.namespace, name: Names.label("\(entry.route.name)-clients"))
            entry.portSettings.clientAuthorities = [AuthorityReference(name: secret)]
            entry.comments.append("Put the authorities of clients in the key ca.crt of the Secret \(secret).")
            authorities.drop("The Secret \(secret) takes their place.")
        }
        if let version = action.at("config", "min_version") {
            let text = version.scalar ?? ""
            entry.portSettings.tls.minVersion = text == "1.3" ? "1.3" : "1.2"
            ["1.2", "1.3"].contains(text) ? version.convert() : version.drop("TLS below 1.2 is not spoken.")
        }
        for key in ["server_private_key", "server_certificate"] {
            action.at("config", key)?.drop("The Secret \(entry.certificates[0]) takes its place.")
        }
    }

    /// Blocks for `conn.client_ip == 'x'`, alone or joined by `||`.
    private func denied(by expressions: [String]) -> [String]? {
        guard expressions.count == 1, let expression = expressions.first else { return nil }
        var addresses: [String] = []
        for part in expression.split(separator: "||") {
            let words = part.filter { $0 != " " }.split(separator: "=", omittingEmptySubsequences: true)
            guard words.count == 2, words[0] == "conn.client_ip", !part.contains("!") else { return nil }
            addresses.append(words[1].filter { $0 != "'" && $0 != "\"" })
        }
        return Blocks.parse(addresses)
    }

    private func close(_ entry: inout Entry, _ why: String, _ field: SourceField) {
        entry.client.closed.append(why + ".")
        entry.origin.ledger.fail("\(entry.field): closed, since \(why).")
        field.drop("The route lets nobody in until you say who may.")
    }
}
