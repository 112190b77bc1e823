internal import Primitives

extension Namespace: ValidatedResource {
    /// Its name alone is checked.
    public func specProblems() -> [FieldProblem] { [] }
}

extension Service: ValidatedResource {
    /// The core API's rules for what is read of a Service.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.oneOf("spec.type", spec.type, ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"])
        checks.distribution(spec)
        let ports = spec.ports ?? []
        var names: Set<String> = []
        var numbers: Set<[String]> = []
        for (index, port) in ports.enumerated() {
            func field() -> String { "spec.ports[\(index)]" }
            if port.effectiveName.isEmpty {
                if ports.count > 1 { checks.add("\(field()).name", "is required where there are several ports") }
            } else {
                checks.text("\(field()).name", port.name, 1...63, .label)
                if ports.count > 1, !names.insert(port.effectiveName).inserted {
                    checks.add("\(field()).name", "is given to two ports")
                }
            }
            checks.port("\(field()).port", port.port)
            checks.oneOf("\(field()).protocol", port.protocol, ["TCP", "UDP", "SCTP"])
            if ports.count > 1, !numbers.insert([String(port.port), port.effectiveProtocol]).inserted {
                checks.add(field(), "port \(port.port) and protocol \(port.effectiveProtocol) are given twice")
            }
        }
        return checks.problems
    }
}

extension EndpointSlice: ValidatedResource {
    /// The rules of discovery.k8s.io/v1, but for loopback and link-local addresses: standalone they are ordinary.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.oneOf("addressType", addressType, ["IPv4", "IPv6", "FQDN"])
        checks.count("endpoints", endpoints?.count, 0...1000)
        for (index, endpoint) in (endpoints ?? []).enumerated() {
            func field() -> String { "endpoints[\(index)].addresses" }
            checks.count(field(), endpoint.addresses.count, 1...100)
            for (index, address) in endpoint.addresses.enumerated() {
                checks.address("\(field())[\(index)]", address, type: addressType)
            }
        }
        let ports = self.ports ?? []
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            func field() -> String { "ports[\(index)]" }
            if !port.effectiveName.isEmpty { checks.text("\(field()).name", port.name, 1...63, .label) }
            if ports.count > 1, !names.insert(port.effectiveName).inserted {
                checks.add("\(field()).name", "is given to two ports")
            }
            checks.port("\(field()).port", port.port)
            checks.oneOf("\(field()).protocol", port.protocol, ["TCP", "UDP", "SCTP"])
        }
        return checks.problems
    }
}

extension FieldChecks {
    /// What decides which endpoint of a Service a connection gets.
    fileprivate mutating func distribution(_ spec: Service.Spec) {
        oneOf("spec.internalTrafficPolicy", spec.internalTrafficPolicy, ["Cluster", "Local"])
        oneOf("spec.sessionAffinity", spec.sessionAffinity, ["ClientIP", "None"])
        range(
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds", spec.sessionAffinityConfig?.clientIP?.timeoutSeconds,
            1...86400)
        oneOf(
            "spec.trafficDistribution", spec.trafficDistribution, ["PreferClose", "PreferSameZone", "PreferSameNode"])
    }

    fileprivate mutating func address(_ field: @autoclosure () -> String, _ text: String, type: String) {
        let address = IPAddress(text)
        switch type {
        case "IPv4" where address?.isV4 != true: add(field(), "must be an IPv4 address, found \"\(printable(text))\"")
        case "IPv6" where address == nil || address?.isV4 == true:
            add(field(), "must be an IPv6 address, found \"\(printable(text))\"")
        case "FQDN": self.text(field(), text, 1...253, .subdomain)
        default: break
        }
    }

    fileprivate mutating func keys(_ field: String, _ data: [String: String]?) {
        for key in (data ?? [:]).keys.sorted() {
            if key.utf8.count > 253 {
                add("\(field)[\(printable(key, limit: 40))]", "the key must have at most 253 characters")
            } else if !TextRule.dataKey.isSatisfied(by: key) {
                add("\(field)[\(printable(key))]", "the key \(TextRule.dataKey.words)")
            }
        }
    }

    fileprivate mutating func size(_ field: String, _ parts: [[String: String]?], limit: Int) {
        let size = parts.reduce(0) { $0 + ($1 ?? [:]).values.reduce(0) { $0 + $1.utf8.count } }
        if size > limit { add(field, "must have at most 1048576 bytes") }
    }
}

extension Secret: ValidatedResource {
    /// Keys and size, and both files of a `kubernetes.io/tls` Secret.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.keys("data", data)
        checks.keys("stringData", stringData)
        // Base64 takes four bytes for three.
        checks.size("data", [data], limit: (1 << 20) / 3 * 4 + 4)
        checks.size("stringData", [stringData], limit: 1 << 20)
        if type == "kubernetes.io/tls" {
            for key in ["tls.crt", "tls.key"] {
                checks.require("data[\(key)]", data?[key] != nil || stringData?[key] != nil)
            }
        }
        return checks.problems
    }
}

extension ConfigMap: ValidatedResource {
    /// Keys and size.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.keys("data", data)
        checks.keys("binaryData", binaryData)
        for key in (data ?? [:]).keys.sorted() where binaryData?[key] != nil {
            checks.add("binaryData[\(key)]", "is also given in data")
        }
        checks.size("data", [data], limit: 1 << 20)
        checks.size("binaryData", [binaryData], limit: (1 << 20) / 3 * 4 + 4)
        return checks.problems
    }
}
