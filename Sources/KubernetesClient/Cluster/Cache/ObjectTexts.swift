internal import KubernetesAPI
internal import SnapshotCache

/// The texts of the objects in the caches, as a cache on disk keeps them. Of the cluster's thread.
final class ObjectTexts {
    /// Whether Secrets are kept.
    let includesSecrets: Bool
    /// By `plural.group`.
    private var texts: [String: [CachedCluster.Name: ObjectText]] = [:]
    /// Something that matters changed since it was last asked.
    private(set) var isDirty = false
    /// Nil: there is a text for every object. Else why not; nothing is written any more then, since what lacks an object, such
    /// as a policy, may let in whom it keeps out.
    private(set) var gap: String?

    init(includesSecrets: Bool) { self.includesSecrets = includesSecrets }

    /// Nodes are large, and no traffic depends on them.
    func admits(_ kind: ResourceKind) -> Bool {
        kind.kind != Node.resourceKind.kind && (includesSecrets || kind.kind != Secret.resourceKind.kind)
    }

    /// `matters`: it says something else than the text before.
    func keep(_ text: ObjectText, of key: ObjectKey, _ kind: ResourceKind, matters: Bool) {
        texts[kind.resource, default: [:]][key.cacheName] = text
        isDirty = isDirty || matters
    }

    func remove(_ key: ObjectKey, _ kind: ResourceKind) {
        if texts[kind.resource]?.removeValue(forKey: key.cacheName) != nil { isDirty = true }
    }

    func noteGap(_ what: String) { gap = gap ?? what }

    /// All of these kinds, and that nothing is new since then.
    func take(_ kinds: [ResourceKind], origin: CachedCluster.Origin, asOf: Int64) -> CachedCluster {
        isDirty = false
        let sorted = kinds.sorted { ($0.group, $0.plural) < ($1.group, $1.plural) }
        return CachedCluster(
            origin: origin,
            kinds: sorted.map {
                CachedCluster.Kind(
                    group: $0.group, version: $0.version, plural: $0.plural, objects: texts[$0.resource] ?? [:])
            }, asOf: asOf)
    }
}

/// What a cache on disk had when the process started. Of the cluster's thread.
final class RestoredObjects {
    let asOf: Int64
    /// Of the kinds that a server may lack: those that were watched.
    let served: ServedVersions
    private let byKind: [String: [CachedCluster.Name: ObjectText]]
    private let includesSecrets: Bool

    init(_ cluster: CachedCluster, includesSecrets: Bool) {
        (asOf, self.includesSecrets) = (cluster.asOf, includesSecrets)
        var served = ServedVersions()
        var byKind: [String: [CachedCluster.Name: ObjectText]] = [:]
        for kind in cluster.kinds {
            byKind["\(kind.plural).\(kind.group)"] = kind.objects
            served.add(group: kind.group, version: kind.version, plural: kind.plural, verbs: ["list", "watch"])
        }
        (self.served, self.byKind) = (served, byKind)
    }

    /// Those that an informer would have.
    func texts(of kind: ResourceKind, in scope: CacheScope) -> [ObjectText] {
        guard includesSecrets || kind.kind != Secret.resourceKind.kind else { return [] }
        let all = byKind[kind.resource] ?? [:]
        if let name = scope.name {
            return [all[CachedCluster.Name(namespace: kind.namespaced ? scope.namespace ?? "" : "", name: name)]]
                .compactMap { $0 }
        }
        return all.filter { scope.contains(ObjectKey(namespace: $0.key.namespace, name: $0.key.name)) }.map(\.value)
    }
}

extension ResourceKind {
    /// Such as `tcproutes.gateway.networking.k8s.io`; with a dot at the end in the core group.
    fileprivate var resource: String { "\(plural).\(group)" }
}

extension ObjectKey {
    fileprivate var cacheName: CachedCluster.Name { CachedCluster.Name(namespace: namespace, name: name) }
}
