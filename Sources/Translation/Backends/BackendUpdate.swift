internal import EngineModel
internal import KubernetesAPI
internal import Primitives

extension [BackendConfiguration] {
    /// Gives the backends of one Service the endpoints that its slices have now. The array is sorted by id. Those that have
    /// others than before.
    mutating func update(_ key: ObjectKey, _ service: Service, _ slices: SliceIndex) -> [BackendID] {
        var updated: [BackendID] = []
        let first = BackendID(kind: Service.resourceKind.kind, namespace: key.namespace, name: key.name, port: 0)
        var index = lowerBound { $0.id < first }
        while index < endIndex, self[index].id.isOf(first) {
            let number = Int(self[index].id.port)
            let port = (service.spec.ports ?? []).first { $0.port == number && $0.effectiveProtocol == "TCP" }
            let endpoints = port.map { slices.endpoints(key, $0) } ?? self[index].endpoints
            if self[index].endpoints != endpoints {
                self[index].endpoints = endpoints
                updated.append(self[index].id)
            }
            index += 1
        }
        return updated
    }
}

extension BackendID {
    fileprivate func isOf(_ other: BackendID) -> Bool {
        kind == other.kind && namespace == other.namespace && name == other.name
    }
}
