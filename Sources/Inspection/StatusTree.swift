/// All that a gateway has, as the admin address shows it under `/status`. Objects name each other by key: `namespace/name`.
public struct StatusTree: Codable, Hashable, Sendable {
    /// Of the program.
    public var version: String = ""
    /// `cluster` or `manifests`, and which.
    public var source: String = ""
    public var sourceDetail: String = ""
    /// Milliseconds since 1970, when this was made.
    public var time: Int64 = 0
    /// Seconds since 1970, when the process started.
    public var startedAt: Int64 = 0
    /// `sluice_config_generation`.
    public var generation: UInt64 = 0
    /// Seconds since 1970, when the configuration last changed.
    public var appliedAt: Int64?
    /// Nil outside of clusters.
    public var isLeader: Bool?
    /// What is wrong with the process though traffic flows, one sentence each.
    public var warnings: [String] = []
    /// By namespace and name.
    public var gateways: [GatewayNode] = []
    /// By kind, namespace and name: those of all gateways, and those that no gateway of ours takes.
    public var routes: [RouteNode] = []
    /// Those that routes refer to; by kind, namespace, name and port.
    public var backends: [BackendNode] = []
    /// ClientPolicies, BackendPolicies, BackendTLSPolicies; by kind, namespace and name.
    public var policies: [PolicyNode] = []
    /// The soonest to expire first.
    public var certificates: [CertificateNode] = []

    public init() {}
}

/// A condition as it would be written, or is written, to the object.
public struct ConditionNode: Codable, Hashable, Sendable {
    public var type: String
    /// `True`, `False` or `Unknown`.
    public var status: String
    public var reason: String
    public var message: String
    /// Whether it says that something is wrong (`Accepted` False; `Conflicted` True).
    public var isProblem: Bool
    /// Seconds since 1970.
    public var since: Int64?

    public init(type: String, status: String, reason: String, message: String, isProblem: Bool, since: Int64? = nil) {
        (self.type, self.status, self.reason, self.message) = (type, status, reason, message)
        (self.isProblem, self.since) = (isProblem, since)
    }
}

/// A Gateway with its listeners.
public struct GatewayNode: Codable, Hashable, Sendable {
    public var namespace: String
    public var name: String
    public var addresses: [String] = []
    public var conditions: [ConditionNode] = []
    /// Its own and those of its ListenerSets, in the order of the configuration.
    public var listeners: [ListenerNode] = []

    public init(namespace: String, name: String) { (self.namespace, self.name) = (namespace, name) }
}

/// A listener of a Gateway or ListenerSet.
public struct ListenerNode: Codable, Hashable, Sendable {
    /// As in metrics: bare, or `namespace/name/listener` for one of a ListenerSet.
    public var name: String
    public var port: Int
    /// `TCP`, `TLS Passthrough`, `TLS Terminate`.
    public var mode: String
    public var hostname: String?
    /// Where it is bound: `*:9000`; with what is wrong, where it is not.
    public var bindings: [BindingNode] = []
    public var conditions: [ConditionNode] = []
    /// Keys of ``RouteNode``: `TCPRoute infra/redis`.
    public var routes: [String] = []
    public var traffic: ListenerTrafficNode?

    public init(name: String, port: Int, mode: String) { (self.name, self.port, self.mode) = (name, port, mode) }
}

/// Where a listener is bound.
public struct BindingNode: Codable, Hashable, Sendable {
    public var address: String
    public var isBound: Bool
    public var problem: String?

    public init(address: String, isBound: Bool, problem: String? = nil) {
        (self.address, self.isBound, self.problem) = (address, isBound, problem)
    }
}

/// A route, whatever gateways it names.
public struct RouteNode: Codable, Hashable, Sendable {
    /// `TCPRoute` or `TLSRoute`.
    public var kind: String
    public var namespace: String
    public var name: String
    public var hostnames: [String] = []
    public var parents: [RouteParentNode] = []
    public var backends: [BackendReferenceNode] = []
    /// Summed over its listeners; nil: no connection yet.
    public var traffic: RouteTrafficNode?

    public init(kind: String, namespace: String, name: String) {
        (self.kind, self.namespace, self.name) = (kind, namespace, name)
    }
}

/// What a gateway says of a route.
public struct RouteParentNode: Codable, Hashable, Sendable {
    /// `Gateway infra/edge`, with `/listener` where the route names one.
    public var parent: String
    public var conditions: [ConditionNode]

    public init(parent: String, conditions: [ConditionNode]) { (self.parent, self.conditions) = (parent, conditions) }
}

/// A backendRef of a route.
public struct BackendReferenceNode: Codable, Hashable, Sendable {
    public var rule: Int
    /// Of ``BackendNode``: `Service infra/redis:6379`.
    public var backend: String
    public var weight: Int
    public var isFallback: Bool
    /// False: it cannot be resolved, and its share of connections is refused.
    public var isResolved: Bool

    public init(rule: Int, backend: String, weight: Int, isFallback: Bool, isResolved: Bool) {
        (self.rule, self.backend, self.weight) = (rule, backend, weight)
        (self.isFallback, self.isResolved) = (isFallback, isResolved)
    }
}

/// What routes send connections to.
public struct BackendNode: Codable, Hashable, Sendable {
    /// `Service` or `Backend`.
    public var kind: String
    public var namespace: String
    public var name: String
    /// 0 for a Backend.
    public var port: Int
    /// Of a Backend.
    public var conditions: [ConditionNode] = []
    /// Whether endpoints are checked, or connections eject them.
    public var hasHealthChecks = false
    public var endpoints: [EndpointNode] = []
    public var traffic: BackendTrafficNode?

    public init(kind: String, namespace: String, name: String, port: Int) {
        (self.kind, self.namespace, self.name, self.port) = (kind, namespace, name, port)
    }
}

/// An endpoint of a backend.
public struct EndpointNode: Codable, Hashable, Sendable {
    /// An address with its port, a name with its port, or `unix:` and a path.
    public var address: String
    public var zone: String?
    /// `healthy`, `unhealthy`, `ejected`, `unchecked`, or `serving` where nothing checks.
    public var state: String
    /// What the last check failed at, and what was received; nil: it passed, or there is none.
    public var failure: String?
    /// Milliseconds since 1970.
    public var checkedAt: Int64?

    public init(address: String, zone: String? = nil, state: String) {
        (self.address, self.zone, self.state) = (address, zone, state)
    }
}

/// A policy with what its ancestors say of it.
public struct PolicyNode: Codable, Hashable, Sendable {
    public var kind: String
    public var namespace: String
    public var name: String
    /// Such as `Gateway infra/edge`, `Service infra/redis/port`.
    public var targets: [String] = []
    public var ancestors: [RouteParentNode] = []

    public init(kind: String, namespace: String, name: String) {
        (self.kind, self.namespace, self.name) = (kind, namespace, name)
    }
}

/// A certificate in use.
public struct CertificateNode: Codable, Hashable, Sendable {
    /// `Secret infra/edge-tls`.
    public var object: String
    /// `listener`, `client_ca`, `backend_client`, `crl`.
    public var usage: String
    /// Such as `Gateway infra/edge/tls`.
    public var usedBy: [String]
    public var names: [String]
    /// Seconds since 1970.
    public var notAfter: Int64

    public init(object: String, usage: String, usedBy: [String], names: [String], notAfter: Int64) {
        (self.object, self.usage, self.usedBy) = (object, usage, usedBy)
        (self.names, self.notAfter) = (names, notAfter)
    }
}

/// Counts since the start, but for those that say `active`.
public struct ListenerTrafficNode: Codable, Hashable, Sendable {
    public var accepted: UInt64 = 0
    public var active: UInt64 = 0
    public var handshaking: UInt64 = 0
    /// By close reason.
    public var rejected: [String: UInt64] = [:]

    public init() {}
}

/// See ``RouteTraffic``.
public struct RouteTrafficNode: Codable, Hashable, Sendable {
    public var opened: UInt64 = 0
    public var active: UInt64 = 0
    public var closed: [String: UInt64] = [:]
    public var requestBytes: UInt64 = 0
    public var responseBytes: UInt64 = 0
    public var setupNanoseconds: UInt64 = 0
    public var setups: UInt64 = 0

    public init() {}
}

/// See ``BackendTraffic``.
public struct BackendTrafficNode: Codable, Hashable, Sendable {
    public var active: UInt64 = 0
    public var pending: UInt64 = 0
    public var connected: UInt64 = 0
    public var failed: [String: UInt64] = [:]
    public var retries: UInt64 = 0
    public var connectNanoseconds: UInt64 = 0

    public init() {}
}
