internal import KubernetesAPI

/// Refuses listeners whose port cannot be had.
func checkPorts(of gateway: inout GatewayState, _ context: SelectionContext) {
    for index in gateway.listeners.indices {
        let listener = gateway.listeners[index]
        if let problem = portProblem(listener.spec.port, isHost: gateway.exposure.isHost, context.options)
            ?? gateway.parameters.ofClass?.refusal(of: listener, context)
        {
            gateway.listeners[index].rejections.append(problem)
        }
    }
}

private func portProblem(_ port: Int, isHost: Bool, _ options: TranslationOptions) -> Verdict? {
    guard let number = UInt16(exactly: port), number > 0 else {
        return Verdict(.portUnavailable, "port \(port) does not exist (1-65535)")
    }
    // Under Service exposure another port is bound.
    guard isHost else { return nil }
    if options.reservedPorts.contains(number) {
        return Verdict(.portUnavailable, "port \(port) serves the gateway's own probes, metrics or status page")
    }
    guard let range = options.installation?.ports, range.contains(number) else { return nil }
    return Verdict(
        .portUnavailable,
        "port \(port) is one of \(range.lowerBound)-\(range.upperBound), which are bound for Services alone")
}

extension NamedParameters {
    /// Why `allowedPorts` keep a listener from its port; nil: they do not. HTTP and the like is refused elsewhere.
    fileprivate func refusal(of listener: ListenerState, _ context: SelectionContext) -> Verdict? {
        guard let allowed = spec.allowedPorts else { return nil }
        let (name, list): (String, GatewayParameters.Ports?)
        switch listener.traffic {
        case .tcp: (name, list) = ("tcp", allowed.tcp)
        case .passthrough, .terminate: (name, list) = ("tls", allowed.tls)
        case .unsupported: return nil
        }
        let port = listener.spec.port
        if list?.contains(port) == true { return nil }
        let namespace = listener.owner.namespace
        if admits(namespace, allowed.namespaces, context) { return nil }
        return Verdict(
            .portUnavailable,
            "port \(port) is not in allowedPorts.\(name) of \(description), and allowedPorts.namespaces (from: "
                + "\(allowed.namespaces?.from ?? "None")) does not let namespace \(namespace) open others")
    }

    /// Whether a namespace may open ports outside the lists.
    private func admits(
        _ namespace: String, _ rule: GatewayParameters.Namespaces?, _ context: SelectionContext
    ) -> Bool {
        switch rule?.from {
        case "All": true
        case "Same": namespace == key.namespace
        case "Selector":
            rule?.selector.map {
                $0.admits(namespace, in: context.snapshot, standalone: context.options.standalone)
            } ?? false
        default: false
        }
    }
}

extension GatewayParameters.Ports {
    fileprivate func contains(_ port: Int) -> Bool {
        (ports ?? []).contains(port) || (ranges ?? []).contains { $0.from <= port && port <= $0.to }
    }
}
