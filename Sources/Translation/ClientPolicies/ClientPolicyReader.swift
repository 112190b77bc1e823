internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Reads a policy's fields into the engine's values, and collects what is wrong with them. What its definition refuses can
/// come from a folder of manifests: then nothing of the policy holds, and its security fields fail closed.
struct ClientPolicyReader {
    let key: ObjectKey
    let snapshot: ClusterSnapshot
    /// What limits are divided by; nil: not known.
    let replicas: Int?
    /// Why the policy cannot be accepted.
    private(set) var rejections: [Verdict] = []
    /// References that lead nowhere.
    private(set) var unresolved: [Verdict] = []
    private(set) var hasReferences = false

    init(_ key: ObjectKey, _ snapshot: ClusterSnapshot, replicas: Int?) {
        self.key = key
        self.snapshot = snapshot
        self.replicas = replicas
    }

    /// The policy's values, and what is wrong with them.
    mutating func read(_ policy: ClientPolicy) -> ClientPolicyReading {
        // From a folder of manifests an object can come that an API server would have refused.
        for problem in policy.specProblems() { reject("\(problem.field): \(problem.message)") }
        if let tls = policy.spec.tls { for problem in tls.unknownNames { reject("spec.tls.\(problem)") } }
        let reading = ClientPolicyReading(
            uid: policy.metadata.uid, generation: policy.metadata.generation, spec: policy.spec,
            limits: limits(policy.spec), requirement: policy.spec.tls?.clientValidation.map { requirement($0) })
        rejections.insert(contentsOf: reading.unsupportedTargets(in: key.namespace), at: 0)
        return reading
    }

    private mutating func reject(_ message: String) { rejections.append(Verdict(.invalid, message)) }

    /// Rules and limits of one policy, whose id is the target's business.
    private mutating func limits(_ spec: ClientPolicy.Spec) -> ClientLimits? {
        var limits = ClientLimits(id: LimitID(policy: key.description, target: ""))
        limits.authorization = spec.authorization.map { authorization($0) }
        limits.connections = spec.connectionLimit.map { connections($0) }
        limits.connectionRate = spec.connectionRateLimit.map { rate($0) }
        limits.bandwidth = spec.bandwidthLimit.map { bandwidth($0) }
        let isEmpty =
            limits.authorization == nil && limits.connections == nil && limits.connectionRate == nil
            && limits.bandwidth == nil
        return isEmpty ? nil : limits
    }

    // MARK: Authorization

    private mutating func authorization(_ field: ClientPolicy.Authorization) -> Authorization {
        let rules = (field.rules ?? []).map { rule in
            Authorization.Rule(
                name: rule.name, action: Authorization.Action(rule.action),
                principal: principal(rule.principal, rule.name))
        }
        return Authorization(
            rules: rules, allowsByDefault: field.effectiveDefaultAction == "Allow",
            terminatesExisting: field.terminatesExisting)
    }

    private mutating func principal(_ field: ClientPolicy.Principal, _ rule: String) -> Principal {
        var principal = Principal()
        if field.clientCIDRs != nil || field.clientCIDRRefs != nil {
            var sets: [CIDRSet] = field.clientCIDRs.map { [CIDRSet($0.compactMap { CIDR($0) })] } ?? []
            for reference in field.clientCIDRRefs ?? [] { sets += [addresses(reference, rule)].compactMap { $0 } }
            principal.clients = sets
        }
        principal.peers = field.peerCIDRs.map { CIDRSet($0.compactMap { CIDR($0) }) }
        principal.serverNames = field.serverNames?.compactMap { HostnamePattern($0) }
        principal.certificate = field.clientCertificate.map { certificate in
            CertificatePrincipal(
                dnsNames: certificate.dnsNames?.map { TextPattern(star: $0.lowercased()) },
                uris: certificate.uris?.map { TextPattern(star: $0) },
                emails: certificate.emails?.map { TextPattern(star: $0) },
                spkiHashes: certificate.spkiHashes.map { Set($0) },
                issuerCommonNames: certificate.issuerCommonNames.map { Set($0) })
        }
        return principal
    }

    /// A list of a ConfigMap. One that cannot be read rejects the policy: a rule without it would let in, or keep out,
    /// other clients than its author meant.
    private mutating func addresses(_ reference: ClientPolicy.CIDRListReference, _ rule: String) -> CIDRSet? {
        hasReferences = true
        let object = ObjectKey(namespace: key.namespace, name: reference.name)
        switch addressList(object, key: reference.key, in: snapshot) {
        case .success(let list): return list.addresses
        case .failure(let problem):
            unresolved.append(Verdict(.invalidRef, "authorization rule \(rule): \(problem.message)"))
            return nil
        }
    }

    // MARK: Client certificates

    private mutating func requirement(_ field: ClientPolicy.ClientValidation) -> ClientValidation.Requirement {
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
        var lists: [RevocationFacts] = []
        for reference in field.crlRefs ?? [] {
            hasReferences = true
            let object = ObjectKey(namespace: key.namespace, name: reference.name)
            switch revocationLists(reference.effectiveKind, object, key: reference.key, in: snapshot) {
            case .success(let facts): lists.append(facts)
            case .failure(let problem):
                unresolved.append(Verdict(.invalidRef, "tls.clientValidation.crlRefs: \(problem.message)"))
            }
        }
        return ClientValidation.Requirement(
            names: names, spkiHashes: field.spkiHashes.map { Set($0) }, revocationLists: lists)
    }

    // MARK: Limits

    private func connections(_ field: ClientPolicy.ConnectionLimit) -> ConnectionLimit {
        let pods = max(1, replicas ?? 1)
        let share =
            field.effectiveShared == "Divide" ? field.value.map { $0 / pods + ($0 % pods > 0 ? 1 : 0) } : field.value
        return ConnectionLimit(
            value: share,
            perSource: field.perSourceIP.map {
                ConnectionLimit.PerSource(
                    value: $0.value,
                    source: SourcePrefix(v4: $0.effectiveIPv4PrefixLength, v6: $0.effectiveIPv6PrefixLength))
            },
            closeDelay: GatewayDuration(field.effectiveCloseDelay)?.duration ?? .zero,
            onLimit: field.effectiveOnLimit == "Pause" ? .pause : .close)
    }

    private func rate(_ field: ClientPolicy.ConnectionRateLimit) -> ConnectionRateLimit {
        let interval: ConnectionRateLimit.Interval =
            switch field.effectiveUnit {
            case "Minute": .minute
            case "Hour": .hour
            default: .second
            }
        return ConnectionRateLimit(
            total: field.connections.map { .init(connections: $0, per: interval, burst: field.effectiveBurst) },
            perSource: field.perSourceIP.map {
                .init(connections: $0.connections, per: interval, burst: $0.effectiveBurst)
            },
            source: SourcePrefix(
                v4: field.perSourceIP?.effectiveIPv4PrefixLength ?? 32,
                v6: field.perSourceIP?.effectiveIPv6PrefixLength ?? 64))
    }

    private func bandwidth(_ field: ClientPolicy.BandwidthLimit) -> BandwidthLimit {
        let scope: BandwidthLimit.Scope =
            switch field.effectiveScope {
            case "SourceIP": .source
            case "Target": .target
            default: .connection
            }
        return BandwidthLimit(
            request: field.request.flatMap { rate($0) }, response: field.response.flatMap { rate($0) }, scope: scope)
    }

    private func rate(_ field: ClientPolicy.Bandwidth) -> BandwidthLimit.Rate? {
        guard let value = field.value.roundedUp else { return nil }
        return BandwidthLimit.Rate(bytesPerSecond: Int(value), burst: field.effectiveBurst.roundedUp.map { Int($0) })
    }
}

extension Authorization.Action {
    fileprivate init(_ text: String) {
        switch text {
        case "Allow": self = .allow
        case "Audit": self = .audit
        default: self = .deny
        }
    }
}
