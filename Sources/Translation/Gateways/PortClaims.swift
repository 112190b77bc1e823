internal import KubernetesAPI
internal import Primitives

/// Gives each port of the host to the oldest gateway that wants it; the listeners of the others say who has it. Gateways are in
/// order of precedence.
func claimPorts(_ gateways: inout [GatewayState]) {
    struct Claim {
        let holder: ObjectKey
        let addresses: [IPAddress]
    }
    var claims: [Int: [Claim]] = [:]
    for index in gateways.indices where gateways[index].rejection == nil && gateways[index].unusable == nil {
        guard case .host(let addresses) = gateways[index].exposure else { continue }
        let key = gateways[index].key
        var claimed: Set<Int> = []
        for listener in gateways[index].listeners.indices {
            let state = gateways[index].listeners[listener]
            guard state.keepsPort else { continue }
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
