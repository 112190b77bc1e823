internal import Primitives

extension Backend: ValidatedResource {
    /// Schema and CEL rules of backends.sluice.dev, v1alpha1.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.oneOf("spec.type", spec.type, ["Endpoints"])
        checks.require("spec.endpoints", spec.endpoints != nil)
        checks.count("spec.endpoints", spec.endpoints?.count, 1...256)
        for (index, endpoint) in (spec.endpoints ?? []).enumerated() {
            checks.endpoint("spec.endpoints[\(index)]", endpoint)
        }
        return checks.problems
    }
}

extension FieldChecks {
    fileprivate mutating func endpoint(_ field: String, _ endpoint: Backend.Endpoint) {
        let kinds = [endpoint.fqdn != nil, endpoint.ip != nil, endpoint.unix != nil]
        rule(field, "exactly one of fqdn, ip and unix must be set", holds: kinds.filter { $0 }.count == 1)
        if let fqdn = endpoint.fqdn { self.fqdn("\(field).fqdn", fqdn) }
        if let ip = endpoint.ip {
            text("\(field).ip.address", ip.address, 0...45)
            rule("\(field).ip.address", "must be an IPv4 or IPv6 address", holds: isPlainAddress(ip.address))
            port("\(field).ip.port", ip.port)
        }
        if let path = endpoint.unix?.path {
            text("\(field).unix.path", path, 1...107, .absolutePath)
            let isShort = path.unicodeScalars.count > 107 || path.utf8.count <= 107
            rule("\(field).unix.path", "must be at most 107 bytes", holds: isShort)
        }
        text("\(field).zone", endpoint.zone, 0...63)
        range("\(field).weight", endpoint.weight, 0...1000)
    }

    private mutating func fqdn(_ field: String, _ fqdn: Backend.FQDN) {
        text("\(field).hostname", fqdn.hostname, 1...253, .resolvableName)
        port("\(field).port", fqdn.port)
        let srv = fqdn.srv ?? false
        rule(
            field, "hostname may contain underscores only with srv", holds: srv || !fqdn.hostname.utf8.contains(0x5F))
        rule(field, "port must be set unless srv is true, and only then", holds: srv != (fqdn.port != nil))
        rule(
            field,
            "hostname must not be localhost or a Service name (.svc, .svc.cluster.local); refer to the Service itself",
            holds: !isLocalName(fqdn.hostname))
    }

    /// `(^|[.])localhost[.]?$|[.]svc([.]cluster[.]local)?[.]?$`
    private func isLocalName(_ hostname: String) -> Bool {
        let name = hostname.hasSuffix(".") ? hostname.dropLast() : Substring(hostname)
        return name == "localhost"
            || [".localhost", ".svc", ".svc.cluster.local"].contains { name.hasSuffix($0) }
    }
}

/// CEL's `isIP`: no zone, and no IPv4 address inside an IPv6 one.
func isPlainAddress(_ text: String) -> Bool {
    guard let address = IPAddress(text) else { return false }
    return address.unmapped == address
}
