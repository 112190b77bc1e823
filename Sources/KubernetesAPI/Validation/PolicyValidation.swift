extension ReferenceGrant: ValidatedResource {
    /// Schema of referencegrants.gateway.networking.k8s.io, v1.6.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.count("spec.from", spec.from.count, 1...16)
        for (index, from) in spec.from.enumerated() {
            checks.reference(
                "spec.from[\(index)]", group: from.group, kind: from.kind, name: nil, namespace: from.namespace)
        }
        checks.count("spec.to", spec.to.count, 1...16)
        for (index, to) in spec.to.enumerated() {
            checks.reference("spec.to[\(index)]", group: to.group, kind: to.kind, name: to.name)
        }
        return checks.problems
    }
}

extension BackendTLSPolicy: ValidatedResource {
    /// Schema and CEL rules of backendtlspolicies.gateway.networking.k8s.io, v1.6.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.options("spec.options", spec.options)
        checks.count("spec.targetRefs", spec.targetRefs.count, 1...16)
        for (index, target) in spec.targetRefs.enumerated() {
            let field = "spec.targetRefs[\(index)]"
            checks.reference(field, group: target.group, kind: target.kind, name: target.name)
            checks.text("\(field).sectionName", target.sectionName, 1...253, .subdomain)
        }
        checks.sectionRules(
            "spec.targetRefs", "targetRefs includes 2 or more references to the same target",
            spec.targetRefs.map { ([$0.group, $0.kind, $0.name], $0.sectionName ?? "") })
        checks.validation(spec.validation)
        return checks.problems
    }
}

extension FieldChecks {
    fileprivate mutating func validation(_ validation: BackendTLSPolicy.Validation) {
        let field = "spec.validation"
        let authorities = validation.caCertificateRefs ?? []
        count("\(field).caCertificateRefs", authorities.count, 0...8)
        for (index, item) in authorities.enumerated() {
            reference("\(field).caCertificateRefs[\(index)]", group: item.group, kind: item.kind, name: item.name)
        }
        text("\(field).hostname", validation.hostname, 1...253, .subdomain)
        text("\(field).wellKnownCACertificates", validation.wellKnownCACertificates, 1...253, .wellKnownCertificates)
        count("\(field).subjectAltNames", validation.subjectAltNames?.count, 0...5)
        for (index, name) in (validation.subjectAltNames ?? []).enumerated() {
            subjectAltName("\(field).subjectAltNames[\(index)]", name)
        }
        let isWellKnown = !(validation.wellKnownCACertificates ?? "").isEmpty
        rule(
            field, "must not contain both CACertificateRefs and WellKnownCACertificates",
            holds: authorities.isEmpty || !isWellKnown)
        rule(
            field, "must specify either CACertificateRefs or WellKnownCACertificates",
            holds: !authorities.isEmpty || isWellKnown)
    }

    private mutating func subjectAltName(_ field: String, _ name: BackendTLSPolicy.SubjectAltName) {
        oneOf("\(field).type", name.type, ["Hostname", "URI"])
        text("\(field).hostname", name.hostname, 1...253, .hostname)
        text("\(field).uri", name.uri, 1...253, .uri)
        let (hasHostname, hasURI) = (!(name.hostname ?? "").isEmpty, !(name.uri ?? "").isEmpty)
        rule(
            field, "SubjectAltName element must contain Hostname, if Type is set to Hostname",
            holds: name.type != "Hostname" || hasHostname)
        rule(
            field, "SubjectAltName element must not contain Hostname, if Type is not set to Hostname",
            holds: name.type == "Hostname" || !hasHostname)
        rule(
            field, "SubjectAltName element must contain URI, if Type is set to URI", holds: name.type != "URI" || hasURI
        )
        rule(
            field, "SubjectAltName element must not contain URI, if Type is not set to URI",
            holds: name.type == "URI" || !hasURI)
    }
}
