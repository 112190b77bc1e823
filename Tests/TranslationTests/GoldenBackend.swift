import EngineModel
import Primitives

/// A backend as golden files show it.
struct BackendShape: Encodable {
    let id: String
    let endpoints: [String]
    /// Where its names may not lead.
    let refused: [String]?
    let tls: TLS?
    /// Settings that are not the default, by name.
    let settings: [String: String]?
    /// The widest target's first.
    let circuitBreakers: [String]?
    let queue: String?

    struct TLS: Encodable {
        let trust: [String]
        let hostname: String
        let names: [String]?
        let presenting: String?
        let parameters: [String]?

        init(_ tls: BackendTLS) {
            trust =
                switch tls.trust {
                case .system: ["the system's"]
                case .unusable: ["none: every connection fails"]
                case .pinsOnly: ["keys alone"]
                case .bundles(let bundles): bundles.map(\.material.fingerprint)
                }
            hostname = tls.sendsClientsName ? "the client's, else \(tls.hostname)" : tls.hostname
            let found = tls.subjectAltNames.map { name in
                switch name {
                case .hostname(let hostname): "DNS \(hostname)"
                case .uri(let uri): "URI \(uri)"
                }
            }
            names = found.isEmpty ? nil : found
            presenting = tls.clientCertificate?.material.fingerprint
            let said = [
                tls.spkiHashes.map { "\($0.count) keys" }, tls.minimumVersion == .v12 ? nil : "at least 1.3",
                tls.maximumVersion == .v13 ? nil : "at most 1.2",
                tls.ciphers.map { "ciphers " + $0.joined(separator: ":") },
                tls.groups.map { "groups " + $0.joined(separator: ":") },
                tls.alpnProtocols.map { "ALPN " + $0.joined(separator: ", ") },
            ].compactMap { $0 }
            parameters = said.isEmpty ? nil : said
        }
    }

    init(_ backend: BackendConfiguration) {
        id = describe(backend.id)
        endpoints = backend.endpoints.map { endpoint in
            "\(endpoint.address)" + (endpoint.weight == 1 ? "" : " weight \(endpoint.weight)")
                + (endpoint.zone.map { " in \($0)" } ?? "")
                + (endpoint.preference == 0 ? "" : " preference \(endpoint.preference)")
        }
        let hasName = backend.endpoints.contains { $0.address.isName }
        let addresses = backend.settings.refusedAddresses
        let kinds = (addresses.loopback ? ["loopback"] : []) + (addresses.linkLocal ? ["link-local"] : [])
        refused = hasName ? kinds : nil
        tls = backend.tls.map { TLS($0) }
        let (own, usual) = (fields(backend.settings), fields(.init()))
        let others = own.filter { $0.key != "refusedAddresses" && usual[$0.key] != $0.value }
        settings = others.isEmpty ? nil : others
        let breakers = backend.circuitBreakers.map { breaker in
            let limits = [
                breaker.maximumConnections.map { "\($0) connections" },
                breaker.maximumPerEndpoint.map { "\($0) for each endpoint" },
            ]
            return "\(breaker.id): \(limits.compactMap { $0 }.joined(separator: ", "))"
        }
        circuitBreakers = breakers.isEmpty ? nil : breakers
        queue = backend.queue.map { "\($0.id): \($0.length) for \($0.timeout)" }
    }
}

/// By name, as they are printed.
private func fields(_ settings: BackendSettings) -> [String: String] {
    Dictionary(
        uniqueKeysWithValues: Mirror(reflecting: settings).children.compactMap { child in
            child.label.map { ($0, text(child.value)) }
        })
}

/// Without types; what is absent, or empty, is left out.
private func text(_ value: Any) -> String {
    let mirror = Mirror(reflecting: value)
    switch mirror.displayStyle {
    case .optional: return mirror.children.first.map { text($0.value) } ?? "none"
    case .collection where mirror.children.isEmpty: return "none"
    case .collection where value is [UInt8]: return String(decoding: value as? [UInt8] ?? [], as: UTF8.self)
    case .collection: return "[" + mirror.children.map { text($0.value) }.joined(separator: ", ") + "]"
    case .struct where value is Duration: return "\(value)"
    case .struct:
        let parts = mirror.children.map { ($0.label ?? "", text($0.value)) }.filter { $0.1 != "none" }
        return "(" + parts.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + ")"
    case .enum:
        guard let payload = mirror.children.first else { return "\(value)" }
        return "\(payload.label ?? "") \(text(payload.value))"
    default: return "\(value)"
    }
}
