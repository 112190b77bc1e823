internal import EngineModel
internal import KubernetesAPI

extension ClientPolicyReading {
    /// What deserves to be said of a policy that holds at a listener. The gravest come first.
    func warnings(at listener: ListenerState) -> [Verdict] {
        var warnings: [Verdict] = []
        if let field = spec.proxyProtocol, (field.trustedCIDRs ?? []).isEmpty {
            warnings.append(
                Verdict(
                    .trustsAllPeers,
                    "proxyProtocol without trustedCIDRs believes every peer: whoever reaches the port can name any address"
                ))
        }
        if let field = unprotected(listener) {
            warnings.append(
                Verdict(
                    .notEnforceable,
                    "\(listener.title) lets nobody in: \(field) cannot be enforced there"))
        }
        return warnings + unmatched(at: listener)
    }

    /// Rules that cannot match at a listener.
    func unmatched(at listener: ListenerState) -> [Verdict] {
        guard listener.obstacle == nil else { return [] }
        return (limits?.authorization?.rules ?? []).compactMap { rule in
            listener.missingInput(of: rule.principal).map { missing in
                Verdict(
                    .ruleCannotMatch,
                    "authorization rule \(rule.name) cannot match at \(listener.title), which has no \(missing)"
                )
            }
        }
    }
}

extension ListenerState {
    /// In a policy's status.
    fileprivate var title: String {
        owner.set.map { "listener \(spec.name) of ListenerSet \($0)" } ?? "listener \(spec.name)"
    }
}
