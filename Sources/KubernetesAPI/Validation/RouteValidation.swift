internal import Primitives

extension TCPRoute: ValidatedResource {
    /// Schema and CEL rules of tcproutes.gateway.networking.k8s.io, v1.6.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.parents(spec.parentRefs ?? [])
        checks.rules(spec.rules)
        return checks.problems
    }
}

extension TLSRoute: ValidatedResource {
    /// Schema and CEL rules of tlsroutes.gateway.networking.k8s.io, v1.6.
    public func specProblems() -> [FieldProblem] {
        var checks = FieldChecks()
        checks.require("spec.hostnames", spec.hostnames != nil)
        checks.hostnames(spec.hostnames)
        checks.parents(spec.parentRefs ?? [])
        checks.rules(spec.rules)
        return checks.problems
    }
}

extension FieldChecks {
    fileprivate mutating func hostnames(_ names: [String]?) {
        count("spec.hostnames", names?.count, 1...1024)
        for (index, name) in (names ?? []).enumerated() {
            text("spec.hostnames[\(index)]", name, 1...253, .hostname)
        }
        rule(
            "spec.hostnames", "Hostnames cannot contain an IP",
            holds: (names ?? []).allSatisfy { !mayBeAddress($0) || IPAddress($0) == nil })
    }

    fileprivate mutating func parents(_ parents: [ParentReference]) {
        count("spec.parentRefs", parents.count, 0...32)
        for (index, parent) in parents.enumerated() {
            func field() -> String { "spec.parentRefs[\(index)]" }
            reference(
                field(), group: parent.group, kind: parent.kind, name: parent.name, namespace: parent.namespace)
            text("\(field()).sectionName", parent.sectionName, 1...253, .subdomain)
            port("\(field()).port", parent.port)
        }
        if parents.count < 2 { return }
        sectionRules(
            "spec.parentRefs", "parentRefs includes 2 or more references to the same parent",
            parents.map {
                ([$0.effectiveGroup, $0.effectiveKind, $0.name, $0.namespace ?? ""], $0.sectionName ?? "")
            })
    }

    /// The two rules that all lists of references with sections share.
    mutating func sectionRules(_ field: String, _ when: String, _ references: [(target: [String], section: String)]) {
        let byTarget = Dictionary(grouping: references, by: \.target).values
        rule(
            field, "sectionName must be specified when \(when)",
            holds: byTarget.allSatisfy { same in Set(same.map(\.section.isEmpty)).count == 1 })
        rule(
            field, "sectionName must be unique when \(when)",
            holds: byTarget.allSatisfy { same in areUnique(same, by: \.section) })
    }

    fileprivate mutating func rules(_ rules: [RouteRule]) {
        count("spec.rules", rules.count, 1...1)
        for (index, item) in rules.enumerated() {
            func field() -> String { "spec.rules[\(index)]" }
            text("\(field()).name", item.name, 1...253, .subdomain)
            require("\(field()).backendRefs", item.backendRefs != nil)
            count("\(field()).backendRefs", item.backendRefs?.count, 1...16)
            for (index, backend) in (item.backendRefs ?? []).enumerated() {
                self.backend("\(field()).backendRefs[\(index)]", backend)
            }
        }
    }

    private mutating func backend(_ field: @autoclosure () -> String, _ backend: BackendReference) {
        reference(
            field(), group: backend.group, kind: backend.kind, name: backend.name, namespace: backend.namespace)
        port("\(field()).port", backend.port)
        range("\(field()).weight", backend.weight, 0...1_000_000)
        let isService = backend.effectiveGroup.isEmpty && backend.effectiveKind == "Service"
        rule(field(), "Must have port for Service reference", holds: !isService || backend.port != nil)
    }
}

/// An address ends in a digit or has a colon.
private func mayBeAddress(_ text: String) -> Bool {
    guard let last = text.utf8.last else { return false }
    return (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(last) || text.utf8.contains(UInt8(ascii: ":"))
}
