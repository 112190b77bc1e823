internal import KubernetesAPI

/// A kind whose status we write. In the order in which it is written: what others wait for comes first.
enum StatusKind: String, CaseIterable, Hashable, Sendable, Comparable {
    case gatewayClass = "GatewayClass"
    case gateway = "Gateway"
    case listenerSet = "ListenerSet"
    case gatewayParameters = "GatewayParameters"
    case backend = "Backend"
    case backendTLSPolicy = "BackendTLSPolicy"
    case clientPolicy = "ClientPolicy"
    case backendPolicy = "BackendPolicy"
    case tcpRoute = "TCPRoute"
    case tlsRoute = "TLSRoute"

    var resource: ResourceKind {
        switch self {
        case .gatewayClass: GatewayClass.resourceKind
        case .gateway: Gateway.resourceKind
        case .listenerSet: ListenerSet.resourceKind
        case .gatewayParameters: GatewayParameters.resourceKind
        case .backend: Backend.resourceKind
        case .backendTLSPolicy: BackendTLSPolicy.resourceKind
        case .clientPolicy: ClientPolicy.resourceKind
        case .backendPolicy: BackendPolicy.resourceKind
        case .tcpRoute: TCPRoute.resourceKind
        case .tlsRoute: TLSRoute.resourceKind
        }
    }

    /// Who owns what of the status.
    enum Shape: Hashable, Sendable {
        /// The status is the controller's whose class it is: `conditions` are merged by type, `listeners` (where it is
        /// named) by name, the other fields named are replaced.
        case whole(fields: [String])
        /// A list shared by controllers: entries with our controllerName are ours.
        case shared(field: String, reference: String, limit: Int)
    }

    /// Limits are those of the CRDs of Gateway API v1.6, and of ours.
    var shape: Shape {
        switch self {
        case .gatewayClass: .whole(fields: ["supportedFeatures"])
        case .gateway: .whole(fields: ["addresses", "attachedListenerSets", "listeners"])
        case .listenerSet: .whole(fields: ["listeners"])
        case .gatewayParameters, .backend: .whole(fields: [])
        case .backendTLSPolicy, .clientPolicy, .backendPolicy:
            .shared(field: "ancestors", reference: "ancestorRef", limit: 16)
        case .tcpRoute, .tlsRoute: .shared(field: "parents", reference: "parentRef", limit: 32)
        }
    }

    private var rank: Int { StatusKind.allCases.firstIndex(of: self) ?? 0 }
    static func < (left: StatusKind, right: StatusKind) -> Bool { left.rank < right.rank }
}

/// An object whose status is written.
struct StatusTarget: Hashable, Sendable, CustomStringConvertible {
    var kind: StatusKind
    var key: ObjectKey

    var description: String { "\(kind.rawValue) \(key)" }
}

/// What an object's status shall say, in the model's own terms: cheap to compare, made JSON only where it is written.
enum DesiredStatus: Hashable, Sendable {
    case gatewayClass(GatewayClassStatus)
    case gateway(GatewayStatus)
    case listenerSet(ListenerSetStatus)
    case gatewayParameters(GatewayParametersStatus)
    case backend(BackendStatus)
    case policy(PolicyStatus)
    case route(RouteStatus)

    var json: JSONValue? {
        switch self {
        case .gatewayClass(let status): try? JSONValue(encoding: status)
        case .gateway(let status): try? JSONValue(encoding: status)
        case .listenerSet(let status): try? JSONValue(encoding: status)
        case .gatewayParameters(let status): try? JSONValue(encoding: status)
        case .backend(let status): try? JSONValue(encoding: status)
        case .policy(let status): try? JSONValue(encoding: status)
        case .route(let status): try? JSONValue(encoding: status)
        }
    }
}
