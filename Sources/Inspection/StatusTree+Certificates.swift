internal import EngineModel
internal import KubernetesAPI
internal import Primitives

extension TreeBuilder {
    /// Those that the engine uses, by the objects that they come from; the soonest to expire first.
    func certificates() -> [CertificateNode] {
        let sources = CertificateSources(snapshot)
        var uses = CertificateUses()
        for listener in inspected.configuration.listeners {
            guard case .tls(let tls) = listener.traffic, case .terminate(let termination) = tls.mode else { continue }
            let user = "Gateway \(listener.id)"
            let near = namespace(of: listener.id)
            for pair in termination.certificates { uses.add(sources.pair(pair, near), "listener", user, pair) }
            for trust in termination.clientValidation?.trust ?? [] {
                uses.add(sources.trust(trust, near), "client_ca", user, trust.subjects, trust.notAfter)
            }
            for list in (termination.clientValidation?.requirements ?? []).flatMap(\.revocationLists) {
                guard let end = list.nextUpdate else { continue }
                uses.add(sources.revocation(list, near), "crl", user, list.issuers, end)
            }
        }
        for backend in inspected.configuration.backends {
            guard let pair = backend.tls?.clientCertificate else { continue }
            uses.add(sources.pair(pair, backend.id.namespace), "backend_client", backend.id.description, pair)
        }
        return uses.nodes
    }

    /// Where the listener's owner refers from: the set's namespace, or the gateway's.
    private func namespace(of id: ListenerID) -> String {
        let parts = id.listener.split(separator: "/")
        return parts.count == 3 ? String(parts[0]) : id.gatewayNamespace
    }
}

/// Which objects hold a certificate, by what it is rather than by its name.
private struct CertificateSources {
    private var pairs: [KeyPairFacts: [String: [String]]] = [:]
    private var trusts: [TrustFacts: [String: [String]]] = [:]
    private var lists: [RevocationFacts: [String: [String]]] = [:]

    init(_ snapshot: ClusterSnapshot) {
        for (key, secret) in snapshot.secrets {
            let title = "Secret \(key)"
            if case .success(let pair)? = secret.keyPair {
                pairs[pair, default: [:]][key.namespace, default: []] += [title]
            }
            add(title, key.namespace, secret.caCertificates, secret.revocationLists)
        }
        for (key, map) in snapshot.configMaps {
            add("ConfigMap \(key)", key.namespace, map.caCertificates, map.revocationLists)
        }
    }

    private mutating func add(
        _ title: String, _ namespace: String, _ trust: Result<TrustFacts, CertificateProblem>?,
        _ revocations: [String: Result<RevocationFacts, CertificateProblem>]
    ) {
        if case .success(let facts)? = trust { trusts[facts, default: [:]][namespace, default: []] += [title] }
        for case .success(let facts) in revocations.values {
            lists[facts, default: [:]][namespace, default: []] += [title]
        }
    }

    func pair(_ facts: KeyPairFacts, _ namespace: String) -> String { nearest(pairs[facts], namespace) }
    func trust(_ facts: TrustFacts, _ namespace: String) -> String { nearest(trusts[facts], namespace) }
    func revocation(_ facts: RevocationFacts, _ namespace: String) -> String { nearest(lists[facts], namespace) }

    /// The same bytes may stand in several objects: those of the user's namespace are likelier meant.
    private func nearest(_ titles: [String: [String]]?, _ namespace: String) -> String {
        let near = titles?[namespace] ?? titles?.values.flatMap { $0 } ?? []
        return near.min() ?? ""
    }
}

/// Gathers who uses the same certificate for the same.
private struct CertificateUses {
    private struct Key: Hashable {
        var object: String
        var usage: String
        var notAfter: Int64
    }
    private var all: [Key: CertificateNode] = [:]

    mutating func add(_ object: String, _ usage: String, _ user: String, _ pair: KeyPairFacts) {
        add(object, usage, user, pair.dnsNames.map(\.description), pair.notAfter)
    }

    mutating func add(_ object: String, _ usage: String, _ user: String, _ names: [String], _ notAfter: Int64) {
        let key = Key(object: object, usage: usage, notAfter: notAfter)
        let node = CertificateNode(object: object, usage: usage, usedBy: [], names: names, notAfter: notAfter)
        if all[key]?.usedBy.last != user { all[key, default: node].usedBy.append(user) }
    }

    var nodes: [CertificateNode] {
        all.values.sorted {
            ($0.notAfter, $0.object, $0.usage) < ($1.notAfter, $1.object, $1.usage)
        }
    }
}
