public import EngineModel
public import KubernetesAPI
internal import Primitives

/// A certificate, a bundle of CA certificates or a list of revoked ones that a gateway of ours refers to and may use.
public struct CertificateUse: Hashable, Sendable {
    /// Raw values are the label `usage` of `sluice_tls_certificate_not_after_timestamp_seconds`.
    public enum Usage: String, Hashable, Sendable {
        case listener
        case clientCA = "client_ca"
        case backendClient = "backend_client"
        case revocationList = "crl"
    }

    public var usage: Usage
    /// A Secret, or a ConfigMap.
    public var object: ObjectKey
    /// The listener's name is empty for what is the whole gateway's.
    public var listener: ListenerID
    /// The last second in which it is valid, since 1970: of several the earliest; nil: what is there cannot be used, or does not
    /// say.
    public var notAfter: Int64?
    /// Whether the newest content of the object cannot be used. That of an earlier version may be, in its place.
    public var isInvalid: Bool
    /// Differs where the content does.
    public var version: String

    public init(
        usage: Usage, object: ObjectKey, listener: ListenerID, notAfter: Int64?, isInvalid: Bool, version: String
    ) {
        (self.usage, self.object, self.listener) = (usage, object, listener)
        (self.notAfter, self.isInvalid, self.version) = (notAfter, isInvalid, version)
    }
}

/// What gateways of ours refer to, each use once, sorted.
func certificateUses(
    _ gateways: [GatewayState], _ policies: ClientPolicyResolution, _ snapshot: ClusterSnapshot, _ grants: GrantIndex
) -> [CertificateUse] {
    var collector = CertificateCollector(snapshot: snapshot, grants: grants)
    for gateway in gateways {
        collector.add(gateway)
        for listener in gateway.listeners where listener.traffic == .terminate {
            collector.add(listener, of: gateway)
            for holder in policies.index.holders(at: listener.attachmentPoints)
            where policies.index.obstacle(holder) == nil {
                let references = policies.index.reading(holder).spec.tls?.clientValidation?.crlRefs ?? []
                collector.add(references, of: policies.index.policies[holder.policy].key, at: listener)
            }
        }
    }
    return collector.uses
}

private struct CertificateCollector {
    private struct Place: Hashable {
        var usage: CertificateUse.Usage
        var object: ObjectKey
        var listener: ListenerID
    }
    let snapshot: ClusterSnapshot
    let grants: GrantIndex
    private var found: [Place: CertificateUse] = [:]

    init(snapshot: ClusterSnapshot, grants: GrantIndex) { (self.snapshot, self.grants) = (snapshot, grants) }

    var uses: [CertificateUse] {
        found.values.sorted {
            ($0.object.description, $0.listener.description, $0.usage.rawValue)
                < ($1.object.description, $1.listener.description, $1.usage.rawValue)
        }
    }

    mutating func add(_ gateway: GatewayState) {
        guard let reference = gateway.gateway.spec.tls?.backend?.clientCertificateRef else { return }
        let owner = ListenerOwner(gateway: gateway.key, set: nil)
        add(reference, .backendClient, owner, owner.id(""))
    }

    mutating func add(_ listener: ListenerState, of gateway: GatewayState) {
        for reference in listener.spec.tls?.certificateRefs ?? [] {
            add(reference, .listener, listener.owner, listener.id)
        }
        guard let frontend = gateway.gateway.spec.tls?.frontend else { return }
        // As FrontendTLS has it.
        let ofPort = frontend.perPort?.first { $0.port == listener.spec.port }
        let validation = ofPort.map { $0.tls?.validation } ?? frontend.default?.validation
        for reference in validation?.caCertificateRefs ?? [] where reference.group.isEmpty {
            let object = ObjectKey(namespace: reference.namespace ?? gateway.key.namespace, name: reference.name)
            let isPermitted = grants.permits(
                "Gateway", in: gateway.key.namespace, toGroup: "", toKind: reference.kind, object)
            guard isPermitted else { continue }
            let (facts, stale) =
                reference.kind == "Secret"
                ? (snapshot.secrets[object]?.caCertificates, snapshot.secrets[object]?.staleReason)
                : (snapshot.configMaps[object]?.caCertificates, snapshot.configMaps[object]?.staleReason)
            let read = facts.map {
                $0.map { trust -> (Int64?, String) in (trust.notAfter, trust.material.fingerprint) }
            }
            add(read, stale, .clientCA, object, listener.id)
        }
    }

    mutating func add(
        _ references: [ClientPolicy.RevocationListReference], of policy: ObjectKey, at listener: ListenerState
    ) {
        for reference in references {
            let object = ObjectKey(namespace: policy.namespace, name: reference.name)
            let lists =
                reference.effectiveKind == "Secret"
                ? snapshot.secrets[object]?.revocationLists : snapshot.configMaps[object]?.revocationLists
            let facts = lists?[reference.key].map {
                $0.map { list -> (Int64?, String) in (list.nextUpdate, list.material.fingerprint) }
            }
            add(facts, nil, .revocationList, object, listener.id)
        }
    }

    private mutating func add(
        _ reference: SecretObjectReference, _ usage: CertificateUse.Usage, _ owner: ListenerOwner,
        _ listener: ListenerID
    ) {
        guard reference.effectiveGroup.isEmpty, reference.effectiveKind == "Secret" else { return }
        let object = ObjectKey(namespace: reference.namespace ?? owner.namespace, name: reference.name)
        guard grants.permits(owner.kind, in: owner.namespace, toGroup: "", toKind: "Secret", object) else { return }
        let secret = snapshot.secrets[object]
        let facts = secret?.keyPair.map {
            $0.map { pair -> (Int64?, String) in (pair.notAfter, pair.material.fingerprint) }
        }
        add(facts, secret?.staleReason, usage, object, listener)
    }

    /// Nothing where the object, or that part of it, is not there.
    private mutating func add(
        _ facts: Result<(Int64?, String), CertificateProblem>?, _ stale: String?, _ usage: CertificateUse.Usage,
        _ object: ObjectKey, _ listener: ListenerID
    ) {
        guard let facts else { return }
        var use = CertificateUse(
            usage: usage, object: object, listener: listener, notAfter: nil, isInvalid: stale != nil, version: "")
        switch facts {
        case .success(let (notAfter, fingerprint)):
            (use.notAfter, use.version) = (notAfter, fingerprint + (stale ?? ""))
        case .failure(let problem): (use.isInvalid, use.version) = (true, problem.message)
        }
        let place = Place(usage: usage, object: object, listener: listener)
        guard let known = found[place] else {
            found[place] = use
            return
        }
        // A Secret and a ConfigMap of one name, or two lists of one object.
        let moments = [known.notAfter, use.notAfter].compactMap { $0 }
        found[place]?.notAfter = moments.min()
        found[place]?.isInvalid = known.isInvalid || use.isInvalid
        if known.version != use.version { found[place]?.version += " \(use.version)" }
    }
}
