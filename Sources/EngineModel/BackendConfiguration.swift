public import Primitives

/// Who a backend is. Metrics carry all but the variant.
public struct BackendID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// `Service` or `Backend`.
    public var kind: String
    public var namespace: String
    public var name: String
    /// The Service port the route names; 0 for a Backend.
    public var port: UInt16
    /// Tells apart uses of one backend with different settings (a client certificate per gateway, say); usually empty.
    public var variant: String

    public init(kind: String, namespace: String, name: String, port: UInt16, variant: String = "") {
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.port = port
        self.variant = variant
    }

    public var description: String {
        port == 0 ? "\(kind) \(namespace)/\(name)" : "\(kind) \(namespace)/\(name):\(port)"
    }
    public static func < (left: BackendID, right: BackendID) -> Bool {
        // One by one: comparing tuples of strings costs twenty times as much, and thousands of these are sorted.
        if left.kind != right.kind { return left.kind < right.kind }
        if left.namespace != right.namespace { return left.namespace < right.namespace }
        if left.name != right.name { return left.name < right.name }
        return left.port == right.port ? left.variant < right.variant : left.port < right.port
    }
}

/// A backend: its endpoints, and how they are spoken to.
public struct BackendConfiguration: Hashable, Sendable {
    public var id: BackendID
    /// Ready endpoints. Sorted, unique by address; empty: connections are refused (`no_endpoints`). Health, and what the balancer
    /// knows, lives on while the backend's id without variant and what they depend on (health checks, TLS) stay the same, so that
    /// variants share it.
    public var endpoints: [EndpointConfiguration]
    /// Nil: plain TCP.
    public var tls: BackendTLS?
    public var settings: BackendSettings
    /// The widest target's first; all must let a connection pass.
    public var circuitBreakers: [CircuitBreaker] = []
    /// Nil: what meets a limit is refused at once.
    public var queue: PendingQueue?

    public init(
        id: BackendID, endpoints: [EndpointConfiguration], tls: BackendTLS? = nil, settings: BackendSettings = .init()
    ) {
        self.id = id
        self.endpoints = endpoints
        self.tls = tls
        self.settings = settings
    }
}

public struct EndpointConfiguration: Hashable, Sendable, Comparable {
    public var address: EndpointAddress
    /// 0–1000, relative to the other endpoints of the backend; 0 gets nothing.
    public var weight: Int
    /// Where it is (topology.kubernetes.io/zone); nil: not known.
    public var zone: String?
    /// Endpoints of the lowest number are used while one of them is usable, then those of the next: 0 for those that are meant for
    /// this process's zone or node (EndpointSlice hints), 1 for the others.
    public var preference: UInt8

    public init(address: EndpointAddress, weight: Int = 1, zone: String? = nil, preference: UInt8 = 0) {
        self.address = address
        self.weight = weight
        self.zone = zone
        self.preference = preference
    }

    /// By address.
    public static func < (left: EndpointConfiguration, right: EndpointConfiguration) -> Bool {
        left.address < right.address
    }
}

public enum EndpointAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    case ip(SocketAddress)
    /// A Unix stream socket by absolute path, at most 107 bytes.
    case unix(path: String)
    /// A DNS name, absolute, without final dot; the engine resolves it and keeps the last good answer.
    case name(String, port: UInt16)
    /// A DNS name with SRV records (RFC 2782), absolute, without final dot: they say host, port, priority and weight.
    case records(String)

    public var description: String {
        switch self {
        case .ip(let address): address.description
        case .unix(let path): "unix:\(path)"
        case .name(let name, let port): "\(name):\(port)"
        case .records(let name): "SRV \(name)"
        }
    }

    /// Whether the engine has to ask DNS what it stands for.
    public var isName: Bool {
        switch self {
        case .ip, .unix: false
        case .name, .records: true
        }
    }

    /// Addresses by value, then paths, then names, then those of SRV records.
    public static func < (left: EndpointAddress, right: EndpointAddress) -> Bool {
        switch (left, right) {
        case (.ip(let a), .ip(let b)): a < b
        case (.ip, _): true
        case (_, .ip): false
        case (.unix(let a), .unix(let b)): a < b
        case (.unix, _): true
        case (_, .unix): false
        case (.name(let a, let aPort), .name(let b, let bPort)): a == b ? aPort < bPort : a < b
        case (.name, _): true
        case (_, .name): false
        case (.records(let a), .records(let b)): a < b
        }
    }
}

/// TLS towards a backend (BackendTLSPolicy, BackendPolicy.spec.tls). Verification cannot be switched off.
public struct BackendTLS: Hashable, Sendable {
    public var trust: Trust
    /// Sent as SNI; verified against the certificate unless ``subjectAltNames`` is not empty or ``trust`` is ``Trust/pinsOnly``.
    /// Empty: no SNI (only with ``Trust/pinsOnly``).
    public var hostname: String
    /// Whether the client's own server name is sent, where it gave one, in place of ``hostname``. Only with ``Trust/pinsOnly``.
    public var sendsClientsName = false
    /// When not empty, one of these must be in the certificate, and ``hostname`` is only SNI.
    public var subjectAltNames: [SubjectAltName]
    public var minimumVersion: TLSVersion
    public var maximumVersion: TLSVersion
    /// Shown to backends that ask for one (Gateway.spec.tls.backend.clientCertificateRef); nil: none.
    public var clientCertificate: KeyPairFacts?
    /// SHA-256 of the SubjectPublicKeyInfo, base64: the endpoint's certificate has one of them; nil: any key.
    public var spkiHashes: Set<String>?
    /// By OpenSSL's names, best first; nil: the library's own. Ciphers are those of TLS 1.2.
    public var ciphers: [String]?
    public var groups: [String]?
    /// Offered in this order; nil: what was negotiated with the client, if anything.
    public var alpnProtocols: [String]?

    public enum Trust: Hashable, Sendable {
        /// The host's trust store (wellKnownCACertificates: System).
        case system
        /// Any of these bundles.
        case bundles([TrustFacts])
        /// Whoever has a key of ``BackendTLS/spkiHashes``; who issued the certificate, its names and dates do not count.
        case pinsOnly
        /// The policy cannot be used: every connection fails with `backend_tls_error` (fails closed).
        case unusable
    }

    public enum SubjectAltName: Hashable, Sendable {
        /// A DNS name, optionally `*.` and a suffix.
        case hostname(String)
        case uri(String)
    }

    public init(
        trust: Trust, hostname: String, subjectAltNames: [SubjectAltName] = [], minimumVersion: TLSVersion = .v12,
        maximumVersion: TLSVersion = .v13
    ) {
        self.trust = trust
        self.hostname = hostname
        self.subjectAltNames = subjectAltNames
        self.minimumVersion = minimumVersion
        self.maximumVersion = maximumVersion
    }
}
