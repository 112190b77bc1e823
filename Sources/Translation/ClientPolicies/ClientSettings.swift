internal import EngineModel
internal import KubernetesAPI
internal import Primitives

/// Settings of ClientPolicies, merged from the least to the most specific: each field as the last policy that has it says,
/// with the policy it comes from. Fields nobody sets stay absent: the engine's defaults hold.
struct ClientSettings {
    /// A field's value, and whose it is: an index among the policies.
    struct Sourced<Value> {
        var value: Value
        var policy: Int
    }

    // Before a route is chosen.
    var proxyProtocol: Sourced<ProxyProtocolReception>?
    var startTLS: Sourced<StartTLS>?
    /// A nil value: keepalive is switched off.
    var keepalive: Sourced<TCPKeepalive?>?
    var inspectionTimeout: Sourced<Duration>?
    var tlsHandshakeTimeout: Sourced<Duration>?
    var minimumVersion: Sourced<TLSVersion>?
    var maximumVersion: Sourced<TLSVersion>?
    var ciphers: Sourced<[String]>?
    var groups: Sourced<[String]>?
    var signatureAlgorithms: Sourced<[String]>?
    var alpnProtocols: Sourced<[String]>?
    var alpnRequired: Sourced<Bool>?
    /// A nil value: no tickets.
    var ticketLifetime: Sourced<Duration?>?

    // Of established connections. A value of zero: none.
    var idleTimeout: Sourced<Duration>?
    var clientIdleTimeout: Sourced<Duration>?
    var serverIdleTimeout: Sourced<Duration>?
    var firstByteTimeout: Sourced<Duration>?
    var halfCloseTimeout: Sourced<Duration>?
    var maxConnectionDuration: Sourced<Duration>?
    var maxConnectionDurationJitter: Sourced<Int>?

    /// Of Gateways and their listeners.
    var accessLog: Sourced<AccessLogSettings>?
    /// What ListenerSets and routes add to that, and which policies do so, by where.
    var addedAccessLog: AccessLogSettings?
    private var accessLogAdders: [String: Int] = [:]

    /// Lets a more specific policy's fields go before those that are there.
    mutating func merge(_ spec: ClientPolicy.Spec, of policy: Int, at point: AttachmentPoint) {
        if let field = spec.proxyProtocol { proxyProtocol = .init(value: field.reception, policy: policy) }
        if let field = spec.startTLS { startTLS = .init(value: field.value, policy: policy) }
        if let field = spec.tcpKeepalive { keepalive = .init(value: field.value, policy: policy) }
        if let field = spec.tls { merge(field, of: policy) }
        if let field = spec.timeout?.tcp { merge(field, of: policy) }
        if let field = spec.accessLog { merge(field, of: policy, at: point) }
    }

    /// Below the Gateway lines are added, never taken away.
    private mutating func merge(_ field: ClientPolicy.AccessLog, of policy: Int, at point: AttachmentPoint) {
        switch point {
        case .gateway, .gatewayListener: accessLog = .init(value: field.settings, policy: policy)
        case .listenerSet, .setListener, .route, .service, .servicePort, .backend:
            addedAccessLog = addedAccessLog?.adding(field.settings) ?? field.settings
            accessLogAdders["accessLog of \(point.description)"] = policy
        }
    }

    /// What holds with what is added; nil: nobody sets anything.
    var effectiveAccessLog: AccessLogSettings? {
        guard let addedAccessLog else { return accessLog?.value }
        return (accessLog?.value ?? AccessLogSettings()).adding(addedAccessLog)
    }

    private mutating func merge(_ tls: ClientPolicy.TLS, of policy: Int) {
        func sourced<Value>(_ value: Value?) -> Sourced<Value>? { value.map { .init(value: $0, policy: policy) } }
        minimumVersion = sourced(tls.minVersion.flatMap { TLSVersion(rawValue: $0) }) ?? minimumVersion
        maximumVersion = sourced(tls.maxVersion.flatMap { TLSVersion(rawValue: $0) }) ?? maximumVersion
        ciphers = sourced(tls.ciphers) ?? ciphers
        groups = sourced(tls.ecdhCurves) ?? groups
        signatureAlgorithms = sourced(tls.signatureAlgorithms) ?? signatureAlgorithms
        alpnProtocols = sourced(tls.alpnProtocols) ?? alpnProtocols
        alpnRequired = sourced(tls.alpnRequired) ?? alpnRequired
        guard let resumption = tls.session?.resumption else { return }
        let lifetime = resumption.tickets == "Disabled" ? nil : GatewayDuration(resumption.lifetime ?? "1h")?.duration
        ticketLifetime = .init(value: lifetime, policy: policy)
    }

    private mutating func merge(_ timeout: ClientPolicy.TCPTimeout, of policy: Int) {
        func sourced(_ text: String?) -> Sourced<Duration>? {
            text.flatMap { GatewayDuration($0)?.duration }.map { .init(value: $0, policy: policy) }
        }
        inspectionTimeout = sourced(timeout.connectionInspectionTimeout) ?? inspectionTimeout
        tlsHandshakeTimeout = sourced(timeout.tlsHandshakeTimeout) ?? tlsHandshakeTimeout
        idleTimeout = sourced(timeout.idleTimeout) ?? idleTimeout
        clientIdleTimeout = sourced(timeout.clientIdleTimeout) ?? clientIdleTimeout
        serverIdleTimeout = sourced(timeout.serverIdleTimeout) ?? serverIdleTimeout
        firstByteTimeout = sourced(timeout.firstByteTimeout) ?? firstByteTimeout
        halfCloseTimeout = sourced(timeout.halfCloseTimeout) ?? halfCloseTimeout
        maxConnectionDuration = sourced(timeout.maxConnectionDuration) ?? maxConnectionDuration
        maxConnectionDurationJitter =
            timeout.maxConnectionDurationJitter.map { .init(value: $0, policy: policy) } ?? maxConnectionDurationJitter
    }
}

extension ClientSettings {
    /// Whose each field is that somebody sets, by its name in a ClientPolicy.
    var sources: [String: Int] {
        let all: [(String, Int?)] = [
            ("proxyProtocol", proxyProtocol?.policy), ("startTLS", startTLS?.policy),
            ("tcpKeepalive", keepalive?.policy),
            ("connectionInspectionTimeout", inspectionTimeout?.policy),
            ("tlsHandshakeTimeout", tlsHandshakeTimeout?.policy), ("tls.minVersion", minimumVersion?.policy),
            ("tls.maxVersion", maximumVersion?.policy), ("tls.ciphers", ciphers?.policy),
            ("tls.ecdhCurves", groups?.policy), ("tls.signatureAlgorithms", signatureAlgorithms?.policy),
            ("tls.alpnProtocols", alpnProtocols?.policy), ("tls.alpnRequired", alpnRequired?.policy),
            ("tls.session", ticketLifetime?.policy), ("idleTimeout", idleTimeout?.policy),
            ("clientIdleTimeout", clientIdleTimeout?.policy), ("serverIdleTimeout", serverIdleTimeout?.policy),
            ("firstByteTimeout", firstByteTimeout?.policy), ("halfCloseTimeout", halfCloseTimeout?.policy),
            ("maxConnectionDuration", maxConnectionDuration?.policy),
            ("maxConnectionDurationJitter", maxConnectionDurationJitter?.policy),
            ("accessLog", accessLog?.policy),
        ]
        return Dictionary(uniqueKeysWithValues: all.compactMap { name, policy in policy.map { (name, $0) } })
            .merging(accessLogAdders) { $1 }
    }

    /// Why the merged fields contradict each other, and the policy that is to blame: the most specific of those involved comes
    /// last in the chain.
    func contradiction(_ order: (Int) -> Int) -> (policy: Int, other: Int, message: String)? {
        func blamed(_ a: Int, _ b: Int, _ message: String) -> (policy: Int, other: Int, message: String) {
            order(a) >= order(b) ? (a, b, message) : (b, a, message)
        }
        if let minimum = minimumVersion, let maximum = maximumVersion, minimum.value > maximum.value {
            return blamed(minimum.policy, maximum.policy, "minVersion must not be greater than maxVersion")
        }
        if let ciphers, let minimum = minimumVersion, minimum.value == .v13 {
            return blamed(ciphers.policy, minimum.policy, "ciphers cannot be set when minVersion is 1.3")
        }
        return nil
    }
}

extension ListenerSettings {
    /// Takes over what policies say of a listener.
    mutating func apply(_ settings: ClientSettings) {
        proxyProtocol = settings.proxyProtocol?.value
        startTLS = settings.startTLS?.value
        if let field = settings.keepalive { keepalive = field.value }
        if let field = settings.inspectionTimeout { inspectionTimeout = field.value }
        if let field = settings.tlsHandshakeTimeout { tlsHandshakeTimeout = field.value }
        if let field = settings.effectiveAccessLog { accessLog = field }
    }
}

extension TLSTermination {
    /// Takes over what policies say of a listener that terminates TLS.
    mutating func apply(_ settings: ClientSettings) {
        if let field = settings.minimumVersion { minimumVersion = field.value }
        if let field = settings.maximumVersion { maximumVersion = field.value }
        if let field = settings.alpnProtocols { alpnProtocols = field.value }
        if let field = settings.alpnRequired { alpnRequired = field.value }
        if let field = settings.ticketLifetime { ticketLifetime = field.value }
        ciphers = settings.ciphers?.value
        groups = settings.groups?.value
        signatureAlgorithms = settings.signatureAlgorithms?.value
    }
}

extension RouteSettings {
    /// Takes over what policies say of a route's connections at one listener.
    mutating func apply(_ settings: ClientSettings) {
        func limit(_ field: ClientSettings.Sourced<Duration>?, or own: Duration?) -> Duration? {
            guard let field else { return own }
            return field.value == .zero ? nil : field.value
        }
        idleTimeout = limit(settings.idleTimeout, or: idleTimeout)
        clientIdleTimeout = limit(settings.clientIdleTimeout, or: clientIdleTimeout)
        serverIdleTimeout = limit(settings.serverIdleTimeout, or: serverIdleTimeout)
        firstByteTimeout = limit(settings.firstByteTimeout, or: firstByteTimeout)
        halfCloseTimeout = limit(settings.halfCloseTimeout, or: halfCloseTimeout)
        maxConnectionDuration = limit(settings.maxConnectionDuration, or: maxConnectionDuration)
        if let field = settings.maxConnectionDurationJitter { maxConnectionDurationJitter = field.value }
        if let field = settings.effectiveAccessLog { accessLog = field }
    }
}
