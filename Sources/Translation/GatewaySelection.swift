internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Gateways of ours in order of precedence, each listener checked on its own.
func selectGateways(
    _ snapshot: ClusterSnapshot, _ options: TranslationOptions, classes: ClassSelection, grants: GrantIndex
) -> [GatewayState] {
    let sets = ListenerSetIndex(snapshot)
    return snapshot.gateways.byPrecedence.filter { classes.contains($0.value.spec.gatewayClassName) }.map {
        key, gateway in
        let (addresses, unusable) = requestedAddresses(gateway)
        var state = GatewayState(key: key, gateway: gateway, addresses: addresses, listeners: [])
        state.sets = sets.sets(of: gateway, key, in: snapshot)
        addListeners(to: &state, snapshot, options, grants: grants)
        readClientCertificate(of: &state, snapshot, grants: grants)
        state.rejection =
            classes.problem(gateway.spec.gatewayClassName)
            ?? gateway.spec.infrastructure?.parametersRef.map { ClassSelection.unsupported($0) }
            ?? unusable ?? gateway.spec.listeners.doubledName
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

/// The gateway's own listeners, then those of the ListenerSets it allows.
private func addListeners(
    to gateway: inout GatewayState, _ snapshot: ClusterSnapshot, _ options: TranslationOptions, grants: GrantIndex
) {
    let frontend = FrontendTLS(gateway.gateway, gateway.key, snapshot, grants: grants)
    gateway.allowsInsecureFallback = frontend.allowsInsecureFallback
    let owner = ListenerOwner(gateway: gateway.key, set: nil)
    gateway.listeners = gateway.gateway.spec.listeners.map {
        checkListener($0, of: owner, frontend, snapshot, options, grants: grants)
    }
    for index in gateway.sets.indices where gateway.sets[index].rejection == nil {
        let owner = ListenerOwner(gateway: gateway.key, set: gateway.sets[index].key)
        let first = gateway.listeners.count
        gateway.listeners += gateway.sets[index].set.spec.listeners.map {
            checkListener($0, of: owner, frontend, snapshot, options, grants: grants)
        }
        gateway.sets[index].listeners = first..<gateway.listeners.count
    }
}

/// Gateway.spec.tls.backend.clientCertificateRef: without a usable certificate backends are shown none.
private func readClientCertificate(of gateway: inout GatewayState, _ snapshot: ClusterSnapshot, grants: GrantIndex) {
    guard let reference = gateway.gateway.spec.tls?.backend?.clientCertificateRef else { return }
    let found = keyPair(
        reference, field: "tls.backend.clientCertificateRef", of: "Gateway", in: gateway.key.namespace,
        invalid: .invalidClientCertificateRef, snapshot, grants: grants)
    switch found {
    case .success(let read): (gateway.clientCertificate, gateway.remarks) = (read.pair, read.remarks)
    case .failure(let problem):
        let verdict = problem.verdict
        gateway.unresolved.append(Verdict(verdict.reason, "\(verdict.message); backends see no client certificate"))
    }
}
