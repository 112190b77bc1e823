internal import EngineModel
internal import KubernetesAPI

/// A field of BackendPolicies.
struct BackendField: PolicyField {
    static let kind = "BackendPolicy"
    let name: String
    private let asked: @Sendable (BackendPolicy.Spec) -> Bool
    /// Nil where it means nothing.
    private let held: @Sendable (BackendConfiguration) -> String?

    private init(
        _ name: String, _ asked: @escaping @Sendable (BackendPolicy.Spec) -> Bool,
        _ held: @escaping @Sendable (BackendConfiguration) -> String?
    ) {
        (self.name, self.asked, self.held) = (name, asked, held)
    }

    func isSet(_ policy: PolicyFacts) -> Bool { policy.backend.map(asked) ?? false }
    func value(_ backend: BackendConfiguration) -> String? { held(backend) }

    static let all: [BackendField] = [
        .init("loadBalancer.type", { $0.loadBalancer != nil }) { $0.settings.loadBalancing.method.text },
        .init("healthCheck.active", { $0.healthCheck?.active != nil }) { backend in
            backend.settings.health.active.map {
                "every \(durationText($0.interval)), \($0.steps.count) steps"
            } ?? "none"
        },
        .init("healthCheck.passive", { $0.healthCheck?.passive != nil }) { backend in
            backend.settings.health.passive.map { "\($0.consecutiveFailures) failures in a row" } ?? "none"
        },
        .init("healthCheck.panicThreshold", { $0.healthCheck?.panicThreshold != nil }) {
            "\($0.settings.health.panicThreshold)"
        },
        .init("onEndpointUnhealthy", { $0.onEndpointUnhealthy != nil }) { $0.settings.onEndpointUnhealthy.text },
        .init("onEndpointRemoved", { $0.onEndpointRemoved != nil }) { $0.settings.onEndpointRemoved.text },
        .init("onPrimaryRecovered", { $0.onPrimaryRecovered != nil }) { $0.settings.onPrimaryRecovered.text },
        .init("timeout.tcp.connectTimeout", { $0.timeout?.tcp?.connectTimeout != nil }) {
            durationText($0.settings.connectTimeout)
        },
        .init("retry.numRetries", { $0.retry?.numRetries != nil }) { "\($0.settings.retries)" },
        .init("circuitBreaker.maxConnections", { $0.circuitBreaker?.maxConnections != nil }) { backend in
            let all = backend.circuitBreakers.compactMap(\.maximumConnections).map { "\($0)" }
            return all.isEmpty ? "any number" : all.joined(separator: "; and ")
        },
        .init("circuitBreaker.perEndpoint", { $0.circuitBreaker?.perEndpoint != nil }) { backend in
            let all = backend.circuitBreakers.compactMap(\.maximumPerEndpoint).map { "\($0)" }
            return all.isEmpty ? nil : all.joined(separator: "; and ")
        },
        .init("circuitBreaker.maxPendingConnections", { $0.circuitBreaker?.maxPendingConnections != nil }) {
            $0.queue.map { "\($0.length), at most \(durationText($0.timeout))" }
        },
        .init("proxyProtocol.version", { $0.proxyProtocol != nil }) { backend in
            backend.settings.proxyProtocol.map { $0.version == .v1 ? "V1" : "V2" } ?? "off"
        },
        .init("tcpKeepalive", { $0.tcpKeepalive != nil }) { keepaliveText($0.settings.keepalive) },
        .init("tls.verification", { $0.tls?.verification != nil }) { backend in
            backend.tls.map { $0.trust == .pinsOnly ? "PinOnly" : $0.spkiHashes == nil ? "CA" : "CAAndPin" }
        },
        .init("tls.minVersion", { $0.tls?.minVersion != nil }) { $0.tls?.minimumVersion.rawValue },
        .init("startTLS", { $0.startTLS != nil }) { $0.settings.startTLS.map { _ in "Postgres" } },
        .init("dns.lookupFamily", { $0.dns?.lookupFamily != nil }) { backend in
            backend.endpoints.contains { $0.address.isName } ? backend.settings.dnsFamily.text : nil
        },
    ]
}

extension LoadBalancing.Method {
    fileprivate var text: String {
        switch self {
        case .leastRequest: "LeastRequest"
        case .roundRobin: "RoundRobin"
        case .random: "Random"
        case .consistentHash: "ConsistentHash"
        }
    }
}

extension SessionAction {
    fileprivate var text: String {
        switch self {
        case .keep: "Keep"
        case .drain: "Drain"
        case .close: "Close"
        }
    }
}

extension BackendSettings.DNSFamily {
    fileprivate var text: String {
        switch self {
        case .ipv4: "IPv4"
        case .ipv6: "IPv6"
        case .ipv4Preferred: "IPv4Preferred"
        case .ipv6Preferred: "IPv6Preferred"
        case .ipv4AndIPv6: "IPv4AndIPv6"
        }
    }
}

/// As Gateway API writes durations: `1h30m`, `500ms`.
func durationText(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let milliseconds = attoseconds / 1_000_000_000_000_000
    let parts: [(Int64, String)] = [
        (seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (milliseconds, "ms"),
    ]
    let text = parts.filter { $0.0 > 0 }.map { "\($0)\($1)" }.joined()
    return text.isEmpty ? "0s" : text
}

func limitText(_ duration: Duration?) -> String { duration.map(durationText) ?? "off" }

func keepaliveText(_ keepalive: TCPKeepalive?) -> String {
    keepalive.map { "after \($0.idleSeconds)s, \($0.probes) probes every \($0.intervalSeconds)s" } ?? "off"
}
