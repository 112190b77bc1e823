internal import EngineModel
internal import KubernetesAPI

extension [BackendConfiguration] {
    /// Gives the backends of one Service the endpoints that its slices have now. The array is sorted by id.
    mutating func update(_ key: ObjectKey, _ service: Service, _ slices: SliceIndex) {
        let first = BackendID(kind: Service.resourceKind.kind, namespace: key.namespace, name: key.name, port: 0)
        var index = firstIndex(notBefore: first)
        while index < endIndex, self[index].id.isOf(first) {
            let number = Int(self[index].id.port)
            let port = (service.spec.ports ?? []).first { $0.port == number && $0.effectiveProtocol == "TCP" }
            if let port { self[index].endpoints = slices.endpoints(key, port) }
            index += 1
        }
    }

    private func firstIndex(notBefore id: BackendID) -> Int {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension BackendID {
    fileprivate func isOf(_ other: BackendID) -> Bool {
        kind == other.kind && namespace == other.namespace && name == other.name
    }
}
