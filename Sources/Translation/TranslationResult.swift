public import EngineModel
public import KubernetesAPI

/// What a snapshot means: what the engine shall serve, and what is to be said about the objects.
public struct TranslationResult: Hashable, Sendable {
    public var configuration: EngineConfiguration
    public var statuses: StatusReport
    public var infrastructure = Infrastructure()
    /// What gateways refer to.
    public var certificates: [CertificateUse] = []
    /// When the same objects mean something else only because time has passed, in seconds since 1970: the snapshot is
    /// to be translated again then, with a new `asOf`.
    public var reconsiderAt: Int64?
    /// What no condition has a place for, sorted: for the log and for `check`.
    public var notices: [Notice]

    public init(configuration: EngineConfiguration, statuses: StatusReport, notices: [Notice] = []) {
        self.configuration = configuration
        self.statuses = statuses
        self.notices = notices
    }
}

/// A remark on an object whose status cannot hold it.
public struct Notice: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Such as `TCPRoute`.
    public var kind: String
    public var key: ObjectKey
    public var message: String

    public init(kind: String, key: ObjectKey, message: String) {
        self.kind = kind
        self.key = key
        self.message = message
    }

    public var description: String { "\(kind) \(key): \(message)" }
    public static func < (left: Notice, right: Notice) -> Bool {
        if left.kind != right.kind { return left.kind < right.kind }
        return left.key == right.key ? left.message < right.message : left.key < right.key
    }
}

/// Status per object. An object that is not ours, or that no longer has a parent of ours, is not in it. ``translate(_:options:)``
/// leaves the conditions `Programmed` of what shall be served Unknown; ``compose(_:_:addresses:)`` closes them.
public struct StatusReport: Hashable, Sendable {
    public var gatewayClasses: [ObjectKey: GatewayClassStatus] = [:]
    public var gateways: [ObjectKey: GatewayStatus] = [:]
    public var listenerSets: [ObjectKey: ListenerSetStatus] = [:]
    public var tcpRoutes: [ObjectKey: RouteStatus] = [:]
    public var tlsRoutes: [ObjectKey: RouteStatus] = [:]
    public var backendTLSPolicies: [ObjectKey: PolicyStatus] = [:]
    public var clientPolicies: [ObjectKey: PolicyStatus] = [:]
    public var backendPolicies: [ObjectKey: PolicyStatus] = [:]
    public var backends: [ObjectKey: BackendStatus] = [:]
    public var gatewayParameters: [ObjectKey: GatewayParametersStatus] = [:]
    /// The gateway of each ListenerSet whose listeners may be served.
    public var listenerSetParents: [ObjectKey: ObjectKey] = [:]
    /// Where gateways are reachable that Services expose.
    public var reaches: [ObjectKey: Reach] = [:]
    /// Where each listener that shall be served is to be bound; not empty.
    public var bindings: [ListenerID: [Binding]] = [:]

    public init() {}
}
