internal import Certificates
internal import KubernetesAPI
internal import Observability
internal import Primitives

/// Makes informers with what they all share. Of the cluster's thread.
final class InformerFactory {
    let contents: ClusterContents
    let timing: InformerTiming
    let logger: Logger
    /// What a cache on disk had, while it stands in: informers that are made then begin with it.
    var restored: RestoredObjects?
    private let desk: RequestDesk
    private let facts = FactsCache<ObjectIdentity>()
    private var seeds: SplitMix64

    init(contents: ClusterContents, timing: InformerTiming, desk: RequestDesk, logger: Logger, seed: UInt64) {
        (self.contents, self.timing, self.desk, self.logger) = (contents, timing, desk, logger)
        seeds = SplitMix64(seed: seed)
    }

    /// How often OpenSSL was asked for facts.
    var factsComputed: Int { facts.computations }

    func informer(of kind: ClusterKind, version: String, namespace: String?) -> Informer {
        let scope = CacheScope(namespace: namespace)
        return informer(kind.cache(version: version, scope: scope, contents: contents, logger: logger), scope)
    }

    /// The metadata of one CRD.
    func informer(ofDefinition name: String) -> Informer {
        let (scope, contents) = (CacheScope(name: name), contents)
        let rule = EntryRule<CustomResourceDefinition, [String: String]>(
            path: \.definitions, changed: \.definitionsChanged,
            make: { definition, _ in
                // Whatever changed: the kind may be served from now on, or in another version.
                contents.definitionsChanged = true
                return definition.metadata.annotations ?? [:]
            },
            forget: { _ in contents.definitionsChanged = true })
        let cache = TypedCache(
            kind: CustomResourceDefinition.resourceKind, scope: scope, contents: contents, rule: rule, logger: logger)
        return informer(cache, scope, form: .metadata, isOptional: true)
    }

    /// Secrets: one by its name, or those of a namespace that `admits` lets in.
    func secrets(_ scope: CacheScope, admits: @escaping (ObjectKey) -> Bool) -> Informer {
        let facts = facts
        var rule = EntryRule<Secret, SecretEntry>(
            path: \.snapshot.secrets, changed: \.snapshotChanged,
            make: { (secret, last) throws(ObjectFault) in
                let content = try checked(CertificateContent(secret))
                let identity = ObjectIdentity(kind: "Secret", key: secret.key)
                var entry = SecretEntry(metadata: bare(secret.metadata), type: secret.type)
                entry.keyPair = facts.keyPair(
                    of: identity, certificate: content["tls.crt"], privateKey: content["tls.key"])
                entry.caCertificates = facts.trust(of: identity, pem: content["ca.crt"])
                entry.revocationLists = facts.revocationLists(of: identity, files: content)
                return entry.keepingGoodFacts(of: last)
            },
            forget: { facts.forget(ObjectIdentity(kind: "Secret", key: $0)) })
        (rule.admits, rule.isOlder) = (admits, { $0.staleReason != nil })
        let cache = TypedCache(
            kind: Secret.resourceKind, scope: scope, contents: contents, rule: rule, logger: logger)
        return informer(cache, scope)
    }

    /// A Secret of the installation itself: the rest works without it.
    func ownSecret(_ key: ObjectKey) -> Informer {
        let scope = CacheScope(namespace: key.namespace, name: key.name)
        var rule = EntryRule<Secret, Secret>(
            path: \.ownSecrets, changed: \.ownSecretsChanged, make: { secret, _ in secret }, forget: { _ in })
        rule.isKept = false
        let cache = TypedCache(kind: Secret.resourceKind, scope: scope, contents: contents, rule: rule, logger: logger)
        return informer(cache, scope, isOptional: true)
    }

    func configMap(_ key: ObjectKey) -> Informer {
        let (facts, scope) = (facts, CacheScope(namespace: key.namespace, name: key.name))
        var rule = EntryRule<ConfigMap, ConfigMapEntry>(
            path: \.snapshot.configMaps, changed: \.snapshotChanged,
            make: { (configMap, last) throws(ObjectFault) in
                let content = try checked(CertificateContent(configMap))
                let identity = ObjectIdentity(kind: "ConfigMap", key: configMap.key)
                var entry = ConfigMapEntry(metadata: bare(configMap.metadata))
                entry.caCertificates = facts.trust(of: identity, pem: content["ca.crt"])
                entry.revocationLists = facts.revocationLists(of: identity, files: content)
                entry.addressLists = facts.addressLists(of: identity, files: content)
                return entry.keepingGoodFacts(of: last)
            },
            forget: { facts.forget(ObjectIdentity(kind: "ConfigMap", key: $0)) })
        rule.isOlder = { $0.staleReason != nil }
        let cache = TypedCache(
            kind: ConfigMap.resourceKind, scope: scope, contents: contents, rule: rule, logger: logger)
        return informer(cache, scope)
    }

    private func informer(
        _ cache: any ResourceCache, _ scope: CacheScope, form: Informer.Form = .whole, isOptional: Bool = false
    ) -> Informer {
        let informer = Informer(
            cache: cache, scope: scope, form: form, isOptional: isOptional,
            machine: InformerMachine(timing: timing, seed: seeds.next()), desk: desk, logger: logger)
        if let restored { informer.restore(restored) }
        return informer
    }
}

/// A CRD's metadata (apiextensions.k8s.io/v1): it says which release of Gateway API a cluster has.
struct CustomResourceDefinition: KubernetesResource {
    static let resourceKind = ResourceKind(
        group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition",
        plural: "customresourcedefinitions", namespaced: false)
    var metadata: ObjectMeta
    static let unreadFields: Set<String> = ["apiVersion", "kind", "spec", "status"]
}

private func checked(_ content: CertificateContent) throws(ObjectFault) -> [String: [UInt8]] {
    guard let problem = content.problems.first else { return content.files }
    throw ObjectFault(field: problem.field, message: problem.message)
}

/// Without annotations and labels: what applied a Secret may have left a copy of it in an annotation.
private func bare(_ metadata: ObjectMeta) -> ObjectMeta {
    var metadata = metadata
    (metadata.annotations, metadata.labels) = (nil, nil)
    return metadata
}
