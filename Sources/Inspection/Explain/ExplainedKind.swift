internal import Primitives

/// What can be explained.
public enum ExplainedKind: String, CaseIterable, Sendable {
    case gateway = "Gateway"
    case listenerSet = "ListenerSet"
    /// Of a Gateway: its name is `GATEWAY/LISTENER`.
    case listener = "listener"
    case tcpRoute = "TCPRoute"
    case tlsRoute = "TLSRoute"
    case service = "Service"
    case backend = "Backend"
    case clientPolicy = "ClientPolicy"
    case backendPolicy = "BackendPolicy"
    case backendTLSPolicy = "BackendTLSPolicy"
    case gatewayClass = "GatewayClass"
    case secret = "Secret"

    /// By its name, plural or short name, in any case.
    public init?(_ text: String) {
        let wanted = text.lowercased()
        guard let found = ExplainedKind.allCases.first(where: { $0.names.contains(wanted) }) else { return nil }
        self = found
    }

    /// Whether its objects have no namespace.
    public var isClusterScoped: Bool { self == .gatewayClass }

    /// What it may be called, in lower case.
    public var names: [String] {
        let singular = rawValue.lowercased()
        let plural = singular.hasSuffix("y") ? singular.dropLast() + "ies" : singular + "s"
        let short: [String] =
            switch self {
            case .gateway: ["gw"]
            case .listenerSet: ["ls", "lset"]
            case .tcpRoute: ["tcp"]
            case .tlsRoute: ["tls"]
            case .service: ["svc"]
            case .backend: ["be"]
            case .clientPolicy: ["cp"]
            case .backendPolicy: ["bp"]
            case .backendTLSPolicy: ["btls", "btlspolicy"]
            case .gatewayClass: ["gc", "gatewayclasses"]
            case .listener, .secret: []
            }
        return [singular, String(plural)] + short
    }

    /// What a word that is no kind may mean.
    public static func nearest(to text: String) -> ExplainedKind? {
        nearestMatch(to: text, among: allCases.flatMap(\.names)).flatMap { ExplainedKind($0) }
    }
}
