internal import EngineModel
internal import Primitives

extension ConfigurationView.Backend {
    init(_ configuration: BackendConfiguration) {
        backend = configuration.id.description
        variant = configuration.id.variant.isEmpty ? nil : configuration.id.variant
        endpoints = configuration.endpoints.map {
            .init(
                address: $0.address.description, weight: $0.weight, zone: $0.zone,
                preference: $0.preference == 0 ? nil : $0.preference)
        }
        tls = configuration.tls.map(ConfigurationView.TLS.init)
        settings = .init(configuration.settings)
        let breakers = configuration.circuitBreakers.map {
            ConfigurationView.CircuitBreakerView(
                id: $0.id.description, maxConnections: $0.maximumConnections, perEndpoint: $0.maximumPerEndpoint)
        }
        circuitBreakers = breakers.isEmpty ? nil : breakers
        queue = configuration.queue.map {
            .init(
                id: $0.id.description, maxPendingConnections: $0.length, queueTimeout: $0.timeout.description)
        }
    }
}

extension ConfigurationView.TLS {
    fileprivate init(_ tls: BackendTLS) {
        hostname = tls.hostname
        let names = tls.subjectAltNames.map { name in
            switch name {
            case .hostname(let text), .uri(let text): text
            }
        }
        subjectAltNames = names.isEmpty ? nil : names
        trust =
            switch tls.trust {
            case .system: ["system"]
            case .unusable: ["unusable"]
            case .pinsOnly: ["pins"]
            case .bundles(let bundles): bundles.flatMap(\.subjects)
            }
        pins = tls.spkiHashes?.count
        (minVersion, maxVersion) = (tls.minimumVersion.rawValue, tls.maximumVersion.rawValue)
        (ciphers, groups, alpnProtocols) = (tls.ciphers, tls.groups, tls.alpnProtocols)
        sendsClientsName = tls.sendsClientsName ? true : nil
    }
}
