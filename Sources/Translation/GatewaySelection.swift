internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Gateways of ours in order of precedence, each listener checked on its own.
func selectGateways(
    _ snapshot: ClusterSnapshot, _ options: TranslationOptions, classes: ClassSelection, grants: GrantIndex
) -> [GatewayState] {
    snapshot.gateways.byPrecedence.filter { classes.contains($0.value.spec.gatewayClassName) }.map { key, gateway in
        let (addresses, unusable) = requestedAddresses(gateway)
        var state = GatewayState(
            key: key, gateway: gateway, addresses: addresses,
            listeners: gateway.spec.listeners.map {
                checkListener($0, of: gateway, key, snapshot, options, grants: grants)
            })
        state.rejection =
            classes.problem(gateway.spec.gatewayClassName)
            ?? gateway.spec.infrastructure?.parametersRef.map { ClassSelection.unsupported($0) }
            ?? unusable ?? doubledName(gateway)
        return state
    }
}

/// The addresses a gateway asks for, sorted; empty: all local ones.
private func requestedAddresses(_ gateway: Gateway) -> ([IPAddress], Verdict?) {
    var addresses: Set<IPAddress> = []
    var problems: [Verdict] = []
    for address in gateway.spec.addresses ?? [] {
        guard address.effectiveType == "IPAddress" else {
            let value = address.value.map { " \($0)" } ?? ""
            problems.append(
                Verdict(
                    .unsupportedAddress,
                    "addresses of type \(address.effectiveType) are not supported:\(value) (supported: IPAddress)"))
            continue
        }
        // Without a value any address will do, which is what no address means.
        guard let value = address.value, !value.isEmpty else { continue }
        guard let ip = IPAddress(value) else {
            problems.append(Verdict(.unsupportedAddress, "'\(value)' is not an IP address"))
            continue
        }
        addresses.insert(ip.unmapped)
    }
    return (addresses.sorted(), problems.merged)
}

/// Listener names are keys of the status, so that two of one name cannot be answered apart.
private func doubledName(_ gateway: Gateway) -> Verdict? {
    var seen: Set<String> = []
    for listener in gateway.spec.listeners where !seen.insert(listener.name).inserted {
        return Verdict(.invalid, "two listeners are named \(listener.name)")
    }
    return nil
}
