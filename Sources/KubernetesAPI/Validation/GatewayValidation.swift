internal import Primitives

extension GatewayClass: ValidatedResource {
    /// Schema of gatewayclasses.gateway.networking.k8s.io, v1.6.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.text("spec.controllerName", spec.controllerName, 1...253, .controllerName)
        checks.parameters("spec.parametersRef", spec.parametersRef)
        return checks.problems
    }
}

extension Gateway: ValidatedResource {
    /// Schema and CEL rules of gateways.gateway.networking.k8s.io, v1.6.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.text("spec.gatewayClassName", spec.gatewayClassName, 1...253)
        checks.addresses(spec.addresses ?? [])
        checks.infrastructure("spec.infrastructure", spec.infrastructure)
        checks.count("spec.listeners", spec.listeners.count, 1...64)
        for (index, listener) in spec.listeners.enumerated() { checks.listener("spec.listeners[\(index)]", listener) }
        checks.listenerRules("spec.listeners", spec.listeners)
        checks.oneOf(
            "spec.allowedListeners.namespaces.from", spec.allowedListeners?.namespaces?.from,
            ["All", "None", "Same", "Selector"])
        checks.tls(spec.tls)
        return checks.problems
    }
}

extension FieldChecks {
    fileprivate mutating func parameters(_ field: String, _ reference: ParametersReference?) {
        guard let reference else { return }
        self.reference(
            field, group: reference.group, kind: reference.kind, name: reference.name, namespace: reference.namespace)
    }

    fileprivate mutating func infrastructure(_ field: String, _ infrastructure: Gateway.Infrastructure?) {
        parameters("\(field).parametersRef", infrastructure?.parametersRef)
        let labels = infrastructure?.labels ?? [:]
        if labels.count > 8 { add("\(field).labels", "must have at most 8 entries, has \(labels.count)") }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            text("\(field).labels[\(printable(key))]", value, 0...63, .labelValue)
        }
        keys("\(field).labels", "Label", labels)
        options("\(field).annotations", infrastructure?.annotations)
        keys("\(field).annotations", "Annotation", infrastructure?.annotations ?? [:])
    }

    private mutating func keys(_ field: String, _ what: String, _ entries: [String: String]) {
        rule(
            field,
            "\(what) keys must be in the form of an optional DNS subdomain prefix followed by a required name segment of "
                + "up to 63 characters.", holds: entries.keys.allSatisfy { isQualifiedName($0) })
    }

    fileprivate mutating func addresses(_ addresses: [Gateway.Address]) {
        count("spec.addresses", addresses.count, 0...16)
        for (index, address) in addresses.enumerated() {
            let field = "spec.addresses[\(index)]"
            text("\(field).type", address.type, 1...253, .addressType)
            text("\(field).value", address.value, 0...253)
            guard let value = address.value else { continue }
            if address.effectiveType == "IPAddress", IPAddress(value) == nil {
                add("\(field).value", "must be an IPv4 or IPv6 address, found \"\(printable(value))\"")
            }
            rule(
                field,
                #"Hostname value must be empty or contain only valid characters (matching ^(\*\.)?[a-z0-9]"#
                    + #"([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$)"#,
                holds: address.effectiveType != "Hostname" || TextRule.hostname.isSatisfied(by: value))
        }
        for type in ["IPAddress", "Hostname"] {
            let values = addresses.filter { $0.effectiveType == type }.compactMap(\.value)
            rule("spec.addresses", "\(type) values must be unique", holds: areUnique(values) { $0 })
        }
    }

    mutating func listener(_ field: String, _ listener: Gateway.Listener) {
        text("\(field).name", listener.name, 1...253, .subdomain)
        text("\(field).hostname", listener.hostname, 1...253, .hostname)
        port("\(field).port", listener.port)
        text("\(field).protocol", listener.protocol.rawValue, 1...255, .protocolName)
        oneOf(
            "\(field).allowedRoutes.namespaces.from", listener.allowedRoutes?.namespaces?.from,
            [
                "All", "Selector", "Same",
            ])
        let kinds = listener.allowedRoutes?.kinds ?? []
        count("\(field).allowedRoutes.kinds", kinds.count, 0...8)
        for (index, kind) in kinds.enumerated() {
            reference("\(field).allowedRoutes.kinds[\(index)]", group: kind.group, kind: kind.kind, name: nil)
        }
        guard let tls = listener.tls else { return }
        oneOf("\(field).tls.mode", tls.mode, ["Terminate", "Passthrough"])
        count("\(field).tls.certificateRefs", tls.certificateRefs?.count, 0...64)
        for (index, certificate) in (tls.certificateRefs ?? []).enumerated() {
            secret("\(field).tls.certificateRefs[\(index)]", certificate)
        }
        options("\(field).tls.options", tls.options)
        rule(
            "\(field).tls", "certificateRefs or options must be specified when mode is Terminate",
            holds: (tls.mode ?? "Terminate") != "Terminate"
                || tls.certificateRefs?.isEmpty == false || tls.options?.isEmpty == false)
    }

    mutating func listenerRules(_ field: String, _ listeners: [Gateway.Listener]) {
        func all(_ protocols: [String], _ holds: (Gateway.Listener) -> Bool) -> Bool {
            listeners.allSatisfy { !protocols.contains($0.protocol.rawValue) || holds($0) }
        }
        rule(
            field, "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
            holds: all(["HTTP", "TCP", "UDP"]) { $0.tls == nil })
        rule(
            field, "tls mode must be Terminate for protocol HTTPS",
            holds: all(["HTTPS"]) { ($0.tls?.mode ?? "Terminate") == "Terminate" })
        rule(
            field, "tls mode must be set for protocol TLS", holds: all(["TLS"]) { $0.tls != nil && $0.tls?.mode != "" })
        rule(
            field, "hostname must not be specified for protocols ['TCP', 'UDP']",
            holds: all(["TCP", "UDP"]) { ($0.hostname ?? "").isEmpty })
        rule(field, "Listener name must be unique within the Gateway", holds: areUnique(listeners, by: \.name))
        rule(
            field, "Combination of port, protocol and hostname must be unique for each listener",
            holds: areUnique(listeners) { [String($0.port), $0.protocol.rawValue, $0.hostname] })
    }

    fileprivate mutating func tls(_ tls: Gateway.TLS?) {
        if let certificate = tls?.backend?.clientCertificateRef {
            secret("spec.tls.backend.clientCertificateRef", certificate)
        }
        guard let frontend = tls?.frontend else { return }
        require("spec.tls.frontend.default", frontend.default != nil)
        validation("spec.tls.frontend.default.validation", frontend.default?.validation)
        let ports = frontend.perPort ?? []
        count("spec.tls.frontend.perPort", ports.count, 0...64)
        for (index, entry) in ports.enumerated() {
            let field = "spec.tls.frontend.perPort[\(index)]"
            port("\(field).port", entry.port)
            require("\(field).tls", entry.tls != nil)
            validation("\(field).tls.validation", entry.tls?.validation)
        }
        rule(
            "spec.tls.frontend.perPort", "Port for TLS configuration must be unique within the Gateway",
            holds: areUnique(ports, by: \.port))
    }

    private mutating func validation(_ field: String, _ validation: Gateway.FrontendValidation?) {
        guard let validation else { return }
        require("\(field).caCertificateRefs", validation.caCertificateRefs != nil)
        count("\(field).caCertificateRefs", validation.caCertificateRefs?.count, 1...16)
        for (index, item) in (validation.caCertificateRefs ?? []).enumerated() {
            reference(
                "\(field).caCertificateRefs[\(index)]", group: item.group, kind: item.kind, name: item.name,
                namespace: item.namespace)
        }
        oneOf("\(field).mode", validation.mode, ["AllowValidOnly", "AllowInsecureFallback"])
    }

    private mutating func secret(_ field: String, _ item: SecretObjectReference) {
        reference(field, group: item.group, kind: item.kind, name: item.name, namespace: item.namespace)
    }
}
