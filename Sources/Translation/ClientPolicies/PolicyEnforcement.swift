internal import EngineModel
internal import KubernetesAPI

// What a policy asks for, and what a listener has to be for that to be done: nothing is accepted that is not enforced.

extension ClientPolicyReading {
    /// A field that means something on some listeners only.
    struct Need {
        let field: String
        /// Must be met by every listener of a target; others by one.
        let isSecurity: Bool
        /// What such a listener is, as a message says it.
        let wanted: String
        let isMet: (ListenerState) -> Bool
    }

    /// The fields of the policy that do not mean something on every listener.
    var needs: [Need] {
        let tls = spec.tls
        let tcp = spec.timeout?.tcp
        var settings = tls
        settings?.clientValidation = nil
        var needs: [Need] = []
        if spec.startTLS != nil {
            needs.append(.init(field: "startTLS", isSecurity: true, wanted: "of protocol TLS") { $0.isTLS })
        }
        if tls?.clientValidation != nil {
            needs.append(
                .init(
                    field: "tls.clientValidation", isSecurity: true,
                    wanted: "that terminates TLS and validates clients by Gateway.spec.tls.frontend, to which it adds"
                ) { $0.traffic == .terminate && $0.clientValidation != nil })
        }
        if let settings, settings != ClientPolicy.TLS() {
            needs.append(
                .init(field: "tls", isSecurity: false, wanted: "that terminates TLS") { $0.traffic == .terminate })
        }
        if tcp?.tlsHandshakeTimeout != nil {
            needs.append(
                .init(field: "tlsHandshakeTimeout", isSecurity: false, wanted: "that terminates TLS") {
                    $0.traffic == .terminate
                })
        }
        if tcp?.connectionInspectionTimeout != nil {
            needs.append(
                .init(field: "connectionInspectionTimeout", isSecurity: false, wanted: "of protocol TLS") { $0.isTLS })
        }
        return needs
    }

    /// Why the policy cannot be enforced: its security fields on each of `own`, the others on one of `all`, its rules on one of
    /// `all`. Listeners that are not served are no reason.
    func unenforceable(on own: [ListenerState], all: [ListenerState], _ point: AttachmentPoint) -> Verdict? {
        let (own, all) = (own.filter { $0.obstacle == nil }, all.filter { $0.obstacle == nil })
        guard !all.isEmpty else { return nil }
        for need in needs {
            if need.isSecurity, let failing = own.first(where: { !need.isMet($0) }) {
                return Verdict(
                    .invalid, "\(need.field) needs a listener \(need.wanted): listener \(failing.spec.name) is not one")
            }
            if !need.isSecurity, !all.contains(where: need.isMet) {
                return Verdict(
                    .invalid, "\(need.field) needs a listener \(need.wanted): \(point.description) has none")
            }
        }
        return neverMatching(at: all, point)
    }

    /// Why the policy cannot hold below a Gateway: what that logs is the platform's business.
    func silencing(_ point: AttachmentPoint) -> Verdict? {
        switch point {
        case .gateway, .gatewayListener: return nil
        default: guard spec.accessLog?.isDisabled == true else { return nil }
        }
        return Verdict(
            .invalid,
            "accessLog.disabled counts on a Gateway and its listeners: what \(point.description) says adds to what its "
                + "Gateway logs")
    }

    /// Why a rule matches at none of the listeners; nil: each may match somewhere.
    func neverMatching(at listeners: [ListenerState], _ point: AttachmentPoint) -> Verdict? {
        guard !listeners.isEmpty else { return nil }
        for rule in limits?.authorization?.rules ?? [] {
            let missing = listeners.compactMap { $0.missingInput(of: rule.principal) }
            guard missing.count == listeners.count, let input = missing.first else { continue }
            return Verdict(
                .invalid,
                "authorization rule \(rule.name) can never match: no listener of \(point.description) has \(input)")
        }
        return nil
    }

    /// A security field that cannot be enforced at a listener which somebody else added to the policy's target.
    func unprotected(_ listener: ListenerState) -> String? {
        guard listener.obstacle == nil else { return nil }
        return needs.first { $0.isSecurity && !$0.isMet(listener) }?.field
    }
}

extension ListenerState {
    /// An input that a rule asks for and that connections of this listener never have; nil: they may have all of them.
    func missingInput(of principal: Principal) -> String? {
        if principal.serverNames != nil, !isTLS { return "server names" }
        if principal.certificate != nil {
            if traffic != .terminate { return "client certificates, for it does not terminate TLS" }
            if clientValidation == nil { return "client certificates, for Gateway.spec.tls.frontend asks for none" }
        }
        return nil
    }

    /// Whether a merged field, by its name in ``ClientSettings/sources``, means something here.
    func heeds(_ field: String) -> Bool {
        if field.hasPrefix("tls.") || field == "tlsHandshakeTimeout" { return traffic == .terminate }
        if field == "startTLS" || field == "connectionInspectionTimeout" { return isTLS }
        return true
    }
}
