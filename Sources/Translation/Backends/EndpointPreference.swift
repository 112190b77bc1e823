internal import KubernetesAPI

/// Which endpoints of a Service's port are meant for us, by their hints, as kube-proxy reads them: hints count only where every
/// ready endpoint has them and one is for us. Where none has any, though the Service asks for near ones, their own zones
/// and nodes do.
struct EndpointPreference {
    private enum Source { case hints, places }

    private var zone: (name: String, source: Source)?
    private var node: (name: String, source: Source)?

    /// `ready`: every endpoint of the port that is.
    init(_ ready: some Sequence<EndpointSlice.Endpoint>, distribution: String?, _ locality: Locality) {
        guard locality.zone != nil || locality.node != nil else { return }
        var (zones, nodes) = (Tally(), Tally())
        var (hasOurZone, hasOurNode) = (false, false)
        for endpoint in ready {
            zones.count(endpoint.hints?.forZones, locality.zone)
            nodes.count(endpoint.hints?.forNodes, locality.node)
            if endpoint.zone != nil, endpoint.zone == locality.zone { hasOurZone = true }
            if endpoint.nodeName != nil, endpoint.nodeName == locality.node { hasOurNode = true }
        }
        if nodes.count, let name = locality.node { node = (name, .hints) }
        if zones.count, let name = locality.zone { zone = (name, .hints) }
        guard zones.hinted == 0, nodes.hinted == 0 else { return }
        let isNodeAsked = distribution == "PreferSameNode"
        guard isNodeAsked || distribution == "PreferClose" || distribution == "PreferSameZone" else { return }
        if isNodeAsked, hasOurNode, let name = locality.node { node = (name, .places) }
        if hasOurZone, let name = locality.zone { zone = (name, .places) }
    }

    /// The lower the nearer: node, zone, anywhere, as far as those count.
    func of(_ endpoint: EndpointSlice.Endpoint) -> UInt8 {
        var preference: UInt8 = 0
        if let node {
            let isOurs =
                node.source == .hints ? endpoint.hints?.forNodes.has(node.name) : endpoint.nodeName == node.name
            if isOurs == true { return 0 }
            preference += 1
        }
        if let zone {
            let isOurs = zone.source == .hints ? endpoint.hints?.forZones.has(zone.name) : endpoint.zone == zone.name
            if isOurs == true { return preference }
            preference += 1
        }
        return preference
    }

    /// Hints of one kind.
    private struct Tally {
        var hinted = 0
        private var all = 0
        private var forUs = 0

        mutating func count(_ hints: [EndpointSlice.Hint]?, _ ours: String?) {
            all += 1
            guard let hints, !hints.isEmpty else { return }
            hinted += 1
            if let ours, hints.contains(where: { $0.name == ours }) { forUs += 1 }
        }

        var count: Bool { hinted == all && forUs > 0 }
    }
}

extension [EndpointSlice.Hint]? {
    fileprivate func has(_ name: String) -> Bool { self?.contains { $0.name == name } ?? false }
}
