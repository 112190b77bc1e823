public import Primitives

/// Everything the engine serves: an immutable value. Two equal values program the same engine; applying one is a diff
/// against the one before.
public struct EngineConfiguration: Hashable, Sendable {
    /// Sorted by ``ListenerConfiguration/id``; ids are unique.
    public var listeners: [ListenerConfiguration]
    /// Every backend a route points at. Sorted by id; ids are unique.
    public var backends: [BackendConfiguration]

    public init(listeners: [ListenerConfiguration] = [], backends: [BackendConfiguration] = []) {
        self.listeners = listeners
        self.backends = backends
    }
}

/// Who a listener is, in metrics and logs: bare names, never anything a client sent.
public struct ListenerID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var gatewayNamespace: String
    public var gateway: String
    /// The name of one of the gateway's own; `namespace/name/listener` for one of a ListenerSet.
    public var listener: String

    public init(gatewayNamespace: String, gateway: String, listener: String) {
        self.gatewayNamespace = gatewayNamespace
        self.gateway = gateway
        self.listener = listener
    }

    public var description: String { "\(gatewayNamespace)/\(gateway)/\(listener)" }
    public static func < (left: ListenerID, right: ListenerID) -> Bool {
        (left.gatewayNamespace, left.gateway, left.listener) < (right.gatewayNamespace, right.gateway, right.listener)
    }
}

/// Where a listener is bound. Listeners with one binding share its sockets: that is allowed for TLS listeners, whose
/// host names tell them apart.
public struct Binding: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Nil: every local address, IPv4 and IPv6.
    public var address: IPAddress?
    /// 1–65535.
    public var port: UInt16

    public init(address: IPAddress? = nil, port: UInt16) {
        self.address = address
        self.port = port
    }

    public var description: String { address.map { SocketAddress($0, port).description } ?? "*:\(port)" }
    public static func < (left: Binding, right: Binding) -> Bool {
        if left.port != right.port { return left.port < right.port }
        switch (left.address, right.address) {
        case (nil, nil): return false
        case (nil, _): return true
        case (_, nil): return false
        case (let a?, let b?): return a < b
        }
    }
}

/// One listener of one gateway.
public struct ListenerConfiguration: Hashable, Sendable {
    public var id: ListenerID
    /// Where it is bound; more than one for a gateway with several addresses. Not empty.
    public var bindings: [Binding]
    /// What clients dial, 1–65535: the port in metrics and logs. The bindings' port may be another.
    public var port: UInt16
    public var traffic: Traffic
    public var settings: ListenerSettings
    /// The widest target's first. Each is evaluated as early as its inputs exist; all must let a connection pass.
    public var limits: [ClientLimits] = []

    public enum Traffic: Hashable, Sendable {
        /// Bytes go to the route without being looked at; nil: nothing is attached, connections are refused (`no_route`).
        case tcp(RouteConfiguration?)
        case tls(TLSListener)
    }

    /// `port`: nil is that of the first binding.
    public init(
        id: ListenerID, bindings: [Binding], port: UInt16? = nil, traffic: Traffic, settings: ListenerSettings = .init()
    ) {
        self.id = id
        self.bindings = bindings
        self.port = port ?? bindings.first?.port ?? 0
        self.traffic = traffic
        self.settings = settings
    }
}

/// A TLS listener: what it does with the stream, and its routes by SNI.
public struct TLSListener: Hashable, Sendable {
    /// The names this listener answers for; nil: every name, and hellos without SNI. Of several listeners at one
    /// binding the most specific takes the connection (exact, longest wildcard, nil), whether or not a route fits.
    public var hostname: HostnamePattern?
    public var mode: Mode
    /// Routes by host name, sorted by it; within the listener exact wins, then the longest wildcard.
    public var routes: [HostnameRoute]
    /// Takes hellos without SNI and those no route names; nil: `tls_no_sni_match`.
    public var fallback: RouteConfiguration?

    public enum Mode: Hashable, Sendable {
        case passthrough
        case terminate(TLSTermination)
    }

    /// One host name of one route. A name stands once in a listener.
    public struct HostnameRoute: Hashable, Sendable {
        public var hostname: HostnamePattern
        public var route: RouteConfiguration
        public init(hostname: HostnamePattern, route: RouteConfiguration) {
            self.hostname = hostname
            self.route = route
        }
    }

    public init(hostname: HostnamePattern?, mode: Mode, routes: [HostnameRoute], fallback: RouteConfiguration? = nil) {
        self.hostname = hostname
        self.mode = mode
        self.routes = routes
        self.fallback = fallback
    }
}

/// How a listener terminates TLS.
public struct TLSTermination: Hashable, Sendable {
    /// Not empty. The certificate is chosen by SNI: exact name, wildcard, else the first; RSA and ECDSA side by side.
    public var certificates: [KeyPairFacts]
    /// Offered in this order for every route (listener's tls.options `sluice.dev/alpn-protocols`); nil: the route's own.
    public var alpnProtocols: [String]?
    public var minimumVersion: TLSVersion
    public var maximumVersion: TLSVersion
    /// Which client certificates are asked for; nil: none.
    public var clientValidation: ClientValidation?
    /// Whether a client that names protocols, none of them ours, is refused (`no_application_protocol`).
    public var alpnRequired = false
    /// By OpenSSL's names, best first; nil: the library's own. Ciphers are those of TLS 1.2.
    public var ciphers: [String]?
    public var groups: [String]?
    public var signatureAlgorithms: [String]?
    /// How long a session can be resumed; nil: never. Keys of tickets change every half of it.
    public var ticketLifetime: Duration? = .seconds(3600)

    public init(
        certificates: [KeyPairFacts], alpnProtocols: [String]? = nil, minimumVersion: TLSVersion = .v12,
        maximumVersion: TLSVersion = .v13
    ) {
        self.certificates = certificates
        self.alpnProtocols = alpnProtocols
        self.minimumVersion = minimumVersion
        self.maximumVersion = maximumVersion
    }
}

/// Client certificates of a listener (Gateway.spec.tls.frontend).
public struct ClientValidation: Hashable, Sendable {
    /// CA certificates, any of which may have issued the client's. Empty: nothing verifies, so that ``Mode/validOnly``
    /// refuses everyone (fails closed).
    public var trust: [TrustFacts]
    public var mode: Mode
    /// What a verified certificate must hold besides; every one must be met.
    public var requirements: [Requirement] = []

    public enum Mode: Hashable, Sendable {
        /// A handshake without a certificate that verifies fails.
        case validOnly
        /// A certificate is asked for; none, or one that does not verify, is let in (AllowInsecureFallback).
        case insecureFallback
    }

    /// What one policy asks of certificates (ClientPolicy, tls.clientValidation).
    public struct Requirement: Hashable, Sendable {
        /// The certificate has one of them; nil: any names.
        public var names: [Name]?
        /// SHA-256 of the SubjectPublicKeyInfo, base64, is one of them; nil: any key.
        public var spkiHashes: Set<String>?
        /// Neither the certificate nor, where a list covers it, one of its issuers is revoked; an expired list revokes all.
        public var revocationLists: [RevocationFacts]

        public init(
            names: [Name]? = nil, spkiHashes: Set<String>? = nil, revocationLists: [RevocationFacts] = []
        ) {
            self.names = names
            self.spkiHashes = spkiHashes
            self.revocationLists = revocationLists
        }
    }

    /// A subjectAltName that is looked for.
    public enum Name: Hashable, Sendable {
        case dns(TextPattern)
        case uri(TextPattern)
        case email(TextPattern)
    }

    public init(trust: [TrustFacts], mode: Mode = .validOnly) { (self.trust, self.mode) = (trust, mode) }
}

public enum TLSVersion: String, Hashable, Sendable, Comparable {
    case v12 = "1.2"
    case v13 = "1.3"
    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}

/// Who a rule of a route is. Metrics carry all but the rule's index.
public struct RouteID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// `TCPRoute` or `TLSRoute`.
    public var kind: String
    public var namespace: String
    public var name: String
    /// Index in spec.rules.
    public var rule: Int

    public init(kind: String, namespace: String, name: String, rule: Int = 0) {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.rule = rule
    }

    public var description: String { "\(kind) \(namespace)/\(name)" }
    public static func < (left: RouteID, right: RouteID) -> Bool {
        (left.kind, left.namespace, left.name, left.rule) < (right.kind, right.namespace, right.name, right.rule)
    }
}

/// One rule of a route as one listener serves it.
public struct RouteConfiguration: Hashable, Sendable {
    public var id: RouteID
    /// In the order of spec.rules[].backendRefs. Empty, or all weights 0: connections are refused (`invalid_backend`).
    public var backends: [WeightedBackend]
    /// ALPN to offer to clients when the listener terminates and names none itself, from the backend's appProtocol.
    public var alpnProtocols: [String]
    public var settings: RouteSettings
    /// Beyond those of the listener.
    public var limits: [ClientLimits] = []

    public struct WeightedBackend: Hashable, Sendable {
        /// 0–1000000; the share of connections is weight / sum over the rule, unresolvable ones included.
        public var weight: Int
        public var target: Target
        /// Whether it is used only while none of the rule's other backends has a usable endpoint (Backend.spec.fallback).
        public var isFallback: Bool
        public init(weight: Int, target: Target, isFallback: Bool = false) {
            self.weight = weight
            self.target = target
            self.isFallback = isFallback
        }
    }

    public enum Target: Hashable, Sendable {
        case backend(BackendID)
        /// Cannot be resolved: its share of connections is refused with `invalid_backend`.
        case invalid
    }

    public init(
        id: RouteID, backends: [WeightedBackend], alpnProtocols: [String] = [], settings: RouteSettings = .init()
    ) {
        self.id = id
        self.backends = backends
        self.alpnProtocols = alpnProtocols
        self.settings = settings
    }
}
