internal import EngineModel
internal import KubernetesAPI

/// A field of ClientPolicies.
struct ClientField: PolicyField {
    static let kind = "ClientPolicy"
    let name: String
    private let asked: @Sendable (ClientPolicy.Spec) -> Bool
    /// Nil where it means nothing.
    private let held: @Sendable (ListenerConfiguration, RouteConfiguration?) -> String?

    private init(
        _ name: String, _ asked: @escaping @Sendable (ClientPolicy.Spec) -> Bool,
        _ held: @escaping @Sendable (ListenerConfiguration, RouteConfiguration?) -> String?
    ) {
        (self.name, self.asked, self.held) = (name, asked, held)
    }

    func isSet(_ policy: PolicyFacts) -> Bool { policy.client.map(asked) ?? false }
    func value(_ listener: ListenerConfiguration, _ route: RouteConfiguration?) -> String? { held(listener, route) }

    static let all = beforeRoutes + ofRoutes + limits

    private static let beforeRoutes: [ClientField] = [
        .init("proxyProtocol.mode", { $0.proxyProtocol != nil }) { listener, _ in
            listener.settings.proxyProtocol.map { $0.mode == .required ? "Required" : "Optional" } ?? "off"
        },
        .init("proxyProtocol.trustedCIDRs", { $0.proxyProtocol?.trustedCIDRs != nil }) { listener, _ in
            listener.settings.proxyProtocol.map { $0.trusted == nil ? "every peer" : "those of the list" }
        },
        .init("startTLS", { $0.startTLS != nil }) { listener, _ in listener.settings.startTLS.map { _ in "Postgres" } },
        .init("tcpKeepalive", { $0.tcpKeepalive != nil }) { listener, _ in keepaliveText(listener.settings.keepalive) },
        .init("timeout.tcp.connectionInspectionTimeout", { $0.timeout?.tcp?.connectionInspectionTimeout != nil }) {
            listener, _ in
            if case .tls = listener.traffic { durationText(listener.settings.inspectionTimeout) } else { nil }
        },
        .init("timeout.tcp.tlsHandshakeTimeout", { $0.timeout?.tcp?.tlsHandshakeTimeout != nil }) { listener, _ in
            listener.termination.map { _ in durationText(listener.settings.tlsHandshakeTimeout) }
        },
        .init("tls.minVersion", { $0.tls?.minVersion != nil }) { listener, _ in
            listener.termination?.minimumVersion.rawValue
        },
        .init("tls.maxVersion", { $0.tls?.maxVersion != nil }) { listener, _ in
            listener.termination?.maximumVersion.rawValue
        },
        .init("tls.ciphers", { $0.tls?.ciphers != nil }) { listener, _ in
            listener.termination.map { $0.ciphers?.joined(separator: ", ") ?? "the library's" }
        },
        .init("tls.alpnProtocols", { $0.tls?.alpnProtocols != nil }) { listener, route in
            listener.termination.flatMap { tls in
                let offered = tls.alpnProtocols ?? route?.alpnProtocols ?? []
                return offered.isEmpty ? nil : offered.joined(separator: ", ")
            }
        },
        .init("tls.clientValidation", { $0.tls?.clientValidation != nil }) { listener, _ in
            listener.termination?.clientValidation.map { $0.mode == .validOnly ? "demanded" : "asked for" }
        },
    ]

    private static let ofRoutes: [ClientField] = [
        .init("timeout.tcp.idleTimeout", { $0.timeout?.tcp?.idleTimeout != nil }) { _, route in
            route.map { limitText($0.settings.idleTimeout) }
        },
        .init("timeout.tcp.clientIdleTimeout", { $0.timeout?.tcp?.clientIdleTimeout != nil }) { _, route in
            route.map { limitText($0.settings.clientIdleTimeout) }
        },
        .init("timeout.tcp.serverIdleTimeout", { $0.timeout?.tcp?.serverIdleTimeout != nil }) { _, route in
            route.map { limitText($0.settings.serverIdleTimeout) }
        },
        .init("timeout.tcp.firstByteTimeout", { $0.timeout?.tcp?.firstByteTimeout != nil }) { _, route in
            route.map { limitText($0.settings.firstByteTimeout) }
        },
        .init("timeout.tcp.halfCloseTimeout", { $0.timeout?.tcp?.halfCloseTimeout != nil }) { _, route in
            route.map { limitText($0.settings.halfCloseTimeout) }
        },
        .init("timeout.tcp.maxConnectionDuration", { $0.timeout?.tcp?.maxConnectionDuration != nil }) { _, route in
            route.map { limitText($0.settings.maxConnectionDuration) }
        },
    ]

    private static let limits: [ClientField] = [
        .init("authorization", { $0.authorization != nil }) { listener, route in
            let all = (listener.limits + (route?.limits ?? [])).compactMap(\.authorization)
            return all.isEmpty ? "everyone" : all.map(\.text).joined(separator: "; and ")
        },
        .init("connectionLimit", { $0.connectionLimit != nil }) { listener, route in
            let all = (listener.limits + (route?.limits ?? [])).compactMap(\.connections)
            return all.isEmpty ? "none" : all.map(\.text).joined(separator: "; and ")
        },
        .init("connectionRateLimit", { $0.connectionRateLimit != nil }) { listener, route in
            let all = (listener.limits + (route?.limits ?? [])).compactMap(\.connectionRate)
            return all.isEmpty ? "none" : all.map(\.text).joined(separator: "; and ")
        },
        .init("bandwidthLimit", { $0.bandwidthLimit != nil }) { listener, route in
            let all = (listener.limits + (route?.limits ?? [])).compactMap(\.bandwidth)
            return all.isEmpty ? "none" : all.map(\.text).joined(separator: "; and ")
        },
    ]
}

extension ListenerConfiguration {
    /// Nil where it does not terminate TLS.
    var termination: TLSTermination? {
        if case .tls(let tls) = traffic, case .terminate(let termination) = tls.mode { termination } else { nil }
    }
}

extension Authorization {
    fileprivate var text: String {
        "\(rules.count) rule\(rules.count == 1 ? "" : "s"), else \(allowsByDefault ? "Allow" : "Deny")"
    }
}

extension ConnectionLimit {
    fileprivate var text: String {
        [value.map { "\($0)" }, perSource.map { "\($0.value) of one source" }].compactMap { $0 }.joined(separator: ", ")
    }
}

extension ConnectionRateLimit {
    fileprivate var text: String {
        func text(_ rate: Rate) -> String {
            "\(rate.connections) in \(rate.interval.seconds == 1 ? "a second" : "\(rate.interval.seconds) seconds")"
        }
        return [total.map(text), perSource.map { text($0) + " of one source" }].compactMap { $0 }.joined(
            separator: ", ")
    }
}

extension BandwidthLimit {
    fileprivate var text: String {
        [
            request.map { "\($0.bytesPerSecond) bytes/s from the client" },
            response.map { "\($0.bytesPerSecond) bytes/s to the client" },
        ].compactMap { $0 }.joined(separator: ", ")
    }
}
