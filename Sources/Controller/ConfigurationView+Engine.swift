public import EngineModel
internal import Primitives

extension ConfigurationView {
    /// `acknowledgement`: nil where nothing is served.
    public init(_ configuration: EngineConfiguration, _ acknowledgement: Acknowledgement? = nil) {
        listeners = configuration.listeners.map { Listener($0, acknowledgement) }
        backends = configuration.backends.map(Backend.init)
    }
}

extension ConfigurationView.Listener {
    fileprivate init(_ listener: ListenerConfiguration, _ acknowledgement: Acknowledgement?) {
        gateway = "\(listener.id.gatewayNamespace)/\(listener.id.gateway)"
        self.listener = listener.id.listener
        bindings = listener.bindings.map { .init($0, acknowledgement?.bindings[$0]) }
        limits = listener.limits.isEmpty ? nil : listener.limits.map(\.id.description)
        switch listener.traffic {
        case .tcp(let route):
            mode = "TCP"
            routes = route.map { [.init($0)] } ?? []
        case .tls(let tls):
            hostname = tls.hostname?.description
            routes =
                tls.routes.map { .init($0.route, hostname: $0.hostname) } + (tls.fallback.map { [.init($0)] } ?? [])
            switch tls.mode {
            case .passthrough: mode = "TLS passthrough"
            case .terminate(let termination):
                mode = "TLS terminate"
                certificates = termination.certificates.map(ConfigurationView.Certificate.init)
                alpnProtocols = termination.alpnProtocols
            }
        }
    }
}

extension ConfigurationView.BindingView {
    fileprivate init(_ binding: Binding, _ state: BindingState?) {
        address = binding.description
        switch state {
        case nil: break
        case .bound: self.state = "bound"
        case .failed(let failure): (self.state, message) = ("failed", failure.message)
        }
    }
}

extension ConfigurationView.Certificate {
    fileprivate init(_ facts: KeyPairFacts) {
        dnsNames = facts.dnsNames.map(\.description)
        keyType =
            switch facts.keyType {
            case .rsa(let bits): "RSA \(bits)"
            case .ecdsa(let curve): "ECDSA \(curve)"
            case .other(let name): name
            }
        (notBefore, notAfter, fingerprint) = (facts.notBefore, facts.notAfter, facts.fingerprint)
    }
}

extension ConfigurationView.Route {
    fileprivate init(_ route: RouteConfiguration, hostname: HostnamePattern? = nil) {
        self.route = route.id.description
        rule = route.id.rule
        self.hostname = hostname?.description
        alpnProtocols = route.alpnProtocols.isEmpty ? nil : route.alpnProtocols
        limits = route.limits.isEmpty ? nil : route.limits.map(\.id.description)
        backends = route.backends.map { weighted in
            switch weighted.target {
            case .backend(let id):
                .init(
                    backend: id.description, variant: id.variant.isEmpty ? nil : id.variant, weight: weighted.weight,
                    fallback: weighted.isFallback ? true : nil)
            case .invalid: .init(backend: nil, weight: weighted.weight)
            }
        }
    }
}
