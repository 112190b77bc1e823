internal import EngineModel
internal import KubernetesAPI
internal import Primitives
internal import Translation

extension Explainer {
    /// A policy: what is said of it, and what it is attached to.
    mutating func policy(_ kind: String, _ key: ObjectKey) {
        guard let policy = allPolicies.first(where: { $0.kind == kind && $0.key == key }) else {
            return missing(kind, key, among: allPolicies.filter { $0.kind == kind }.map(\.key), depth: 0)
        }
        let conditions = policy.conditions(at: nil)
        if conditions.isEmpty {
            let notice = inspected.notices.first { $0.kind == kind && $0.key == key }?.message
            links.append(
                Link(
                    .broken, object: policy.title, field: "spec.targetRefs",
                    message: notice ?? "has no effect: none of its targets is served",
                    advice: "compare targetRefs with the names of the objects in the policy's namespace"))
        }
        for condition in conditions {
            guard let verdict = condition.trouble else { continue }
            let isClosing = condition.type == .accepted && closes(policy)
            note(
                verdict, policy.title, condition, isClosing ? .authorizationDenied : nil, field: "spec.targetRefs",
                advice: advice(condition), depth: 0)
        }
        if links.isEmpty {
            let targets = policy.targets.map(\.title).joined(separator: "; ")
            let held = conditions[.programmed].map { $0.message.isEmpty ? "" : " (\($0.message))" } ?? ""
            good(policy.title, "holds at \(targets)\(held)", depth: 0)
        }
        for point in policy.targets { self.target(point) }
    }

    /// Whether it is not accepted, and lets nobody in on that account.
    private func closes(_ policy: PolicyFacts) -> Bool {
        let all = inspected.configuration.listeners.flatMap { listener -> [ClientLimits] in
            switch listener.traffic {
            case .tcp(let route): return listener.limits + (route?.limits ?? [])
            case .tls(let tls):
                return listener.limits + tls.routes.flatMap(\.route.limits) + (tls.fallback?.limits ?? [])
            }
        }
        return all.contains { limits in
            limits.id.policy == policy.key.description && limits.authorization?.rules.isEmpty == true
                && limits.authorization?.allowsByDefault == false
        }
    }

    private mutating func target(_ point: PolicyPoint) {
        guard let kind = ExplainedKind(point.kind) else { return }
        if let section = point.section, kind == .gateway {
            explain(.listener, ObjectKey(namespace: point.key.namespace, name: "\(point.key.name)/\(section)"))
        } else {
            explain(kind, point.key)
        }
    }

    mutating func gatewayClass(_ key: ObjectKey) {
        let title = "GatewayClass \(key)"
        let users = snapshot.gateways.filter { $0.value.spec.gatewayClassName == key.name }.keys.sorted()
        guard let found = snapshot.gatewayClasses[key] else {
            // Standalone a class needs no object.
            guard users.contains(where: { inspected.statuses.gateways[$0] != nil }) else {
                return missing("GatewayClass", key, among: snapshot.gatewayClasses.keys, depth: 0)
            }
            good(title, "ours by its name, without an object", depth: 0)
            return gateways(users)
        }
        guard let status = inspected.statuses.gatewayClasses[key] else {
            links.append(
                Link(
                    .broken, object: title, field: "spec.controllerName",
                    message: "GatewayClass \(key) is not ours; its controllerName is \(found.spec.controllerName)",
                    advice: "use a class with the controllerName that sluice runs with"))
            return gateways(users)
        }
        for condition in status.conditions {
            if let verdict = condition.trouble { note(verdict, title, condition, field: "spec", depth: 0) }
        }
        if links.isEmpty { good(title, status.conditions[.accepted]?.message ?? "accepted", depth: 0) }
        gateways(users)
    }

    private mutating func gateways(_ keys: [ObjectKey]) { for key in keys { _ = gateway(key) } }

    /// A Secret: what it holds, and whose certificate it is.
    mutating func secret(_ key: ObjectKey) {
        let title = "Secret \(key)"
        let users = snapshot.gateways.keys.sorted().flatMap { listeners(of: $0) }.filter { listener in
            (listener.spec.tls?.certificateRefs ?? []).contains {
                $0.name == key.name && ($0.namespace ?? (listener.set ?? listener.gateway).namespace) == key.namespace
            }
        }
        guard let secret = snapshot.secrets[key] else {
            return missing("Secret", key, among: snapshot.secrets.keys, depth: 0)
        }
        if let stale = secret.staleReason {
            links.append(
                Link(
                    .warning, object: title, field: "data",
                    message: "the last good certificate is served, because \(stale)",
                    advice: "mend the Secret"))
        }
        switch secret.keyPair {
        case .success(let facts): validity(facts, title, .tlsError, depth: 0)
        case .failure(let problem):
            links.append(
                Link(.broken, object: title, field: "data", message: problem.message, advice: "mend the Secret"))
        case nil: authorities(secret, title)
        }
        if users.isEmpty { good(title, "no listener uses it as its certificate", depth: 0) }
        for gateway in Set(users.map(\.gateway)).sorted() {
            chain(gateway, Focus(listeners: Set(users.filter { $0.gateway == gateway }.map(\.id)), routes: []))
        }
    }

    private mutating func authorities(_ secret: SecretEntry, _ title: String) {
        switch secret.caCertificates {
        case .success(let trust):
            good(title, "\(trust.subjects.count) CA certificates, valid until \(date(trust.notAfter))", depth: 0)
        case .failure(let problem):
            links.append(Link(.broken, object: title, field: "data[ca.crt]", message: problem.message))
        case nil: good(title, "has neither tls.crt with tls.key nor ca.crt", depth: 0)
        }
    }
}
