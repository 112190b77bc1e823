internal import KubernetesAPI
internal import Observability
internal import Platform

/// The informers of whole kinds: those that every server has, and those that discovery finds. Of the cluster's thread.
final class KindWatches {
    private struct Place: Hashable {
        var kind: String
        var namespace: String?
    }

    private let factory: InformerFactory
    private let options: ClusterSource.Options
    private var watches: [Place: Informer] = [:]
    private var definitions: [Informer] = []
    /// Watched kinds that the server says it does not have, since when.
    private var missing: [String: MonotonicTime] = [:]
    private var complaints: Set<String> = []
    /// A kind that is watched is not there: its list was answered so.
    var onAbsence: () -> Void = {}

    init(factory: InformerFactory, options: ClusterSource.Options) {
        (self.factory, self.options) = (factory, options)
        for kind in ClusterKind.all where kind.isBuiltIn { set(kind, version: kind.resource.version) }
        if options.watchesNodes { setWatchesNodes(true) }
        guard options.watchNamespaces == nil else { return }
        definitions = ClusterKind.discovered.map {
            factory.informer(ofDefinition: "\($0.resource.plural).\($0.resource.group)")
        }
    }

    /// Those without which nothing is complete.
    var required: [Informer] { Array(watches.values) }
    /// Those of the CRDs' metadata.
    var optional: [Informer] { definitions }

    /// Whether changes of the CRDs are heard of.
    var seesDefinitions: Bool { !definitions.isEmpty && definitions.allSatisfy(\.machine.hasSynced) }

    /// Whether a kind that is watched is missing: the server is to be asked again soon.
    var missesKinds: Bool { !missing.isEmpty }

    func apply(_ served: ServedVersions) {
        for kind in ClusterKind.discovered {
            let version = served.choice(for: kind)
            if version == nil { complain(of: kind, served.versions(of: kind.resource)) }
            if version != nil || isGone(kind) {
                missing[kind.resource.kind] = nil
                set(kind, version: version)
            }
        }
    }

    /// Whether a kind that the server does not name is really gone. A server that has just started may not know its CRDs
    /// yet: no route must be lost by that.
    private func isGone(_ kind: ClusterKind) -> Bool {
        let isWatched = watches.keys.contains { $0.kind == kind.resource.kind }
        guard isWatched else { return true }
        let definition = "\(kind.resource.plural).\(kind.resource.group)"
        let informer = definitions.first { $0.scope.name == definition }
        if let machine = informer?.machine, machine.hasSynced, machine.problem == nil,
            factory.contents.definitions[ObjectKey(namespace: "", name: definition)] == nil
        {
            return true
        }
        let now = MonotonicTime.now()
        guard let since = missing[kind.resource.kind] else {
            missing[kind.resource.kind] = now
            note("the server does not name a kind any more, what is known of it stays for now", kind, "")
            return false
        }
        return now - since >= factory.timing.absence
    }

    func setWatchesNodes(_ watches: Bool) {
        guard options.watchNamespaces == nil else { return }
        set(.node, version: watches ? "v1" : nil)
    }

    func stop() {
        for informer in required + optional { informer.stop() }
    }

    private func set(_ kind: ClusterKind, version: String?) {
        for namespace in namespaces(of: kind) {
            let place = Place(kind: kind.resource.kind, namespace: namespace)
            switch (watches[place], version) {
            case (nil, nil): break
            case (nil, let version?):
                let informer = factory.informer(of: kind, version: version, namespace: namespace)
                if !kind.isBuiltIn { informer.onAbsence = { [unowned self] in onAbsence() } }
                watches[place] = informer
            case (let informer?, nil):
                informer.stop()
                informer.cache.clear()
                watches[place] = nil
                note("kind is no longer watched", kind, informer.kind.version)
            case (let informer?, let version?) where informer.kind.version != version:
                informer.cache.kind.version = version
                informer.relist()
                note("kind is read in another version", kind, version)
            case (let informer?, _?) where informer.machine.problem == .absent: informer.relist()
            default: break
            }
        }
    }

    /// Where a kind is watched; nil stands for everywhere.
    private func namespaces(of kind: ClusterKind) -> [String?] {
        guard let watched = options.watchNamespaces else { return [nil] }
        guard kind.resource.namespaced else { return [] }
        let ownToo = kind.isBuiltIn ? [options.ownNamespace] : []
        return Set(watched + ownToo).sorted()
    }

    private func complain(of kind: ClusterKind, _ served: [String]) {
        for version in served where complaints.insert("\(kind.resource.kind)/\(version)").inserted {
            factory.logger.warning(
                "the server has the kind in a version that cannot be used",
                [
                    "kind": LogValue(kind.resource.kind), "version": LogValue("\(kind.resource.group)/\(version)"),
                    "reason": LogValue(kind.unusable[version] ?? "it is not known"),
                ])
        }
    }

    private func note(_ message: String, _ kind: ClusterKind, _ version: String) {
        factory.logger.info(message, ["kind": LogValue(kind.resource.kind), "version": LogValue(version)])
    }
}
