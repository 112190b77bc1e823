internal import EngineModel
internal import KubernetesAPI
internal import Primitives

extension [BackendConfiguration] {
    /// Gives the backends of one Service the endpoints that its slices have now. The array is sorted by id. Those that have
    /// others than before.
    mutating func update(
        _ key: ObjectKey, _ service: Service, _ slices: SliceIndex, _ locality: Locality
    ) -> [BackendID] {
        var updated: [BackendID] = []
        let first = BackendID(kind: Service.resourceKind.kind, namespace: key.namespace, name: key.name, port: 0)
        var index = lowerBound { $0.id < first }
        while index < endIndex, self[index].id.isOf(first) {
            let number = Int(self[index].id.port)
            let port = (service.spec.ports ?? []).first { $0.port == number && $0.effectiveProtocol == "TCP" }
            var endpoints = self[index].endpoints
            if let port {
                endpoints = slices.endpoints(
                    key, port, distribution: service.spec.trafficDistribution, locality)
                if self[index].settings.loadBalancing.zones != nil { endpoints.forgetPreference() }
            }
            if self[index].endpoints != endpoints {
                self[index].endpoints = endpoints
                updated.append(self[index].id)
            }
            index += 1
        }
        return updated
    }
}

extension [EndpointConfiguration] {
    /// What the balancer itself is told of zones goes before hints.
    mutating func forgetPreference() {
        for index in indices { self[index].preference = 0 }
    }
}

extension BackendID {
    fileprivate func isOf(_ other: BackendID) -> Bool {
        kind == other.kind && namespace == other.namespace && name == other.name
    }
}
