internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Gateway.spec.tls.frontend: which client certificates the listeners of each port ask for.
struct FrontendTLS {
    private var byDefault: PortTLS?
    private var byPort: [Int: PortTLS?] = [:]
    /// Whether any part of it lets clients in whose certificate does not verify.
    private(set) var allowsInsecureFallback = false

    /// What holds for the listeners that terminate TLS on one port.
    struct PortTLS {
        /// Nil: nothing verifies, so that nobody may be let in.
        var validation: ClientValidation?
        var unresolved: [Verdict] = []
        var rejection: Verdict?
        var remarks: [String] = []
    }

    init(_ gateway: Gateway, _ key: ObjectKey, _ snapshot: ClusterSnapshot, grants: GrantIndex) {
        guard let frontend = gateway.spec.tls?.frontend else { return }
        let reader = AuthorityReader(namespace: key.namespace, snapshot: snapshot, grants: grants)
        byDefault = frontend.default?.validation.map { reader.read($0) }
        // An entry of a port replaces the default also where it asks for nothing.
        for entry in frontend.perPort ?? [] where byPort[entry.port] == nil {
            byPort.updateValue(entry.tls?.validation.map { reader.read($0) }, forKey: entry.port)
        }
        let all = [frontend.default] + (frontend.perPort ?? []).map(\.tls)
        allowsInsecureFallback = all.contains { $0?.validation?.mode == "AllowInsecureFallback" }
    }

    /// Nil: no client certificate is asked for.
    subscript(port: Int) -> PortTLS? {
        guard let ofPort = byPort[port] else { return byDefault }
        return ofPort
    }
}

/// Reads CA certificates for a gateway.
private struct AuthorityReader {
    let namespace: String
    let snapshot: ClusterSnapshot
    let grants: GrantIndex

    func read(_ validation: Gateway.FrontendValidation) -> FrontendTLS.PortTLS {
        var result = FrontendTLS.PortTLS()
        var trust: [TrustFacts] = []
        for reference in validation.caCertificateRefs ?? [] {
            switch authority(reference) {
            case .success(let facts):
                if !trust.contains(facts.trust) { trust.append(facts.trust) }
                result.remarks += facts.remarks
            case .failure(let problem): result.unresolved.append(problem.verdict)
            }
        }
        let mode: ClientValidation.Mode
        switch validation.mode ?? "AllowValidOnly" {
        case "AllowValidOnly": mode = .validOnly
        case "AllowInsecureFallback": mode = .insecureFallback
        case let other:
            result.rejection = Verdict(.unsupportedValue, "tls.frontend: mode '\(other)' is unknown")
            return result
        }
        if trust.isEmpty {
            let why = result.unresolved.merged.map { ": \($0.message)" } ?? ""
            result.rejection = Verdict(
                .noValidCACertificate, "tls.frontend: no CA certificate can be used, so nobody is let in\(why)")
        } else {
            result.validation = ClientValidation(trust: trust, mode: mode)
        }
        return result
    }

    private func authority(_ reference: ObjectReference) -> Result<CARead, ReferenceFailure> {
        let target = ObjectKey(namespace: reference.namespace ?? namespace, name: reference.name)
        guard reference.group.isEmpty, ["ConfigMap", "Secret"].contains(reference.kind) else {
            let name = reference.group.isEmpty ? reference.kind : "\(reference.kind).\(reference.group)"
            return .failure(
                .init(
                    .invalidCACertificateKind, "caCertificateRef \(name) \(target): supported are ConfigMap and Secret")
            )
        }
        guard grants.permits("Gateway", in: namespace, toGroup: "", toKind: reference.kind, target) else {
            return .failure(
                .init(
                    .refNotPermitted,
                    "\(reference.kind) \(target): no ReferenceGrant in \(target.namespace) lets Gateways of \(namespace) "
                        + "use it"))
        }
        return caCertificates(reference.kind, target, in: snapshot).mapError {
            ReferenceFailure(.invalidCACertificateRef, $0.message)
        }
    }
}
