extension ClientPolicy {
    /// Who may connect, decided before a backend is dialled. Acts on the next connection.
    public struct Authorization: Codable, Hashable, Sendable, FieldListing {
        /// `Allow` or `Deny`, where no rule matches.
        public var defaultAction: String?
        /// At most 64, of which the first that matches decides.
        public var rules: [Rule]?
        /// Whether a change closes sessions that are no longer allowed. Acts at once.
        public var terminateExisting: Bool?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// A rule of an authorization.
    public struct Rule: Codable, Hashable, Sendable, FieldListing {
        /// A label, unique in its policy.
        public var name: String
        /// `Allow`, `Deny`, or `Audit`, which counts, logs and goes on.
        public var action: String
        public var principal: Principal
        public static let unreadFields: Set<String> = []

        public init(name: String, action: String, principal: Principal) {
            self.name = name
            self.action = action
            self.principal = principal
        }
    }

    /// Whom a rule is about: each list that is given must match, by one of its entries. At least one is given.
    public struct Principal: Codable, Hashable, Sendable, FieldListing {
        /// 1–1024 CIDRs of the client, behind the PROXY protocol.
        public var clientCIDRs: [String]?
        /// More of them, in 1–8 ConfigMaps of the policy's namespace.
        public var clientCIDRRefs: [CIDRListReference]?
        /// 1–1024 CIDRs of the TCP peer.
        public var peerCIDRs: [String]?
        public var clientCertificate: CertificatePrincipal?
        /// 1–64 names of SNI; `*.` stands for one label or more.
        public var serverNames: [String]?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// A key of a ConfigMap: a CIDR a line, comments after `#`.
    public struct CIDRListReference: Codable, Hashable, Sendable, FieldListing {
        public var name: String
        public var key: String
        public static let unreadFields: Set<String> = []

        public init(name: String, key: String) {
            self.name = name
            self.key = key
        }
    }

    /// What a client's certificate says of it: 1–64 entries each, of which one must match; at least one list is given. In
    /// the first three, one `*` may begin or end an entry.
    public struct CertificatePrincipal: Codable, Hashable, Sendable, FieldListing {
        public var dnsNames: [String]?
        /// Of at most 2048 characters.
        public var uris: [String]?
        public var emails: [String]?
        /// SHA-256 of public keys (SubjectPublicKeyInfo) in base64.
        public var spkiHashes: [String]?
        public var issuerCommonNames: [String]?
        public static let unreadFields: Set<String> = []

        public init() {}
    }
}
