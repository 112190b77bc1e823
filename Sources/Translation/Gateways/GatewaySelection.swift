internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// What gateways are judged by.
struct SelectionContext {
    let snapshot: ClusterSnapshot
    let options: TranslationOptions
    let classes: ClassSelection
    let grants: GrantIndex
    /// Nil where no Services can be made.
    let ledger: ServiceLedger?
}

/// Gateways of ours in order of precedence, each listener checked on its own.
func selectGateways(_ context: SelectionContext, _ index: inout ParametersIndex) -> [GatewayState] {
    let (snapshot, classes) = (context.snapshot, context.classes)
    let sets = ListenerSetIndex(snapshot)
    return snapshot.gateways.byPrecedence.filter { classes.contains($0.value.spec.gatewayClassName) }.map {
        key, gateway in
        let (requested, unsupported) = requestedAddresses(gateway)
        let found = parameters(of: gateway, key, context, &index)
        var state = GatewayState(
            key: key, gateway: gateway,
            parameters: (try? found.get()) ?? EffectiveParameters(context.options), requested: requested, listeners: [])
        state.sets = sets.sets(of: gateway, key, in: snapshot, standalone: context.options.standalone)
        addListeners(to: &state, snapshot, context.options, grants: context.grants)
        readClientCertificate(of: &state, snapshot, grants: context.grants)
        if case .failure(let verdict) = found { state.rejection = verdict }
        state.rejection = state.rejection ?? unsupported ?? gateway.spec.listeners.doubledName
        expose(&state, context.ledger)
        checkPorts(of: &state, context)
        return state
    }
}

/// The class's parameters and the gateway's own, merged.
private func parameters(
    of gateway: Gateway, _ key: ObjectKey, _ context: SelectionContext, _ index: inout ParametersIndex
) -> Result<EffectiveParameters, Verdict> {
    let own = gateway.spec.infrastructure?.parametersRef.map { index.resolve($0, in: key.namespace) }
    switch (context.classes.parameters(of: gateway.spec.gatewayClassName), own) {
    case (.failure(let verdict), _): return .failure(verdict)
    case (_, .failure(let problem)?): return .failure(problem.verdict)
    case (.success(let ofClass), let own):
        return EffectiveParameters.merge(ofClass, try? own?.get(), context.options).mapError(\.verdict)
    }
}

/// Decides how the gateway's ports are reached.
private func expose(_ gateway: inout GatewayState, _ ledger: ServiceLedger?) {
    if gateway.parameters.exposure == .service, let ledger {
        gateway.exposure = .service(ServiceExposure(gateway.key, ledger))
        return
    }
    let parameters = gateway.parameters
    let names = gateway.requested.filter { $0.type == "Hostname" }
    let wanted = Set(gateway.requested.compactMap { IPAddress($0.value)?.unmapped })
    let outside = wanted.filter {
        !parameters.admits($0) || !(parameters.addresses.isEmpty || parameters.addresses.contains($0))
    }
    if !names.isEmpty {
        gateway.unusable = Verdict(
            .addressNotUsable,
            "\(names.map(\.description).joined(separator: ", ")) is asked for, but under Host exposure nobody assigns names"
        )
    } else if !outside.isEmpty {
        let list = outside.sorted().map(\.description).joined(separator: ", ")
        gateway.unusable = Verdict(
            .addressNotUsable, "\(list) is none of the addresses that the GatewayParameters allow")
    }
    gateway.exposure = .host(wanted.isEmpty ? parameters.hostAddresses : wanted.sorted())
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
