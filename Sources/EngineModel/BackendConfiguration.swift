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
    /// Ready endpoints. Sorted, unique by address; empty: connections are refused (`no_endpoints`).
    public var endpoints: [EndpointConfiguration]
    /// Nil: plain TCP.
    public var tls: BackendTLS?
    public var settings: BackendSettings

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

    public init(address: EndpointAddress, weight: Int = 1) {
        self.address = address
        self.weight = weight
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

    public var description: String {
        switch self {
        case .ip(let address): address.description
        case .unix(let path): "unix:\(path)"
        case .name(let name, let port): "\(name):\(port)"
        }
    }

    /// Addresses by value, then paths, then names.
    public static func < (left: EndpointAddress, right: EndpointAddress) -> Bool {
        switch (left, right) {
        case (.ip(let a), .ip(let b)): a < b
        case (.ip, _): true
        case (_, .ip): false
        case (.unix(let a), .unix(let b)): a < b
        case (.unix, _): true
        case (_, .unix): false
        case (.name(let a, let aPort), .name(let b, let bPort)): a == b ? aPort < bPort : a < b
        }
    }
}

/// TLS towards a backend (BackendTLSPolicy). Verification cannot be switched off.
public struct BackendTLS: Hashable, Sendable {
    public var trust: Trust
    /// Sent as SNI; verified against the certificate unless ``subjectAltNames`` is not empty.
    public var hostname: String
    /// When not empty, one of these must be in the certificate, and ``hostname`` is only SNI.
    public var subjectAltNames: [SubjectAltName]
    public var minimumVersion: TLSVersion
    public var maximumVersion: TLSVersion
    /// Shown to backends that ask for one (Gateway.spec.tls.backend.clientCertificateRef); nil: none.
    public var clientCertificate: KeyPairFacts?

    public enum Trust: Hashable, Sendable {
        /// The host's trust store (wellKnownCACertificates: System).
        case system
        /// Any of these bundles.
        case bundles([TrustFacts])
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
