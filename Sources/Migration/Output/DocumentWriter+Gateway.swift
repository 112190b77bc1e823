extension DocumentWriter {
    mutating func write(_ gateway: Assembler.Gateway) {
        let listeners = gateway.listeners.map { listener in
            let namespaces = Set(
                gateway.routes.filter { $0.listeners.contains(listener.name) }.map(\.entry.route.namespace))
            return tree(of: listener, in: gateway.name, routesFrom: namespaces.sorted())
        }
        let address = gateway.address.map { address in
            Tree.list([.object(("type", .text("IPAddress")), ("value", .text(address)))])
        }
        documents.append(
            .object(
                DocumentWriter.gatewayAPI, "Gateway", gateway.name,
                spec: .object(
                    ("gatewayClassName", .text(gatewayClass)), ("addresses", address),
                    ("tls", tls(of: gateway)), ("listeners", .list(listeners))),
                comments: gateway.comments))
        writePolicies(gateway)
    }

    private mutating func tree(of listener: Assembler.Listener, in gateway: ObjectName, routesFrom namespaces: [String])
        -> Tree
    {
        var tls: Tree?
        switch listener.mode {
        case .plain: break
        case .passthrough: tls = .object(("mode", .text("Passthrough")))
        case .terminate:
            let certificates = listener.certificates.map { reference(to: $0, kind: "Secret", from: gateway) }
            tls = .object(("mode", .text("Terminate")), ("certificateRefs", .list(certificates)))
        }
        var allowed: Tree?
        if namespaces != [gateway.namespace] {
            let expression = Tree.object(
                ("key", .text("kubernetes.io/metadata.name")), ("operator", .text("In")), ("values", .texts(namespaces))
            )
            let selector = Tree.object(("matchExpressions", .list([expression])))
            allowed = .object(("namespaces", .object(("from", .text("Selector")), ("selector", selector))))
        }
        return .object(
            ("name", .text(listener.name)), ("protocol", .text(listener.mode == .plain ? "TCP" : "TLS")),
            ("port", .number(listener.port)), ("hostname", listener.hostname.map(Tree.text)), ("tls", tls),
            ("allowedRoutes", allowed))
    }

    /// A reference of a Gateway, with the grant that it needs.
    private mutating func reference(
        to object: ObjectName, kind: String, from gateway: ObjectName, grouped: Bool = false
    )
        -> Tree
    {
        let isForeign = object.namespace != gateway.namespace
        if isForeign {
            grants.add(
                from: .init(group: "gateway.networking.k8s.io", kind: "Gateway", namespace: gateway.namespace),
                to: .init(group: "", kind: kind, name: object))
        }
        return .object(
            ("group", grouped ? .text("") : nil), ("kind", grouped ? .text(kind) : nil), ("name", .text(object.name)),
            ("namespace", isForeign ? .text(object.namespace) : nil))
    }

    /// Which certificates clients must have, by port, and which one backends are shown.
    private mutating func tls(of gateway: Assembler.Gateway) -> Tree? {
        var perPort: [Tree] = []
        var ports: Set<Int> = []
        for listener in gateway.listeners where !listener.settings.clientAuthorities.isEmpty {
            guard ports.insert(listener.port).inserted else { continue }
            let references = listener.settings.clientAuthorities.map {
                reference(to: $0.name, kind: $0.isConfigMap ? "ConfigMap" : "Secret", from: gateway.name, grouped: true)
            }
            let validation = Tree.object(("mode", .text("AllowValidOnly")), ("caCertificateRefs", .list(references)))
            perPort.append(
                .object(("port", .number(listener.port)), ("tls", .object(("validation", validation)))))
        }
        let frontend =
            perPort.isEmpty ? nil : Tree.object(("default", .map([])), ("perPort", .list(perPort)))
        return Tree.object(("backend", clientCertificate(of: gateway)), ("frontend", frontend)).orNothing
    }

    private mutating func clientCertificate(of gateway: Assembler.Gateway) -> Tree? {
        var chosen: ObjectName?
        for (entry, _) in gateway.routes {
            for certificate in entry.targets.compactMap({ $0.tls?.clientCertificate }) {
                if chosen == nil { chosen = certificate }
                guard let first = chosen, first != certificate else { continue }
                entry.origin.ledger.fail(
                    "\(entry.field): backends are shown the certificate of Secret \(first) instead of \(certificate). A Gateway"
                        + " has one: make a Gateway of its own for this route.")
            }
        }
        guard let chosen else { return nil }
        return .object(("clientCertificateRef", reference(to: chosen, kind: "Secret", from: gateway.name)))
    }

    /// A ClientPolicy for each set of settings that listeners have.
    private mutating func writePolicies(_ gateway: Assembler.Gateway) {
        var written: [PortSettings] = []
        for listener in gateway.listeners {
            var settings = listener.settings
            settings.clientAuthorities = []
            guard settings != PortSettings(), !written.contains(settings) else { continue }
            written.append(settings)
            let alike = gateway.listeners.filter { other in
                var theirs = other.settings
                theirs.clientAuthorities = []
                return theirs == settings
            }
            let whole = alike.count == gateway.listeners.count && settings.connections == nil
            let targets =
                whole
                ? [DocumentWriter.reference("Gateway", gateway.name.name)]
                : alike.map { DocumentWriter.reference("Gateway", gateway.name.name, section: $0.name) }
            let wanted = whole ? gateway.name.name : "\(gateway.name.name)-\(listener.name)"
            let name = unused(wanted, kind: "ClientPolicy", namespace: gateway.name.namespace)
            var comments: [String] = []
            if let proxy = settings.proxy, !proxy.optional, proxy.trusted.isEmpty {
                comments.append(
                    "Every peer may say who its client is. Name the load balancers in proxyProtocol.trustedCIDRs.")
            }
            documents.append(
                .object(
                    DocumentWriter.ours, "ClientPolicy",
                    ObjectName(namespace: gateway.name.namespace, name: name),
                    spec: settings.spec(targets: targets), comments: comments))
        }
    }
}

extension PortSettings {
    fileprivate func spec(targets: [Tree]) -> Tree {
        let proxy = proxy.map { proxy in
            Tree.object(
                ("mode", .text(proxy.optional ? "Optional" : "Required")),
                ("trustedCIDRs", proxy.trusted.isEmpty ? nil : .texts(proxy.trusted)))
        }
        let tickets = tls.withoutTickets ? Tree.object(("tickets", .text("Disabled"))) : nil
        let tls = Tree.object(
            ("minVersion", tls.minVersion.map(Tree.text)), ("maxVersion", tls.maxVersion.map(Tree.text)),
            ("ciphers", Tree.texts(tls.ciphers).orNothing), ("ecdhCurves", Tree.texts(tls.curves).orNothing),
            ("alpnProtocols", Tree.texts(tls.alpn).orNothing),
            ("session", tickets.map { .object(("resumption", $0)) }))
        let limit = connections.map { Tree.object(("value", .number($0)), ("onLimit", .text("Pause"))) }
        let timeout = inspectionTimeout.map {
            Tree.object(("tcp", .object(("connectionInspectionTimeout", .text($0)))))
        }
        return .object(
            ("targetRefs", .list(targets)), ("proxyProtocol", proxy), ("tls", tls.orNothing),
            ("tcpKeepalive", keepalive?.tree), ("timeout", timeout), ("connectionLimit", limit))
    }
}

extension Keepalive {
    var tree: Tree {
        disabled
            ? .object(("disabled", .flag(true)))
            : .object(("idleTime", idle.map(Tree.text)), ("interval", interval.map(Tree.text)))
    }
}
