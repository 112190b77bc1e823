internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Builds the engine's configuration out of gateways and routes that are ready for it.
struct ConfigurationBuilder {
    private let slices: SliceIndex
    private let catalog: BackendCatalog
    private let policies: PolicyIndex
    private let clientPolicies: ClientPolicyResolution
    private let backendPolicies: BackendPolicyResolution
    private let services: [ObjectKey: Service]
    /// What names may not lead to where no parameters say otherwise.
    private let commonRefusal: RefusedAddresses
    private var ways = BackendWays()
    /// The backends that what was built points at.
    private(set) var backends: [BackendID: BackendConfiguration] = [:]

    init(
        slices: SliceIndex, catalog: BackendCatalog, policies: PolicyIndex, clientPolicies: ClientPolicyResolution,
        backendPolicies: BackendPolicyResolution, services: [ObjectKey: Service], _ options: TranslationOptions
    ) {
        commonRefusal = EffectiveParameters(options).backendGuard.refusedAddresses
        self.slices = slices
        self.catalog = catalog
        self.policies = policies
        self.clientPolicies = clientPolicies
        self.backendPolicies = backendPolicies
        self.services = services
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
            termination.clientValidation?.requirements = policies.client.requirements
            termination.apply(policies.client.settings)
            traffic = .tls(tls(listener, gateway, .terminate(termination), selection, policies))
        case .unsupported: return nil
        }
        var settings = ListenerSettings()
        settings.routeDrainTimeout = gateway.parameters.routeDrainTimeout
        settings.accessLogFormat = gateway.parameters.accessLogFormat
        settings.hasEndpointMetrics = gateway.parameters.hasEndpointMetrics
        settings.apply(policies.client.settings)
        if !listener.isTLS { settings.startTLS = nil }
        var configuration = ListenerConfiguration(
            id: listener.id, bindings: places, port: port, traffic: traffic, settings: settings)
        configuration.limits = policies.client.limits
        return configuration
    }

    /// What holds for one listener: of ClientPolicies, and who of BackendPolicies.
    struct ListenerPolicies {
        let client: ClientPolicyResolution.ListenerPolicies
        let backend: [BackendPolicyResolution.Holder]
    }

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
                return RouteConfiguration.WeightedBackend(
                    weight: target.weight, target: .invalid, isFallback: target.isFallback)
            }
            let id = use(
                backend, raw: listener.traffic == .passthrough, by: (gateway, route.ref), under: policies.backend)
            return RouteConfiguration.WeightedBackend(
                weight: target.weight, target: .backend(id), isFallback: target.isFallback)
        }
        let (settings, limits) = clientPolicies.route(route.ref, under: policies.client)
        var configuration = RouteConfiguration(
            id: route.id, backends: weighted,
            alpnProtocols: listener.traffic == .terminate ? rule.alpnProtocols : [])
        configuration.settings.apply(settings)
        configuration.limits = limits
        return configuration
    }

    /// Adds a backend, once. What passes through as TLS already is never wrapped a second time: such a use of a backend
    /// that is spoken to in TLS is a variant of its own; so are one that is shown a gateway's own certificate, and one for which
    /// policies on the way there say otherwise.
    private mutating func use(
        _ target: BackendTarget, raw: Bool, by user: (gateway: GatewayState, route: RouteKey),
        under wider: [BackendPolicyResolution.Holder]
    ) -> BackendID {
        let backend = PolicedBackend(tls: policies.tls(for: target), hasAffinity: hasAffinity(target))
        var use = ways.use(target, backend, by: user.route, under: wider, isRaw: raw, backendPolicies)
        var variants: [String] = []
        if use.isTLS, raw {
            variants.append("passthrough")
        } else if use.isTLS, let certificate = user.gateway.clientCertificate {
            variants.append("as Gateway \(user.gateway.key)")
            use.parts.tls?.clientCertificate = certificate
        }
        let refused = catalog.hasNames(target) ? user.gateway.parameters.backendGuard.refusedAddresses : commonRefusal
        // Where gateways differ in what a name may lead to, each has its own answers.
        if refused != commonRefusal { variants.append(refused.text) }
        if !use.variant.isEmpty { variants.append(use.variant) }
        var id = target.id
        id.variant = variants.joined(separator: ", ")
        use.parts.settings.refusedAddresses = refused
        let parts = use.parts
        if let known = backends[id] {
            assert(known.settings == parts.settings && known.tls == parts.tls, "\(id) \(id.variant) is not one variant")
            assert(known.circuitBreakers == parts.circuitBreakers && known.queue == parts.queue)
            return id
        }
        var endpoints = endpoints(target)
        if parts.settings.loadBalancing.zones != nil { endpoints.forgetPreference() }
        var configuration = BackendConfiguration(
            id: id, endpoints: endpoints, tls: parts.tls, settings: parts.settings)
        (configuration.circuitBreakers, configuration.queue) = (parts.circuitBreakers, parts.queue)
        backends[id] = configuration
        return id
    }

    /// Whether connections of one client go to one endpoint, by the Service.
    private func hasAffinity(_ target: BackendTarget) -> Bool {
        guard case .service(let key, _) = target else { return false }
        return services[key]?.spec.sessionAffinity == "ClientIP" && catalog.externalNames[key] == nil
    }

    private func endpoints(_ target: BackendTarget) -> [EndpointConfiguration] {
        switch target {
        case .service(let key, let port):
            catalog.externalNames[key] == nil
                ? slices.endpoints(
                    key, port, distribution: services[key]?.spec.trafficDistribution, backendPolicies.locality)
                : [catalog.external(key, port: port.port)].compactMap { $0 }
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
