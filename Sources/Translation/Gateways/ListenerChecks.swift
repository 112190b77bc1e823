internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Checks a listener on its own: protocol, port, names, kinds of routes, certificates.
func checkListener(
    _ spec: Gateway.Listener, of owner: ListenerOwner, _ frontend: FrontendTLS, _ snapshot: ClusterSnapshot,
    _ options: TranslationOptions, grants: GrantIndex
) -> ListenerState {
    let traffic = traffic(of: spec)
    let hasHostname = spec.protocol == .tls || spec.protocol == .https
    let text = hasHostname ? spec.hostname.flatMap { $0.isEmpty ? nil : $0 } : nil
    let hostname = text.flatMap { HostnamePattern($0) }
    let (namespaces, unreadable) = namespaceRule(spec.allowedRoutes?.namespaces, own: owner.namespace, snapshot.scope)
    var state = ListenerState(
        spec: spec, owner: owner, id: owner.id(spec.name), traffic: traffic, hostname: hostname, namespaces: namespaces)
    if case .unsupported(let name) = traffic {
        state.rejections.append(
            Verdict(.unsupportedProtocol, "protocol \(name) is not supported (supported: TCP, TLS)"))
    }
    if let text, hostname == nil {
        state.rejections.append(Verdict(.unsupportedValue, "hostname '\(text)' is not a DNS name"))
    }
    if let unreadable { state.rejections.append(unreadable) }
    checkKinds(&state)
    checkTLS(&state, frontend, snapshot, grants: grants)
    return state
}

/// Why labels of namespaces are not known.
let selectorNeedsRight =
    "which needs the right to list and watch namespaces: only objects of the namespaces given are watched"

private func traffic(of spec: Gateway.Listener) -> ListenerState.Traffic {
    switch spec.protocol {
    case .tcp: .tcp
    case .tls: spec.tls?.isPassthrough == true ? .passthrough : .terminate
    default: .unsupported(spec.protocol.rawValue)
    }
}

private func namespaceRule(
    _ namespaces: Gateway.RouteNamespaces?, own: String, _ scope: SnapshotScope
) -> (NamespaceRule, Verdict?) {
    switch namespaces?.from ?? "Same" {
    case "All": return (.all, nil)
    case "Same": return (.same(own), nil)
    case "Selector":
        guard let selector = namespaces?.selector else {
            return (
                .none, Verdict(.unsupportedValue, "allowedRoutes.namespaces.from is Selector, but there is no selector")
            )
        }
        guard scope == .cluster else {
            return (
                .none, Verdict(.unsupportedValue, "allowedRoutes.namespaces.from is Selector, \(selectorNeedsRight)")
            )
        }
        guard selector.isValid else {
            return (
                .none, Verdict(.unsupportedValue, "allowedRoutes.namespaces.selector has an invalid matchExpression")
            )
        }
        return (.selector(selector), nil)
    case let other:
        return (
            .none,
            Verdict(.unsupportedValue, "allowedRoutes.namespaces.from: '\(other)' is none of All, Same, Selector")
        )
    }
}

/// Works out which kinds of routes may attach. A Passthrough listener takes a TCPRoute as its catch-all unless it lists
/// kinds: listed, TCPRoute is refused there, as Gateway API's conformance demands.
private func checkKinds(_ state: inout ListenerState) {
    let listed = state.spec.allowedRoutes?.kinds ?? []
    let supported: [RouteKind] =
        switch state.traffic {
        case .tcp: [.tcp]
        case .terminate: [.tls, .tcp]
        case .passthrough: listed.isEmpty ? [.tls, .tcp] : [.tls]
        case .unsupported: []
        }
    guard !listed.isEmpty else {
        state.kinds = supported
        return
    }
    for entry in listed {
        let kind = entry.effectiveGroup == gatewayAPIGroup ? RouteKind(rawValue: entry.kind) : nil
        if let kind, supported.contains(kind) {
            if !state.kinds.contains(kind) { state.kinds.append(kind) }
        } else if kind == .tcp, state.traffic == .passthrough {
            state.unresolved.append(
                Verdict(
                    .invalidRouteKinds,
                    "kind TCPRoute cannot be listed for a Passthrough listener; without a list it attaches as catch-all"
                ))
        } else {
            let name = entry.effectiveGroup == gatewayAPIGroup ? entry.kind : "\(entry.kind).\(entry.effectiveGroup)"
            state.unresolved.append(
                Verdict(
                    .invalidRouteKinds, "kind \(name) cannot attach to a listener of protocol \(state.spec.protocol)"))
        }
    }
}
