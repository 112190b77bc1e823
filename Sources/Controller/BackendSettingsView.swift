internal import EngineModel

/// How a backend's endpoints are chosen, checked and spoken to, by the names of a BackendPolicy. Durations such as `10.0 seconds`.
public struct BackendSettingsView: Encodable, Hashable, Sendable {
    public var loadBalancer: String
    /// Absent: endpoints that join later get their share at once.
    public var slowStart: String?
    /// Absent: only preferences of endpoints count.
    public var zoneAware: String?
    public var activeHealthCheck: ActiveView?
    public var passiveHealthCheck: PassiveView?
    public var panicThreshold: Int
    public var onEndpointUnhealthy: String
    public var onEndpointRemoved: String
    public var onPrimaryRecovered: String
    public var endpointDrainTimeout: String
    public var connectTimeout: String
    public var numRetries: Int
    public var backOff: String
    /// Absent: switched off.
    public var tcpKeepalive: String?
    public var proxyProtocol: String?
    public var startTLS: String?
    public var dns: String

    public struct ActiveView: Encodable, Hashable, Sendable {
        public var timeout: String
        public var interval: String
        public var unhealthyThreshold: Int
        public var healthyThreshold: Int
        public var initialState: String
        public var steps: Int
        public var port: UInt16?
        public var plaintext: Bool?
    }

    public struct PassiveView: Encodable, Hashable, Sendable {
        public var consecutiveLocalOriginFailures: Int
        public var interval: String
        public var baseEjectionTime: String
        public var maxEjectionPercent: Int
    }
}

extension BackendSettingsView {
    init(_ settings: BackendSettings) {
        let balancing = settings.loadBalancing
        loadBalancer =
            switch balancing.method {
            case .leastRequest: "LeastRequest"
            case .roundRobin: "RoundRobin"
            case .random: "Random"
            case .consistentHash(let hash): "ConsistentHash by source/\(hash.source.v4) and /\(hash.source.v6)"
            }
        slowStart = balancing.slowStart?.description
        zoneAware = balancing.zones.map { "\($0.zone) first" }
        activeHealthCheck = settings.health.active.map { ActiveView($0) }
        passiveHealthCheck = settings.health.passive.map { PassiveView($0) }
        panicThreshold = settings.health.panicThreshold
        onEndpointUnhealthy = settings.onEndpointUnhealthy.text
        onEndpointRemoved = settings.onEndpointRemoved.text
        onPrimaryRecovered = settings.onPrimaryRecovered.text
        endpointDrainTimeout = settings.endpointDrainTimeout.description
        connectTimeout = settings.connectTimeout.description
        numRetries = settings.retries
        backOff = "\(settings.retryBaseInterval) to \(settings.retryMaxInterval)"
        tcpKeepalive = settings.keepalive.map { "\($0.idleSeconds) s, then \($0.probes) every \($0.intervalSeconds) s" }
        proxyProtocol = settings.proxyProtocol.map { $0.version == .v1 ? "V1" : "V2" }
        startTLS = settings.startTLS.map { _ in "Postgres" }
        dns = "\(settings.dnsFamily), \(settings.respectsTTL ? "by TTL" : "every \(settings.dnsRefreshRate)")"
    }
}

extension BackendSettingsView.ActiveView {
    fileprivate init(_ check: ActiveHealthCheck) {
        (timeout, interval) = (check.timeout.description, check.interval.description)
        (unhealthyThreshold, healthyThreshold) = (check.unhealthyThreshold, check.healthyThreshold)
        initialState = check.startsHealthy ? "Healthy" : "Unhealthy"
        (steps, port, plaintext) = (check.steps.count, check.port, check.isPlaintext ? true : nil)
    }
}

extension BackendSettingsView.PassiveView {
    fileprivate init(_ check: PassiveHealthCheck) {
        consecutiveLocalOriginFailures = check.consecutiveFailures
        (interval, baseEjectionTime) = (check.interval.description, check.baseEjectionTime.description)
        maxEjectionPercent = check.maximumEjectionPercent
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
