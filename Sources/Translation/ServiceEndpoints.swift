internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// EndpointSlices by Service.
struct SliceIndex {
    private var slices: [ObjectKey: [EndpointSlice]] = [:]

    init(_ all: [ObjectKey: EndpointSlice]) {
        for (key, slice) in all {
            guard let name = slice.metadata.labels?[EndpointSlice.serviceNameLabel] else { continue }
            slices[ObjectKey(namespace: key.namespace, name: name), default: []].append(slice)
        }
        for key in slices.keys where slices[key, default: []].count > 1 {
            slices[key]?.sort { $0.metadata.name < $1.metadata.name }
        }
    }

    /// What is wrong with slices of a Service, though it has no condition of its own.
    func remarks(_ service: ObjectKey) -> [String] {
        (slices[service] ?? []).filter { $0.addressType == "FQDN" }.map {
            "EndpointSlice \(ObjectKey(namespace: service.namespace, name: $0.metadata.name)): "
                + "endpoints of addressType FQDN are left out"
        }
    }

    /// Endpoints of one port of a Service: the ready ones, or, where none is, those that still serve while they
    /// terminate (KEP-1669). Sorted, each address once.
    func endpoints(_ service: ObjectKey, _ port: Service.Port) -> [EndpointConfiguration] {
        var ready: Set<SocketAddress> = []
        var terminating: Set<SocketAddress> = []
        for slice in slices[service] ?? [] where slice.addressType != "FQDN" {
            let numbers = (slice.ports ?? []).filter {
                $0.effectiveName == port.effectiveName && $0.effectiveProtocol == port.effectiveProtocol
            }.compactMap { $0.port.flatMap { UInt16(exactly: $0) } }
            guard !numbers.isEmpty else { continue }
            for endpoint in slice.endpoints ?? [] {
                let isTerminating = endpoint.isServing && endpoint.isTerminating
                guard endpoint.isReady || isTerminating else { continue }
                for address in endpoint.addresses.compactMap({ IPAddress($0) }) {
                    for number in numbers {
                        if endpoint.isReady {
                            ready.insert(SocketAddress(address, number))
                        } else {
                            terminating.insert(SocketAddress(address, number))
                        }
                    }
                }
            }
        }
        return (ready.isEmpty ? terminating : ready).sorted().map { EndpointConfiguration(address: .ip($0)) }
    }
}
