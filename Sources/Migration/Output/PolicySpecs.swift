extension ClientSettings {
    /// A ClientPolicy's spec for a route; nil where there is nothing to say.
    func spec(target: Tree) -> Tree? {
        let limit = perSource.map { count in
            Tree.object(
                ("perSourceIP", .object(("value", .number(count)), ("ipv6PrefixLength", .number(128)))))
        }
        let timeouts = Tree.object(
            ("idleTimeout", idleTimeout.map(Tree.text)), ("clientIdleTimeout", clientIdleTimeout.map(Tree.text)),
            ("serverIdleTimeout", serverIdleTimeout.map(Tree.text)),
            ("halfCloseTimeout", halfCloseTimeout.map(Tree.text)))
        let timeout = timeouts.orNothing.map { Tree.object(("tcp", $0)) }
        guard authorization != nil || limit != nil || timeout != nil else { return nil }
        return .object(
            ("targetRefs", .list([target])), ("timeout", timeout), ("connectionLimit", limit),
            ("authorization", authorization))
    }

    private var authorization: Tree? {
        if !closed.isEmpty || allowed == [] { return .object(("defaultAction", .text("Deny"))) }
        var rules = ClientSettings.rules(denied, "denied", action: "Deny")
        if let allowed { rules += ClientSettings.rules(allowed, "allowed", action: "Allow") }
        guard !rules.isEmpty else { return nil }
        return .object(("defaultAction", .text(allowed == nil ? "Allow" : "Deny")), ("rules", .list(rules)))
    }

    /// One rule for each thousand of blocks, which is about what a rule takes.
    private static func rules(_ blocks: [String], _ name: String, action: String) -> [Tree] {
        stride(from: 0, to: blocks.count, by: 1000).map { start in
            let part = Array(blocks[start..<min(start + 1000, blocks.count)])
            return .object(
                ("name", .text(start == 0 ? name : "\(name)-\(start / 1000 + 1)")), ("action", .text(action)),
                ("principal", .object(("clientCIDRs", .texts(part)))))
        }
    }
}

extension BackendSettings {
    /// A BackendPolicy's spec for a route; nil where there is nothing to say.
    func spec(target: Tree) -> Tree? {
        guard self != BackendSettings() else { return nil }
        let tls = Tree.object(
            ("minVersion", minVersion.map(Tree.text)), ("ciphers", Tree.texts(ciphers).orNothing))
        return .object(
            ("targetRefs", .list([target])),
            ("proxyProtocol", proxyVersion.map { .object(("version", .text($0))) }),
            ("loadBalancer", loadBalancer.map { .object(("type", .text($0))) }),
            ("timeout", connectTimeout.map { .object(("tcp", .object(("connectTimeout", .text($0))))) }),
            ("tcpKeepalive", keepalive?.tree), ("retry", retries.map { .object(("numRetries", .number($0))) }),
            ("healthCheck", check?.tree), ("tls", tls.orNothing))
    }
}

extension BackendSettings.Check {
    fileprivate var tree: Tree {
        .object(
            (
                "active",
                .object(
                    ("type", .text("TCP")), ("timeout", timeout.map(Tree.text)), ("interval", interval.map(Tree.text)),
                    ("unhealthyThreshold", unhealthy.map(Tree.number)), ("healthyThreshold", healthy.map(Tree.number)),
                    ("overrides", port.map { .object(("port", .number($0))) }))
            ))
    }
}
