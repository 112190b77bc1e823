internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// EndpointSlices by Service. A class, so that it is changed in place whoever holds it; of one thread.
final class SliceIndex {
    /// What is read of a slice.
    private struct Slice {
        let name: String
        let isUsable: Bool
        let ports: [EndpointSlice.Port]
        let endpoints: [EndpointSlice.Endpoint]
        /// Why an address is left out, of the first that is.
        let refusal: String?

        init(_ slice: EndpointSlice, _ refused: RefusedAddresses?) {
            name = slice.metadata.name
            isUsable = slice.addressType != "FQDN"
            ports = slice.ports ?? []
            let all = slice.endpoints ?? []
            func problem(_ text: String) -> String? {
                guard let refused, let address = IPAddress(text) else { return nil }
                return refused.refusal(of: address).map { "\($0) address \(address)" }
            }
            refusal = all.lazy.flatMap(\.addresses).lazy.compactMap { problem($0) }.first
            endpoints =
                refusal == nil
                ? all
                : all.map { endpoint in
                    var endpoint = endpoint
                    endpoint.addresses.removeAll { problem($0) != nil }
                    return endpoint
                }
        }
    }

    /// Sorted by name.
    private var slices: [ObjectKey: [Slice]] = [:]
    /// Slices that name no Service.
    private(set) var strays: Set<ObjectKey> = []
    /// Addresses that are left out; nil: none.
    private let refused: RefusedAddresses?

    /// In a cluster slices have many authors, and an API server takes addresses from them at which a cloud's metadata service
    /// answers. Loopback and link-local ones it refuses itself.
    init(_ all: [ObjectKey: EndpointSlice], standalone: Bool) {
        var refused = RefusedAddresses()
        refused.linkLocal = true
        self.refused = standalone ? nil : refused
        slices.reserveCapacity(all.count)
        for (key, slice) in all {
            guard let service = slice.service(in: key.namespace) else {
                strays.insert(key)
                continue
            }
            slices[service, default: []].append(Slice(slice, self.refused))
        }
        for key in slices.keys where slices[key, default: []].count > 1 {
            slices[key]?.sort { $0.name < $1.name }
        }
    }

    /// Puts `new` in the place of `old`, both slices of Services under one key.
    func replace(_ key: ObjectKey, _ old: EndpointSlice?, with new: EndpointSlice?) {
        if let service = old?.service(in: key.namespace) {
            slices[service]?.removeAll { $0.name == key.name }
            if slices[service]?.isEmpty == true { slices[service] = nil }
        }
        guard let new, let service = new.service(in: key.namespace) else { return }
        var list = slices[service] ?? []
        list.insert(Slice(new, refused), at: list.firstIndex { key.name < $0.name } ?? list.endIndex)
        slices[service] = list
    }

    /// What is wrong with slices of a Service, though it has no condition of its own.
    func remarks(_ service: ObjectKey) -> [String] {
        guard let list = slices[service], list.contains(where: { !$0.isUsable || $0.refusal != nil }) else { return [] }
        return list.compactMap { slice in
            let name = "EndpointSlice \(ObjectKey(namespace: service.namespace, name: slice.name))"
            if !slice.isUsable { return "\(name): endpoints of addressType FQDN are left out" }
            return slice.refusal.map { "\(name): \($0) is left out, for it is no backend's" }
        }
    }

    /// Endpoints of one port of a Service: the ready ones, or, where none is, those that still serve while they
    /// terminate (KEP-1669). Sorted, each address once; those that are meant for where we are have the lowest preference.
    func endpoints(
        _ service: ObjectKey, _ port: Service.Port, distribution: String?, _ locality: Locality
    ) -> [EndpointConfiguration] {
        let (ready, terminating) = candidates(service, port)
        let isReady = !ready.isEmpty
        let preference = EndpointPreference(
            isReady ? ready.map(\.endpoint) : [], distribution: distribution, locality)
        var endpoints: [EndpointConfiguration] = []
        for candidate in (isReady ? ready : terminating).sorted(by: { $0.address < $1.address }) {
            let address = EndpointAddress.ip(candidate.address)
            guard endpoints.last?.address != address else { continue }
            endpoints.append(
                EndpointConfiguration(
                    address: address, zone: candidate.endpoint.zone,
                    preference: isReady ? preference.of(candidate.endpoint) : 0))
        }
        return endpoints
    }

    private struct Candidate {
        let address: SocketAddress
        let endpoint: EndpointSlice.Endpoint
    }

    /// What may be endpoints of a port, in the order of slices.
    private func candidates(
        _ service: ObjectKey, _ port: Service.Port
    ) -> (ready: [Candidate], terminating: [Candidate]) {
        var (ready, terminating): ([Candidate], [Candidate]) = ([], [])
        for slice in slices[service] ?? [] where slice.isUsable {
            let numbers = slice.ports.filter {
                $0.effectiveName == port.effectiveName && $0.effectiveProtocol == port.effectiveProtocol
            }.compactMap { $0.port.flatMap { UInt16(exactly: $0) } }
            guard !numbers.isEmpty else { continue }
            for endpoint in slice.endpoints {
                let isTerminating = endpoint.isServing && endpoint.isTerminating
                guard endpoint.isReady || isTerminating else { continue }
                for address in endpoint.addresses.compactMap({ IPAddress($0) }) {
                    let found = numbers.lazy.map { Candidate(address: SocketAddress(address, $0), endpoint: endpoint) }
                    if endpoint.isReady { ready += found } else { terminating += found }
                }
            }
        }
        return (ready, terminating)
    }

    /// Whether a port of a Service, nil for any, has an endpoint.
    func hasEndpoints(_ service: ObjectKey, _ port: Service.Port) -> Bool {
        let (ready, terminating) = candidates(service, port)
        return !ready.isEmpty || !terminating.isEmpty
    }
}

extension EndpointSlice {
    /// The Service that a slice in `namespace` belongs to; nil: none.
    func service(in namespace: String) -> ObjectKey? {
        metadata.labels?[EndpointSlice.serviceNameLabel].map { ObjectKey(namespace: namespace, name: $0) }
    }
}
