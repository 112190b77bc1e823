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
        (left.kind, left.namespace, left.name, left.port, left.variant)
            < (right.kind, right.namespace, right.name, right.port, right.variant)
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

    public static func < (left: EndpointConfiguration, right: EndpointConfiguration) -> Bool {
        left.address.description < right.address.description
    }
}

public enum EndpointAddress: Hashable, Sendable, CustomStringConvertible {
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
