extension ClientPolicy {
    /// TLS of listeners that terminate it; each field merges on its own. Acts on the next handshake.
    public struct TLS: Codable, Hashable, Sendable, FieldListing {
        /// `1.2` or `1.3`.
        public var minVersion: String?
        /// `1.2` or `1.3`, not under ``minVersion``.
        public var maxVersion: String?
        /// Suites of TLS 1.2 by OpenSSL's names, best first: 1–32, and not with ``minVersion`` 1.3.
        public var ciphers: [String]?
        /// Groups by OpenSSL's names, best first: 1–16.
        public var ecdhCurves: [String]?
        /// By the names of the TLS registry, best first: 1–16.
        public var signatureAlgorithms: [String]?
        /// Best first: 1–8 of 1–255 characters.
        public var alpnProtocols: [String]?
        /// Refuses a client that names protocols, and none of ``alpnProtocols``.
        public var alpnRequired: Bool?
        /// A limit: that of every level applies.
        public var clientValidation: ClientValidation?
        public var session: Session?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// What a client's certificate must hold beyond the validation of Gateway.spec.tls.frontend: at least one of the lists.
    public struct ClientValidation: Codable, Hashable, Sendable, FieldListing {
        /// Names of which it must have one: 1–64.
        public var subjectAltNames: [SubjectAltName]?
        /// SHA-256 of public keys (SubjectPublicKeyInfo) in base64, of which it must have one: 1–64.
        public var spkiHashes: [String]?
        /// Revocation lists: 1–8.
        public var crlRefs: [RevocationListReference]?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// A name of a certificate.
    public struct SubjectAltName: Codable, Hashable, Sendable, FieldListing {
        /// `DNS`, `URI` or `Email`.
        public var type: String
        /// `Exact`, `Prefix` or `Suffix`.
        public var match: String?
        /// 1–2048 characters.
        public var value: String
        public static let unreadFields: Set<String> = []

        public init(type: String, match: String? = nil, value: String) {
            self.type = type
            self.match = match
            self.value = value
        }
    }

    /// Revocation lists in PEM or DER, in an object of the policy's namespace.
    public struct RevocationListReference: Codable, Hashable, Sendable, FieldListing {
        /// `ConfigMap` or `Secret`.
        public var kind: String?
        public var name: String
        public var key: String
        public static let unreadFields: Set<String> = []

        public init(kind: String? = nil, name: String, key: String) {
            self.kind = kind
            self.name = name
            self.key = key
        }
    }

    /// Sessions of TLS.
    public struct Session: Codable, Hashable, Sendable, FieldListing {
        public var resumption: Resumption?
        public static let unreadFields: Set<String> = []

        public init(resumption: Resumption? = nil) { self.resumption = resumption }
    }

    /// Resumption of sessions.
    public struct Resumption: Codable, Hashable, Sendable, FieldListing {
        /// `Enabled` or `Disabled`.
        public var tickets: String?
        /// A Gateway API duration, over 0s and at most 24h.
        public var lifetime: String?
        public static let unreadFields: Set<String> = []

        public init(tickets: String? = nil, lifetime: String? = nil) {
            self.tickets = tickets
            self.lifetime = lifetime
        }
    }
}
