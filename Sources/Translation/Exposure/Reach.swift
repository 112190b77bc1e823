public import KubernetesAPI
internal import Primitives

/// Where a gateway is reachable, and what stands in the way.
public struct Reach: Hashable, Sendable {
    /// As they were assigned, each once, at most 16; empty: none yet.
    public var addresses: [GatewayStatusAddress] = []
    /// Why the gateway is not programmed though its ports are bound.
    public var obstacle: Obstacle?
    /// What is waited for where there is neither an address nor an obstacle; nil: the engine.
    public var waiting: String?

    /// A reason and a message for the condition `Programmed`.
    public struct Obstacle: Hashable, Sendable {
        /// `AddressNotAssigned` or `AddressNotUsable`.
        public var reason: Condition.Reason
        public var message: String
    }
}

/// How long a cluster may take to assign an address before the gateway says that it has none, in seconds.
private let patience: Int64 = 60

/// Works out where the gateway is reachable; `until`: when the answer changes though nothing else does, in seconds since
/// 1970.
func reach(
    of gateway: GatewayState, _ exposure: ServiceExposure, _ snapshot: ClusterSnapshot
) -> (reach: Reach, until: Int64?) {
    var reach = Reach()
    guard let living = exposure.living else {
        reach.waiting = exposure.waiting
        return (reach, nil)
    }
    let type = living.spec.type ?? "ClusterIP"
    reach.addresses = assigned(living, type, snapshot)
    guard reach.addresses.isEmpty else {
        let missing = gateway.requested.filter { request in !reach.addresses.contains { request.isMet(by: $0) } }
        if !missing.isEmpty { reach.obstacle = unusable(missing, reach, exposure.key, type) }
        return (reach, nil)
    }
    reach.waiting = "waiting for an address of Service \(exposure.key)"
    guard let made = living.metadata.creationTimestamp?.seconds else { return (reach, nil) }
    guard snapshot.asOf >= made + patience else { return (reach, made + patience) }
    let message = unassigned(exposure.key, type, knowsNodes: !snapshot.nodes.isEmpty)
    let wanted = gateway.requested.filter { !$0.value.isEmpty }
    reach.obstacle =
        wanted.isEmpty
        ? Reach.Obstacle(reason: .addressNotAssigned, message: message)
        : Reach.Obstacle(
            reason: .addressNotUsable,
            message: "\(wanted.map(\.description).joined(separator: ", ")) is asked for, but \(message)")
    return (reach, nil)
}

private func assigned(_ service: Service, _ type: String, _ snapshot: ClusterSnapshot) -> [GatewayStatusAddress] {
    var addresses: [GatewayStatusAddress] = []
    switch type {
    case "LoadBalancer":
        for point in service.status?.loadBalancer?.ingress ?? [] {
            if let ip = point.ip, !ip.isEmpty { addresses.append(GatewayStatusAddress(type: "IPAddress", value: ip)) }
            if let name = point.hostname, !name.isEmpty {
                addresses.append(GatewayStatusAddress(type: "Hostname", value: name))
            }
        }
    case "NodePort":
        addresses = nodeAddresses(snapshot)
            .map { GatewayStatusAddress(type: "IPAddress", value: $0.description) }
    default:
        let all = service.spec.clusterIPs ?? [service.spec.clusterIP].compactMap { $0 }
        addresses = all.filter { IPAddress($0) != nil }.map { GatewayStatusAddress(type: "IPAddress", value: $0) }
    }
    var seen: Set<String> = []
    // The API's own limit.
    return Array(addresses.filter { seen.insert($0.value).inserted }.prefix(16))
}

/// The external addresses of nodes, or where a node has none its internal ones; sorted.
private func nodeAddresses(_ snapshot: ClusterSnapshot) -> [IPAddress] {
    var found: Set<IPAddress> = []
    for node in snapshot.nodes.values where node.isUsable {
        let addresses = node.status?.addresses ?? []
        let outside = addresses.filter { $0.type == "ExternalIP" }.compactMap { IPAddress($0.address) }
        let inside = addresses.filter { $0.type == "InternalIP" }.compactMap { IPAddress($0.address) }
        found.formUnion(outside.isEmpty ? inside : outside)
    }
    return found.sorted()
}

extension Node {
    /// Whether connections to its ports are likely to go on.
    fileprivate var isUsable: Bool {
        metadata.deletionTimestamp == nil
            && (status?.conditions ?? []).allSatisfy { $0.type != "Ready" || $0.status == "True" }
    }
}

private func unassigned(_ service: ObjectKey, _ type: String, knowsNodes: Bool) -> String {
    switch type {
    case "LoadBalancer":
        "Service \(service) was given no address by a load balancer within \(patience) s; in a cluster without one, set "
            + "service.type to NodePort or ClusterIP, or exposure to Host, in the GatewayParameters of the GatewayClass or "
            + "of the Gateway (parametersRef)"
    case "NodePort" where knowsNodes: "Service \(service) is of type NodePort, and no node that is ready has an address"
    case "NodePort":
        "Service \(service) is of type NodePort, and no node is known: the gateway needs the right to list and watch nodes"
    default: "Service \(service) of type \(type) has no cluster IP"
    }
}

private func unusable(
    _ missing: [RequestedAddress], _ reach: Reach, _ service: ObjectKey, _ type: String
) -> Reach.Obstacle {
    let wanted = missing.map(\.description).joined(separator: ", ")
    let has = reach.addresses.map(\.value).joined(separator: ", ")
    return Reach.Obstacle(
        reason: .addressNotUsable,
        message: "\(wanted) is asked for, but Service \(service) of type \(type) has \(has)")
}
