internal import EngineModel
internal import KubernetesAPI

extension ClientPolicyState {
    /// What deserves to be said of a policy that holds at a listener. The gravest come first.
    func warnings(at listener: ListenerState) -> [Verdict] {
        var warnings: [Verdict] = []
        if let field = policy.spec.proxyProtocol, (field.trustedCIDRs ?? []).isEmpty {
            warnings.append(
                Verdict(
                    .trustsAllPeers,
                    "proxyProtocol without trustedCIDRs believes every peer: whoever reaches the port can name any address"
                ))
        }
        for rule in limits?.authorization?.rules ?? [] {
            guard let missing = listener.missingInput(of: rule.principal) else { continue }
            warnings.append(
                Verdict(
                    .ruleCannotMatch,
                    "authorization rule \(rule.name) cannot match at listener \(listener.spec.name), which has no \(missing)"
                ))
        }
        return warnings
    }

    /// What client certificates must hold by this policy; nil: nothing.
    var requirement: ClientValidation.Requirement? {
        guard let field = policy.spec.tls?.clientValidation else { return nil }
        let names = field.subjectAltNames?.map { name -> ClientValidation.Name in
            let value = name.type == "DNS" ? name.value.lowercased() : name.value
            let pattern: TextPattern =
                switch name.effectiveMatch {
                case "Prefix": .prefix(value)
                case "Suffix": .suffix(value)
                default: .exact(value)
                }
            return switch name.type {
            case "DNS": .dns(pattern)
            case "URI": .uri(pattern)
            default: .email(pattern)
            }
        }
        return ClientValidation.Requirement(names: names, spkiHashes: field.spkiHashes.map { Set($0) })
    }
}

extension ListenerState {
    /// An input that a rule asks for and that connections of this listener never have; nil: they may have all of them.
    func missingInput(of principal: Principal) -> String? {
        if principal.serverNames != nil, !isTLS { return "server names" }
        if principal.certificate != nil, traffic != .terminate || clientValidation == nil {
            return "client certificates"
        }
        return nil
    }
}
