internal import Inspection

// What is wrong with the objects that a gateway serves.

/// `now`: seconds since 1970.
func findings(in tree: StatusTree, now: Int64) -> [Finding] {
    tree.warnings.map {
        Finding(.warning, "process", $0, advice: "docs/kubernetes.md says what the process needs")
    } + tree.gateways.flatMap(findings) + tree.routes.flatMap(findings) + tree.backends.flatMap(findings)
        + tree.policies.flatMap(findings) + tree.certificates.flatMap { findings($0, now: now) }
        + (tree.gateways.isEmpty
            ? [
                Finding(
                    .warning, "configuration", "no Gateway is served",
                    advice: "check that Gateways name a GatewayClass whose controllerName is the one of this gateway")
            ] : [])
}

private func findings(_ conditions: [ConditionNode], _ subject: String, explain: String) -> [Finding] {
    conditions.filter(\.isProblem).map {
        Finding(
            .error, subject, "\($0.type) is \($0.status) (\($0.reason)): \($0.message)",
            advice: "sluice explain \(explain) shows the whole chain")
    }
}

private func findings(_ gateway: GatewayNode) -> [Finding] {
    let name = "\(gateway.namespace)/\(gateway.name)"
    let own = findings(gateway.conditions, "Gateway \(name)", explain: "gateway \(name)")
    return own
        + gateway.listeners.flatMap { listener in
            let subject = "listener \(gateway.key(listener))"
            return findings(listener.conditions, subject, explain: "gateway \(name)")
                + listener.bindings.filter { !$0.isBound }.map {
                    Finding(
                        .error, subject, "\($0.address) is not bound: \($0.problem ?? "not yet")",
                        advice: "free the port (ss -ltnp shows who has it), or give the listener another one")
                }
        }
}

private func findings(_ route: RouteNode) -> [Finding] {
    let name = "\(route.namespace)/\(route.name)"
    return route.parents.flatMap {
        findings($0.conditions, "\(route.key) at \($0.parent)", explain: "\(route.kind.lowercased()) \(name)")
    }
}

private func findings(_ backend: BackendNode) -> [Finding] {
    let name = "\(backend.namespace)/\(backend.name)"
    let explain = "\(backend.kind.lowercased()) \(name)"
    let probe = "sluice probe \(name)" + (backend.port == 0 ? "" : ":\(backend.port)")
    var found = findings(backend.conditions, backend.key, explain: explain)
    let bad = backend.endpoints.filter { !$0.isUsable }
    let failure = bad.compactMap(\.failure).first.map { ": \($0)" } ?? ""
    if backend.endpoints.isEmpty {
        found.append(
            Finding(
                .error, backend.key, "has no endpoints: connections to it are refused",
                advice: "check that its pods are ready and that the Service selects them, or that its names resolve"))
    } else if bad.count == backend.endpoints.count {
        found.append(
            Finding(
                .error, backend.key, "none of its \(bad.count) endpoints can be used\(failure)",
                advice: "\(probe) runs the health check and shows each step"))
    } else if !bad.isEmpty {
        found.append(
            Finding(
                .warning, backend.key, "\(bad.count) of \(backend.endpoints.count) endpoints cannot be used\(failure)",
                advice: "\(probe) runs the health check and shows each step"))
    }
    return found
}

private func findings(_ policy: PolicyNode) -> [Finding] {
    let subject = "\(policy.kind) \(policy.namespace)/\(policy.name)"
    return policy.ancestors.flatMap { ancestor in
        ancestor.conditions.filter(\.isProblem).map {
            Finding(
                .error, subject, "\($0.type) is \($0.status) for \(ancestor.parent) (\($0.reason)): \($0.message)",
                advice: "what it asks for is not in force; sluice check says what is wrong with it")
        }
    }
}

private func findings(_ certificate: CertificateNode, now: Int64) -> [Finding] {
    let left = certificate.notAfter - now
    let users = certificate.usedBy.joined(separator: ", ")
    let subject = "\(certificate.object) (\(certificate.usage) of \(users))"
    let advice = "renew it, and see why whoever should have renewed it did not"
    switch left {
    case ...0: return [Finding(.error, subject, "has expired", advice: advice)]
    case ..<(2 * 86400): return [Finding(.error, subject, "expires in \(max(1, left / 3600)) hours", advice: advice)]
    case ..<(14 * 86400): return [Finding(.warning, subject, "expires in \(left / 86400) days", advice: advice)]
    default: return []
    }
}

/// Connections that were refused or failed in the last ten minutes.
func findings(in traffic: LiveTraffic) -> [Finding] {
    traffic.refusals.compactMap { refusal in
        let count = refusal.minutes.reduce(0, +)
        guard count > 0 else { return nil }
        return Finding(
            .warning, refusal.place,
            "\(count) connections ended with \(refusal.reason) in the last ten minutes: \(refusal.meaning)",
            advice: refusal.advice)
    }
}
