internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// A BackendTLSPolicy on its way through the translation.
struct PolicyState {
    let key: ObjectKey
    let policy: BackendTLSPolicy
    let tls: BackendTLS
    /// Why the policy cannot be accepted; then ``tls`` fails closed.
    var rejection: Verdict?
    var unresolved: [Verdict]
    var remarks: [String]
    /// Targets that an older policy has.
    var conflicts: [String] = []
    /// Gateways whose traffic the policy affects.
    var ancestors: Set<ObjectKey> = []

    init(_ key: ObjectKey, _ policy: BackendTLSPolicy, _ snapshot: ClusterSnapshot) {
        self.key = key
        self.policy = policy
        var reader = PolicyReader(namespace: key.namespace, snapshot: snapshot)
        let validation = policy.spec.validation
        let trust = reader.trust(validation)
        let hostname = reader.hostname(validation.hostname)
        let names = reader.subjectAltNames(validation.subjectAltNames ?? [])
        reader.checkOptions(policy.spec.options ?? [:])
        self.rejection = reader.rejections.merged
        self.unresolved = reader.unresolved
        self.remarks = reader.remarks
        self.tls = BackendTLS(
            trust: reader.rejections.isEmpty ? trust : .unusable, hostname: hostname, subjectAltNames: names)
    }
}

/// Reads a policy's validation and collects what is wrong with it.
private struct PolicyReader {
    let namespace: String
    let snapshot: ClusterSnapshot
    var rejections: [Verdict] = []
    var unresolved: [Verdict] = []
    var remarks: [String] = []

    mutating func trust(_ validation: BackendTLSPolicy.Validation) -> BackendTLS.Trust {
        let references = validation.caCertificateRefs ?? []
        let wellKnown = validation.wellKnownCACertificates ?? ""
        switch (references.isEmpty, wellKnown) {
        case (true, "System"): return .system
        case (true, ""):
            rejections.append(Verdict(.invalid, "neither caCertificateRefs nor wellKnownCACertificates is given"))
        case (true, let other):
            rejections.append(
                Verdict(.invalid, "wellKnownCACertificates: '\(other)' is not supported (supported: System)"))
        case (false, ""): return bundles(references)
        case (false, _):
            rejections.append(Verdict(.invalid, "both caCertificateRefs and wellKnownCACertificates are given"))
        }
        return .unusable
    }

    private mutating func bundles(_ references: [LocalObjectReference]) -> BackendTLS.Trust {
        var bundles: [TrustFacts] = []
        for reference in references {
            if let facts = bundle(reference), !bundles.contains(facts) { bundles.append(facts) }
        }
        guard bundles.isEmpty else { return .bundles(bundles) }
        let why = unresolved.merged.map { ": \($0.message)" } ?? ""
        rejections.append(Verdict(.noValidCACertificate, "no CA certificate can be used\(why)"))
        return .unusable
    }

    private mutating func bundle(_ reference: LocalObjectReference) -> TrustFacts? {
        let key = ObjectKey(namespace: namespace, name: reference.name)
        guard reference.group.isEmpty, ["ConfigMap", "Secret"].contains(reference.kind) else {
            let name = reference.group.isEmpty ? reference.kind : "\(reference.kind).\(reference.group)"
            unresolved.append(
                Verdict(.invalidKind, "\(name) \(reference.name): supported are ConfigMap and Secret"))
            return nil
        }
        switch caCertificates(reference.kind, key, in: snapshot) {
        case .success(let read):
            remarks += read.remarks
            return read.trust
        case .failure(let problem):
            unresolved.append(Verdict(.invalidCACertificateRef, problem.message))
            return nil
        }
    }

    mutating func hostname(_ text: String) -> String {
        let lowered = text.lowercased()
        if !HostnamePattern.isDNSName(lowered) || IPAddress(lowered) != nil {
            rejections.append(Verdict(.invalid, "validation.hostname: '\(text)' is not a DNS name"))
        }
        return lowered
    }

    mutating func subjectAltNames(_ names: [BackendTLSPolicy.SubjectAltName]) -> [BackendTLS.SubjectAltName] {
        names.enumerated().compactMap { index, name in
            switch (name.type, name.hostname ?? "", name.uri ?? "") {
            case ("Hostname", let hostname, "") where HostnamePattern(hostname) != nil:
                return .hostname(hostname.lowercased())
            case ("URI", "", let uri) where !uri.isEmpty: return .uri(uri)
            default:
                rejections.append(
                    Verdict(.invalid, "validation.subjectAltNames[\(index)] is neither a Hostname nor a URI"))
                return nil
            }
        }
    }

    mutating func checkOptions(_ options: [String: String]) {
        for option in options.keys.sorted() where option.hasPrefix("sluice.dev/") {
            rejections.append(Verdict(.invalid, "options: '\(option)' is unknown"))
        }
    }
}
