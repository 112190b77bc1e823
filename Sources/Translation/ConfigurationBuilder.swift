internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Builds the engine's configuration out of gateways and routes that are ready for it.
struct ConfigurationBuilder {
    private let slices: SliceIndex
    private let catalog: BackendCatalog
    private let policies: PolicyIndex
    private let clientPolicies: ClientPolicyResolution
    /// What names may not lead to where no parameters say otherwise.
    private let commonRefusal: RefusedAddresses
    /// The backends that what was built points at.
    private(set) var backends: [BackendID: BackendConfiguration] = [:]

    init(
        slices: SliceIndex, catalog: BackendCatalog, policies: PolicyIndex, clientPolicies: ClientPolicyResolution,
        _ options: TranslationOptions
    ) {
        commonRefusal = EffectiveParameters(options).backendGuard.refusedAddresses
        self.slices = slices
        self.catalog = catalog
        self.policies = policies
        self.clientPolicies = clientPolicies
    }

    /// A listener that is to be served, with its routes; nil where there is no place to bind it yet.
    mutating func listener(
        _ listener: ListenerState, of gateway: GatewayState, _ selection: RouteSelection, _ policies: ListenerPolicies
    ) -> ListenerConfiguration? {
        guard let port = UInt16(exactly: listener.spec.port) else { return nil }
        let places = gateway.exposure.bindings(of: port)
        guard !places.isEmpty else { return nil }
        let traffic: ListenerConfiguration.Traffic
        switch listener.traffic {
        case .tcp: traffic = .tcp(selection.fallback.map { route($0, listener, gateway, policies) })
        case .passthrough: traffic = .tls(tls(listener, gateway, .passthrough, selection, policies))
        case .terminate:
            var termination = TLSTermination(
                certificates: listener.certificates, alpnProtocols: listener.alpnProtocols)
            termination.clientValidation = listener.clientValidation
            termination.clientValidation?.requirements = policies.requirements
            termination.apply(policies.settings)
            traffic = .tls(tls(listener, gateway, .terminate(termination), selection, policies))
        case .unsupported: return nil
        }
        var settings = ListenerSettings()
        settings.routeDrainTimeout = gateway.parameters.routeDrainTimeout
        settings.apply(policies.settings)
        if !listener.isTLS { settings.startTLS = nil }
        var configuration = ListenerConfiguration(
            id: listener.id, bindings: places, port: port, traffic: traffic, settings: settings)
        configuration.limits = policies.limits
        return configuration
    }

    typealias ListenerPolicies = ClientPolicyResolution.ListenerPolicies

    private mutating func tls(
        _ listener: ListenerState, _ gateway: GatewayState, _ mode: TLSListener.Mode, _ selection: RouteSelection,
        _ policies: ListenerPolicies
    ) -> TLSListener {
        var built: [ObjectIdentifier: RouteConfiguration] = [:]
        let names = selection.byName.map { (text: $0.name.description, hostname: $0.name, route: $0.route) }
            .sorted { $0.text < $1.text }
        let hostnameRoutes = names.map { name in
            let id = ObjectIdentifier(name.route)
            let configuration = built[id] ?? route(name.route, listener, gateway, policies)
            built[id] = configuration
            return TLSListener.HostnameRoute(hostname: name.hostname, route: configuration)
        }
        return TLSListener(
            hostname: listener.hostname, mode: mode, routes: hostnameRoutes,
            fallback: selection.fallback.map { route($0, listener, gateway, policies) })
    }

    /// A route as one listener serves it.
    mutating func route(
        _ route: RouteState, _ listener: ListenerState, _ gateway: GatewayState, _ policies: ListenerPolicies
    ) -> RouteConfiguration {
        let rule = route.rule ?? ResolvedRule()
        let refused = Set(rule.guarded.filter { gateway.parameters.backendGuard.refusal(of: $0, catalog) != nil })
        let weighted = rule.targets.map { target in
            guard let backend = target.backend, !refused.contains(backend) else {
                return RouteConfiguration.WeightedBackend(weight: target.weight, target: .invalid)
            }
            let id = use(backend, raw: listener.traffic == .passthrough, by: gateway)
            return RouteConfiguration.WeightedBackend(weight: target.weight, target: .backend(id))
        }
        let (settings, limits) = clientPolicies.route(route.ref, under: policies)
        var configuration = RouteConfiguration(
            id: route.id, backends: weighted,
            alpnProtocols: listener.traffic == .terminate ? rule.alpnProtocols : [])
        configuration.settings.apply(settings)
        configuration.limits = limits
        return configuration
    }

    /// Adds a backend, once. What passes through as TLS already is never wrapped a second time: such a use of a backend
    /// with a policy is a variant of its own; so is one that is shown a gateway's own certificate.
    private mutating func use(_ target: BackendTarget, raw: Bool, by gateway: GatewayState) -> BackendID {
        var tls = policies.tls(for: target)
        var id = target.id
        if tls != nil {
            if raw {
                id.variant = "passthrough"
            } else if let certificate = gateway.clientCertificate {
                id.variant = "as Gateway \(gateway.key)"
                tls?.clientCertificate = certificate
            }
        }
        let refused = catalog.hasNames(target) ? gateway.parameters.backendGuard.refusedAddresses : commonRefusal
        if refused != commonRefusal {
            // Where gateways differ in what a name may lead to, each has its own answers.
            id.variant += (id.variant.isEmpty ? "" : ", ") + refused.text
        }
        if backends[id] == nil {
            var settings = BackendSettings()
            settings.refusedAddresses = refused
            backends[id] = BackendConfiguration(
                id: id, endpoints: endpoints(target), tls: raw ? nil : tls, settings: settings)
        }
        return id
    }

    private func endpoints(_ target: BackendTarget) -> [EndpointConfiguration] {
        switch target {
        case .service(let key, let port):
            catalog.externalNames[key] == nil
                ? slices.endpoints(key, port) : [catalog.external(key, port: port.port)].compactMap { $0 }
        case .backend(let key): (try? catalog[key]?.get()) ?? []
        }
    }
}

extension RefusedAddresses {
    fileprivate var text: String {
        switch (loopback, linkLocal) {
        case (false, false): "to any address"
        case (true, false): "not to loopback"
        case (false, true): "not to link-local"
        case (true, true): "neither to loopback nor to link-local"
        }
    }
}

extension BackendTarget {
    fileprivate var id: BackendID {
        switch self {
        case .service(let key, let port):
            BackendID(
                kind: "Service", namespace: key.namespace, name: key.name, port: UInt16(exactly: port.port) ?? 0)
        case .backend(let key): BackendID(kind: "Backend", namespace: key.namespace, name: key.name, port: 0)
        }
    }
}
