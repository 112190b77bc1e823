internal import KubernetesAPI

/// Where this process runs; nil: not known.
struct Locality: Hashable {
    var zone: String?
    var node: String?

    /// What the options say. Without a zone: that of an endpoint of the installation's own Services on our node.
    init(_ snapshot: ClusterSnapshot, _ options: TranslationOptions) {
        (zone, node) = (options.zone, options.node)
        guard zone == nil, let node, let installation = options.installation else { return }
        let services = installation.services(in: snapshot)
        // Whichever comes first: a node is in one zone.
        zone = snapshot.endpointSlices.lazy.filter { key, slice in
            key.namespace == installation.namespace
                && slice.service(in: key.namespace).map { services.contains($0) } ?? false
        }.compactMap { _, slice in
            slice.endpoints?.filter { $0.nodeName == node }.compactMap(\.zone).min()
        }.min()
    }
}

extension TranslationOptions.Installation {
    /// Services that stand for the installation's pods.
    func services(in snapshot: ClusterSnapshot) -> Set<ObjectKey> {
        Set(
            snapshot.services.lazy.filter { key, service in
                guard key.namespace == namespace, let selector = service.spec.selector else { return false }
                return !selector.isEmpty && selector.allSatisfy { podLabels[$0.key] == $0.value }
            }.map(\.key))
    }
}
