internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// How a gateway's ports are reached.
enum GatewayExposure {
    /// Bound as they are, on these addresses; empty: on every local one.
    case host([IPAddress])
    case service(ServiceExposure)

    /// Where a port of the gateway's is bound; empty: nowhere yet.
    func bindings(of port: UInt16) -> [Binding] {
        switch self {
        case .host(let addresses):
            addresses.isEmpty ? [Binding(port: port)] : addresses.map { Binding(address: $0, port: port) }
        case .service(let service): service.bound[port].map { [Binding(port: $0)] } ?? []
        }
    }

    var isHost: Bool { if case .host = self { true } else { false } }
}

/// A gateway that a Service exposes.
struct ServiceExposure {
    let key: ObjectKey
    /// As it is in the cluster; nil: it is not made yet.
    let living: Service?
    /// Bound ports by the gateway's port, as the Service records them.
    var bound: [UInt16: UInt16] = [:]
    /// Something that is not ours has the Service's name.
    let isNameTaken: Bool

    init(_ gateway: ObjectKey, _ ledger: ServiceLedger) {
        let name = ServiceNames.service(of: gateway)
        key = ObjectKey(namespace: ledger.namespace, name: name)
        living = ledger.service(name, of: gateway)
        isNameTaken = ledger.isTaken(name, for: gateway)
    }

    /// What a listener waits for whose port is not bound yet.
    var waiting: String {
        if isNameTaken { return "Service \(key) belongs to something else: its labels do not name this Gateway" }
        return living == nil ? "waiting for Service \(key)" : "waiting for Service \(key) to record a port"
    }
}
