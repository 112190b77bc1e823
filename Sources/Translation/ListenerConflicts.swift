internal import KubernetesAPI
internal import Primitives

/// Marks the listeners of one gateway that cannot be told apart: all of them, each naming the others.
func markConflicts(_ gateway: inout GatewayState) {
    let onPort = Dictionary(grouping: gateway.listeners.indices, by: { gateway.listeners[$0].spec.port })
    for (port, indices) in onPort where indices.count > 1 {
        let streams = indices.filter { gateway.listeners[$0].family != nil }
        if Set(streams.compactMap { gateway.listeners[$0].family }).count > 1 {
            mark(streams, in: &gateway, .protocolConflict) { "port \(port) is wanted with another protocol by \($0)" }
            continue
        }
        let plain = streams.filter { gateway.listeners[$0].family == .tcp }
        if plain.count > 1 {
            mark(plain, in: &gateway, .protocolConflict) {
                "port \(port) is wanted by \($0) too, and TCP has no host names"
            }
        }
        let named = streams.filter { gateway.listeners[$0].family == .tls }
        for (hostname, same) in Dictionary(grouping: named, by: { gateway.listeners[$0].hostname }) where same.count > 1
        {
            let name = hostname.map { "hostname \($0)" } ?? "no hostname"
            mark(same, in: &gateway, .hostnameConflict) { "port \(port) with \(name) is wanted by \($0) too" }
        }
    }
}

private func mark(
    _ indices: [Int], in gateway: inout GatewayState, _ reason: Condition.Reason, _ text: (String) -> String
) {
    for index in indices {
        let others = indices.filter { $0 != index }.map { gateway.listeners[$0] }
        let names = others.map { "\($0.spec.name) (\($0.spec.protocol))" }.joined(separator: ", ")
        gateway.listeners[index].conflict = Verdict(reason, text("listener \(names)"))
    }
}

extension ListenerState {
    /// What shares a port only with its like.
    fileprivate enum Family { case tcp, tls, http }

    /// Nil: no stream over TCP, a protocol that nobody knows, or a host name that cannot be compared.
    fileprivate var family: Family? {
        if hostname == nil, let text = spec.hostname, !text.isEmpty, spec.protocol != .tcp { return nil }
        return switch spec.protocol {
        case .tcp: .tcp
        case .tls, .https: .tls
        case .http: .http
        default: nil
        }
    }
}

/// Gives each port to the oldest gateway that wants it; the listeners of the others say who has it. Gateways are in
/// order of precedence.
func claimPorts(_ gateways: inout [GatewayState]) {
    struct Claim {
        let holder: ObjectKey
        let addresses: [IPAddress]
    }
    var claims: [Int: [Claim]] = [:]
    for index in gateways.indices where gateways[index].rejection == nil {
        let key = gateways[index].key
        let addresses = gateways[index].addresses
        var claimed: Set<Int> = []
        for listener in gateways[index].listeners.indices {
            let state = gateways[index].listeners[listener]
            guard state.rejections.isEmpty, state.conflict == nil else { continue }
            let port = state.spec.port
            let holder = claims[port]?.first { $0.holder != key && overlap($0.addresses, addresses) }?.holder
            if let holder {
                gateways[index].listeners[listener].rejections.append(
                    Verdict(.portUnavailable, "port \(port) is held by the older Gateway \(holder)"))
            } else if claimed.insert(port).inserted {
                claims[port, default: []].append(Claim(holder: key, addresses: addresses))
            }
        }
    }
}

/// Whether two sets of addresses cannot be bound side by side; empty stands for all.
private func overlap(_ left: [IPAddress], _ right: [IPAddress]) -> Bool {
    if left.isEmpty || right.isEmpty { return true }
    if (left + right).contains(where: \.isUnspecified) { return true }
    return left.contains { right.contains($0) }
}
