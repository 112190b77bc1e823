internal import EngineModel
internal import Primitives

/// What the engine runs, as /config and `sluice check -o json` show it: without keys and certificates' bytes.
public struct ConfigurationView: Encodable, Hashable, Sendable {
    public var listeners: [Listener]
    public var backends: [Backend]

    public struct Listener: Encodable, Hashable, Sendable {
        /// `namespace/name`.
        public var gateway: String
        public var listener: String
        public var bindings: [BindingView]
        /// `TCP`, `TLS passthrough` or `TLS terminate`.
        public var mode: String
        public var hostname: String?
        public var certificates: [Certificate]?
        public var alpnProtocols: [String]?
        /// Levels of limits, the widest first: such as `infra/edge at Gateway infra/edge`.
        public var limits: [String]?
        public var routes: [Route]
    }

    public struct BindingView: Encodable, Hashable, Sendable {
        /// `*:9000` where every local address is bound.
        public var address: String
        /// `bound`, `failed`, or absent where nothing is served (`check`).
        public var state: String?
        public var message: String?
    }

    public struct Certificate: Encodable, Hashable, Sendable {
        public var dnsNames: [String]
        public var keyType: String
        /// Seconds since 1970.
        public var notBefore: Int64
        public var notAfter: Int64
        /// SHA-256 of the leaf, lower-case hex.
        public var fingerprint: String
    }

    public struct Route: Encodable, Hashable, Sendable {
        /// Such as `TLSRoute default/blue`.
        public var route: String
        public var rule: Int
        /// Absent: whatever no host name takes.
        public var hostname: String?
        public var alpnProtocols: [String]?
        /// Beyond those of the listener.
        public var limits: [String]?
        public var backends: [WeightedBackend]
    }

    public struct WeightedBackend: Encodable, Hashable, Sendable {
        /// Absent: cannot be resolved, its share of connections is refused.
        public var backend: String?
        /// Of the backend, where it is used in several ways.
        public var variant: String?
        public var weight: Int
        /// True: only while no other backend of the rule can be used.
        public var fallback: Bool?
    }

    public struct Backend: Encodable, Hashable, Sendable {
        /// Such as `Service default/echo:7`.
        public var backend: String
        /// Tells apart uses of one backend with different settings.
        public var variant: String?
        public var endpoints: [Endpoint]
        public var tls: TLS?
        /// What holds, defaults included.
        public var settings: BackendSettingsView
        /// The widest target's first: such as `infra/edge at Gateway infra/edge`.
        public var circuitBreakers: [CircuitBreakerView]?
        public var queue: QueueView?
    }

    public struct Endpoint: Encodable, Hashable, Sendable {
        public var address: String
        public var weight: Int
        public var zone: String?
        /// The lower the nearer; absent: 0.
        public var preference: UInt8?
    }

    public struct CircuitBreakerView: Encodable, Hashable, Sendable {
        public var id: String
        public var maxConnections: Int?
        public var perEndpoint: Int?

        public init(id: String, maxConnections: Int? = nil, perEndpoint: Int? = nil) {
            (self.id, self.maxConnections, self.perEndpoint) = (id, maxConnections, perEndpoint)
        }
    }

    public struct QueueView: Encodable, Hashable, Sendable {
        public var id: String
        public var maxPendingConnections: Int
        public var queueTimeout: String

        public init(id: String, maxPendingConnections: Int, queueTimeout: String) {
            (self.id, self.maxPendingConnections, self.queueTimeout) = (id, maxPendingConnections, queueTimeout)
        }
    }

    public struct TLS: Encodable, Hashable, Sendable {
        public var hostname: String
        public var subjectAltNames: [String]?
        /// `system`, `pins`, `unusable`, or the subjects of the CA certificates.
        public var trust: [String]
        /// How many keys are pinned; absent: any key will do.
        public var pins: Int?
        public var minVersion: String
        public var maxVersion: String
        public var ciphers: [String]?
        public var groups: [String]?
        /// Absent: what was negotiated with the client.
        public var alpnProtocols: [String]?
        /// True: the client's own server name is sent where it gave one.
        public var sendsClientsName: Bool?
    }
}
