internal import Primitives

extension GatewayParameters: ValidatedResource {
    /// Schema and CEL rules of gatewayparameters.sluice.dev, v1alpha1.
    public func specProblems() -> [FieldProblem] { spec.problems(at: "spec") }
}

extension GatewayParameters.Spec {
    /// What the API server would refuse, `field` being the path of the parameters.
    public func problems(at field: String) -> [FieldProblem] {
        var checks = FieldChecks()
        checks.oneOf("\(field).exposure", exposure, ["Service", "Host"])
        checks.count("\(field).addresses", addresses?.count, 0...16)
        for (index, address) in (addresses ?? []).enumerated() {
            let field = "\(field).addresses[\(index)]"
            checks.text(field, address, 0...45)
            checks.rule(field, "must be an IPv4 or IPv6 address", holds: isPlainAddress(address))
        }
        checks.service("\(field).service", service)
        checks.oneOf("\(field).ipFamily", ipFamily, ["IPv4", "IPv6", "DualStack"])
        checks.allowedPorts("\(field).allowedPorts", allowedPorts)
        checks.text("\(field).routeDrainTimeout", routeDrainTimeout, 1...28, .duration)
        checks.text("\(field).backendGuard.allowUnixSocketDir", backendGuard?.allowUnixSocketDir, 0...107, .folder)
        checks.accessLog("\(field).telemetry.accessLog", telemetry?.accessLog)
        checks.rule(
            field, "addresses are only allowed with exposure Host", holds: addresses == nil || exposure == "Host")
        checks.rule(
            field, "service is only allowed with exposure Service",
            holds: service == nil || exposure == nil || exposure == "Service")
        return checks.problems
    }
}

extension FieldChecks {
    fileprivate mutating func service(_ field: String, _ service: GatewayParameters.ServiceParameters?) {
        guard let service else { return }
        oneOf("\(field).type", service.type, ["LoadBalancer", "NodePort", "ClusterIP"])
        oneOf("\(field).externalTrafficPolicy", service.externalTrafficPolicy, ["Cluster", "Local"])
        text("\(field).loadBalancerClass", service.loadBalancerClass, 0...316)
        let annotations = service.annotations ?? [:]
        if annotations.count > 64 {
            add("\(field).annotations", "must have at most 64 entries, has \(annotations.count)")
        }
        for (key, value) in annotations.sorted(by: { $0.key < $1.key }) {
            text("\(field).annotations.\(printable(key))", value, 0...4096)
        }
        let ports = service.nodePorts ?? []
        count("\(field).nodePorts", ports.count, 0...64)
        var seen: Set<Int> = []
        for (index, entry) in ports.enumerated() {
            let field = "\(field).nodePorts[\(index)]"
            port("\(field).listenerPort", entry.listenerPort)
            port("\(field).nodePort", entry.nodePort)
            if !seen.insert(entry.listenerPort).inserted {
                add(field, "listenerPort \(entry.listenerPort) is given twice")
            }
        }
        rule(
            field, "nodePorts are only allowed with type LoadBalancer and NodePort",
            holds: ports.isEmpty || service.type == nil || service.type == "LoadBalancer" || service.type == "NodePort")
    }

    fileprivate mutating func allowedPorts(_ field: String, _ allowed: GatewayParameters.AllowedPorts?) {
        for (name, ports) in [("tcp", allowed?.tcp), ("tls", allowed?.tls)] {
            let field = "\(field).\(name)"
            count("\(field).ranges", ports?.ranges?.count, 0...64)
            for (index, range) in (ports?.ranges ?? []).enumerated() {
                let field = "\(field).ranges[\(index)]"
                port("\(field).from", range.from)
                port("\(field).to", range.to)
                rule(field, "from must not be greater than to", holds: range.from <= range.to)
            }
            count("\(field).ports", ports?.ports?.count, 0...256)
            var seen: Set<Int> = []
            for (index, number) in (ports?.ports ?? []).enumerated() {
                port("\(field).ports[\(index)]", number)
                if !seen.insert(number).inserted { add("\(field).ports[\(index)]", "port \(number) is given twice") }
            }
        }
        guard let namespaces = allowed?.namespaces else { return }
        oneOf("\(field).namespaces.from", namespaces.from, ["All", "Same", "Selector", "None"])
        selector("\(field).namespaces.selector", namespaces.selector)
        rule(
            "\(field).namespaces", "selector must be set if, and only if, from is Selector",
            holds: (namespaces.from == "Selector") == (namespaces.selector != nil))
    }

    private mutating func selector(_ field: String, _ selector: LabelSelector?) {
        let labels = selector?.matchLabels ?? [:]
        if labels.count > 16 { add("\(field).matchLabels", "must have at most 16 entries, has \(labels.count)") }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            text("\(field).matchLabels.\(printable(key))", value, 0...63)
        }
        count("\(field).matchExpressions", selector?.matchExpressions?.count, 0...16)
        for (index, expression) in (selector?.matchExpressions ?? []).enumerated() {
            let field = "\(field).matchExpressions[\(index)]"
            text("\(field).key", expression.key, 1...317)
            oneOf("\(field).operator", expression.operator, ["In", "NotIn", "Exists", "DoesNotExist"])
            count("\(field).values", expression.values?.count, 0...64)
            for (index, value) in (expression.values ?? []).enumerated() {
                text("\(field).values[\(index)]", value, 0...63)
            }
        }
    }

    fileprivate mutating func accessLog(_ field: String, _ log: GatewayParameters.AccessLog?) {
        oneOf("\(field).format", log?.format, ["JSON", "Text", "HAProxyTCP"])
        text("\(field).template", log?.template, 0...4096)
        rule(
            field, "template is only allowed with format Text",
            holds: (log?.template ?? "").isEmpty || log?.format == "Text")
    }
}
