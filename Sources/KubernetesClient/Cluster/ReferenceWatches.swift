internal import KubernetesAPI
internal import Observability

/// The Secrets and ConfigMaps that are referred to, each watched by its name; many Secrets of one namespace by one watch
/// of that namespace, where that is permitted. Of the cluster's thread.
final class ReferenceWatches {
    /// More Secrets than this in a namespace are watched together, until they are fewer than half as many.
    static let manySecrets = 100

    /// The Secrets of one namespace that one watch brings.
    private final class Together {
        var names: Set<ObjectKey> = []
        var informer: Informer?
    }

    private let factory: InformerFactory
    private var secrets: [ObjectKey: Informer] = [:]
    private var configMaps: [ObjectKey: Informer] = [:]
    private var together: [String: Together] = [:]
    /// Namespaces whose Secrets may not be watched together.
    private var refused: Set<String> = []
    private var current = ReferencedObjects()

    init(factory: InformerFactory) { self.factory = factory }

    var informers: [Informer] {
        Array(secrets.values) + Array(configMaps.values) + together.values.compactMap(\.informer)
    }

    /// From now on these are watched, and no others.
    func update(_ references: ReferencedObjects) {
        // What has no object's name cannot be there, and must not get into a path or a selector.
        var references = references
        references.secrets = references.secrets.filter(\.isPossible)
        references.configMaps = references.configMaps.filter(\.isPossible)
        guard references != current else { return }
        current = references
        apply()
    }

    /// Draws the conclusions of what the watches of whole namespaces have brought. Returns what may not be read.
    func review() -> ReferencedObjects {
        for (namespace, group) in together {
            guard let informer = group.informer else { continue }
            if informer.isDenied {
                refused.insert(namespace)
                informer.stop()
                together[namespace] = nil
                factory.logger.info("Secrets are watched one by one", ["namespace": LogValue(namespace)])
                apply()
            } else if informer.machine.hasSynced {
                for key in secrets.keys where key.namespace == namespace { secrets.removeValue(forKey: key)?.stop() }
            }
        }
        var denied = ReferencedObjects()
        // As of one whose right went while it was watched: what is known stays.
        denied.secrets = Set(secrets.filter { $0.value.isDenied && !$0.value.isRestored }.keys)
        denied.configMaps = Set(configMaps.filter { $0.value.isDenied && !$0.value.isRestored }.keys)
        return denied
    }

    /// What the server has said nothing of, and what no cache on disk has.
    var unread: ReferencedObjects {
        var unread = ReferencedObjects()
        let known = factory.contents.snapshot
        unread.secrets = current.secrets.filter { key in
            let informer = secrets[key] ?? together[key.namespace]?.informer
            return informer?.isSettled == false && known.secrets[key] == nil
        }
        unread.configMaps = current.configMaps.filter {
            configMaps[$0]?.isSettled == false && known.configMaps[$0] == nil
        }
        return unread
    }

    func stop() {
        for informer in informers { informer.stop() }
    }

    private func apply() {
        let byNamespace = Dictionary(grouping: current.secrets, by: \.namespace)
        for namespace in Set(byNamespace.keys).union(together.keys) {
            gather(Set(byNamespace[namespace] ?? []), of: namespace)
        }
        let single = current.secrets.filter { together[$0.namespace] == nil }
        for (key, informer) in secrets where !current.secrets.contains(key) {
            drop(informer)
            secrets[key] = nil
        }
        for key in single where secrets[key] == nil {
            secrets[key] = factory.secrets(CacheScope(namespace: key.namespace, name: key.name)) { _ in true }
        }
        for (key, informer) in configMaps where !current.configMaps.contains(key) {
            drop(informer)
            configMaps[key] = nil
        }
        for key in current.configMaps where configMaps[key] == nil { configMaps[key] = factory.configMap(key) }
    }

    /// Decides whether a namespace's Secrets are watched together, and which of them are kept.
    private func gather(_ names: Set<ObjectKey>, of namespace: String) {
        if let group = together[namespace] {
            let isNew = !names.isSubset(of: group.names)
            group.names = names
            group.informer?.cache.prune()
            if isNew { group.informer?.relist() }
            guard names.count < Self.manySecrets / 2 else { return }
            // The single watches bring the same objects again; what is there stays meanwhile.
            group.informer?.stop()
            together[namespace] = nil
        } else if names.count > Self.manySecrets, !refused.contains(namespace) {
            let group = Together()
            group.names = names
            group.informer = factory.secrets(CacheScope(namespace: namespace)) { [unowned group] in
                group.names.contains($0)
            }
            together[namespace] = group
        }
    }

    private func drop(_ informer: Informer) {
        informer.stop()
        informer.cache.clear()
    }
}

extension ObjectKey {
    /// Whether a Secret or a ConfigMap may be called so (RFC 1123; lengths are the server's business).
    fileprivate var isPossible: Bool {
        [namespace, name].allSatisfy { text in
            !text.isEmpty && text != "." && text != ".."
                && text.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "-"), UInt8(ascii: "."):
                        true
                    default: false
                    }
                }
        }
    }
}
