internal import KubernetesAPI

/// What changed from one snapshot to another, where nothing but routes, Services and EndpointSlices did, whenever they were
/// taken.
struct SnapshotChange {
    struct Slice {
        let key: ObjectKey
        let old: EndpointSlice?
        let new: EndpointSlice?
    }

    let routes: [RouteKey]
    let services: [ObjectKey]
    let slices: [Slice]

    /// Nil: something else changed. `touched`: what may differ; nil: that is looked for.
    init?(from old: ClusterSnapshot, to new: ClusterSnapshot, touched: TouchedObjects?) {
        var others = new
        others.asOf = old.asOf
        (others.tcpRoutes, others.tlsRoutes) = (old.tcpRoutes, old.tlsRoutes)
        (others.services, others.endpointSlices) = (old.services, old.endpointSlices)
        guard others == old else { return nil }
        func changed<Object: KubernetesResource>(_ now: [ObjectKey: Object], _ before: [ObjectKey: Object])
            -> [ObjectKey]
        {
            guard let candidates = touched?[Object.resourceKind.kind] else { return now.changedKeys(since: before) }
            let changed = candidates.filter { now[$0] != before[$0] }
            assert(changed == Set(now.changedKeys(since: before)), "the source changed more than it says")
            return Array(changed)
        }
        routes =
            changed(new.tcpRoutes, old.tcpRoutes).map { RouteKey(kind: .tcp, key: $0) }
            + changed(new.tlsRoutes, old.tlsRoutes).map { RouteKey(kind: .tls, key: $0) }
        services = changed(new.services, old.services)
        slices = changed(new.endpointSlices, old.endpointSlices).map {
            Slice(key: $0, old: old.endpointSlices[$0], new: new.endpointSlices[$0])
        }
    }

    /// Whether the slices say nothing but endpoints.
    var hasOrdinarySlices: Bool {
        slices.allSatisfy { slice in
            [slice.old, slice.new].allSatisfy { $0.map { $0.isOrdinary(in: slice.key.namespace) } ?? true }
        }
    }
}

/// A route among those of both kinds.
struct RouteKey: Hashable {
    let kind: RouteKind
    let key: ObjectKey
}

extension EndpointSlice {
    /// Whether it says nothing but the endpoints of a Service: no condition and no notice speaks of it.
    fileprivate func isOrdinary(in namespace: String) -> Bool {
        addressType != "FQDN" && service(in: namespace) != nil
    }
}
