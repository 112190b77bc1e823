internal import EngineModel

/// The fields of a BackendPolicy that merge, by what they are called in messages.
enum BackendField: Int, CaseIterable {
    case loadBalancer, healthCheck, onEndpointUnhealthy, onEndpointRemoved, onPrimaryRecovered, endpointDrainTimeout
    case connectTimeout, retry, proxyProtocol, tcpKeepalive, startTLS, dns
    case verification, minVersion, maxVersion, ciphers, ecdhCurves, alpnProtocols

    var name: String { isOfTLS ? "tls.\(self)" : "\(self)" }

    /// Whether it is one of `tls`.
    var isOfTLS: Bool { rawValue >= BackendField.verification.rawValue }
    /// Whether it means something only where a backend is spoken to in TLS.
    var needsTLS: Bool { isOfTLS || self == .startTLS }
}

/// Settings of a BackendPolicy, or of several that are merged; nil: nobody says anything.
struct BackendFields: Hashable, Sendable {
    var loadBalancer: LoadBalancer?
    var healthCheck: HealthChecking?
    var onEndpointUnhealthy: SessionAction?
    var onEndpointRemoved: SessionAction?
    var onPrimaryRecovered: SessionAction?
    var endpointDrainTimeout: Duration?
    var connectTimeout: Duration?
    var retry: Retry?
    var proxyProtocol: ProxyProtocolSending?
    var keepalive: Keepalive?
    var startTLS: BackendStartTLS?
    var dns: DNS?
    var verification: Verification?
    var minimumVersion: TLSVersion?
    var maximumVersion: TLSVersion?
    var ciphers: [String]?
    var groups: [String]?
    var alpnProtocols: [String]?

    struct LoadBalancer: Hashable, Sendable {
        var method: LoadBalancing.Method
        var slowStart: Duration?
        /// In which zone we are is filled in where it is used.
        var zones: ZonePreference?
    }

    struct Retry: Hashable, Sendable {
        var retries: Int
        var baseInterval: Duration
        var maxInterval: Duration
    }

    struct Keepalive: Hashable, Sendable {
        /// Nil: switched off.
        var value: TCPKeepalive?
    }

    struct DNS: Hashable, Sendable {
        var family: BackendSettings.DNSFamily
        var refreshRate: Duration
        var respectsTTL: Bool
    }

    /// `tls.verification`, `spkiHashes` and `serverName`, which go together.
    struct Verification: Hashable, Sendable {
        enum Kind { case authority, authorityAndPin, pinOnly }
        var kind: Kind
        var spkiHashes: Set<String>
        /// Nil: that of the BackendTLSPolicy.
        var serverName: String?
        var sendsClientsName = false
        /// Whose place in the chain had PinOnly, which asked for TLS by itself, before a more specific policy said otherwise.
        var pinsBefore: Int?
    }

    /// Lets a more specific policy's fields go before those that are there; `place` becomes the source of each.
    mutating func merge(_ other: BackendFields, from place: Int, _ sources: inout BackendFieldSources) {
        func take<Value>(_ value: Value?, _ field: BackendField, _ current: inout Value?) {
            guard let value else { return }
            current = value
            sources[field] = place
        }
        take(other.loadBalancer, .loadBalancer, &loadBalancer)
        take(other.healthCheck, .healthCheck, &healthCheck)
        take(other.onEndpointUnhealthy, .onEndpointUnhealthy, &onEndpointUnhealthy)
        take(other.onEndpointRemoved, .onEndpointRemoved, &onEndpointRemoved)
        take(other.onPrimaryRecovered, .onPrimaryRecovered, &onPrimaryRecovered)
        take(other.endpointDrainTimeout, .endpointDrainTimeout, &endpointDrainTimeout)
        take(other.connectTimeout, .connectTimeout, &connectTimeout)
        take(other.retry, .retry, &retry)
        take(other.proxyProtocol, .proxyProtocol, &proxyProtocol)
        take(other.keepalive, .tcpKeepalive, &keepalive)
        take(other.startTLS, .startTLS, &startTLS)
        take(other.dns, .dns, &dns)
        let pinned = verification?.kind == .pinOnly ? sources[.verification] : verification?.pinsBefore
        take(other.verification, .verification, &verification)
        if other.verification != nil, verification?.kind != .pinOnly { verification?.pinsBefore = pinned }
        take(other.minimumVersion, .minVersion, &minimumVersion)
        take(other.maximumVersion, .maxVersion, &maximumVersion)
        take(other.ciphers, .ciphers, &ciphers)
        take(other.groups, .ecdhCurves, &groups)
        take(other.alpnProtocols, .alpnProtocols, &alpnProtocols)
    }

    /// The fields that are there.
    var present: [BackendField] {
        var (merged, sources) = (BackendFields(), BackendFieldSources())
        merged.merge(self, from: 0, &sources)
        return BackendField.allCases.filter { sources[$0] != nil }
    }

    /// Whether there is a field of `tls`.
    var hasTLS: Bool {
        verification != nil || minimumVersion != nil || maximumVersion != nil || ciphers != nil || groups != nil
            || alpnProtocols != nil
    }
}

/// Whose each field is that somebody sets: a place in the chain of policies.
struct BackendFieldSources {
    private var places = [Int](repeating: -1, count: BackendField.allCases.count)

    subscript(_ field: BackendField) -> Int? {
        get { places[field.rawValue] < 0 ? nil : places[field.rawValue] }
        set { places[field.rawValue] = newValue ?? -1 }
    }
}
