extension BackendPolicy {
    /// A header of the PROXY protocol before everything else that an endpoint gets. Acts on the next connection.
    public struct ProxyProtocol: Codable, Hashable, Sendable, FieldListing {
        /// `V1` or `V2`.
        public var version: String
        /// At most 16, only with `V2`.
        public var tlvs: [TLV]?
        public static let unreadFields: Set<String> = []

        public init(version: String, tlvs: [TLV]? = nil) {
            self.version = version
            self.tlvs = tlvs
        }
    }

    /// A field of a header of version 2.
    public struct TLV: Codable, Hashable, Sendable, FieldListing {
        /// `Authority`, `ALPN`, `SSL`, `UniqueID`, `CRC32C`, `Forward` or `Custom`.
        public var type: String
        /// 224–239; there if, and only if, ``type`` is `Forward` or `Custom`.
        public var code: Int?
        /// At most 256 bytes; there if, and only if, ``type`` is `Custom`.
        public var value: String?
        public static let unreadFields: Set<String> = []

        public init(type: String, code: Int? = nil, value: String? = nil) {
            self.type = type
            self.code = code
            self.value = value
        }
    }

    /// TLS towards backends, beyond BackendTLSPolicy; each field merges on its own, but for ``verification``, ``spkiHashes`` and
    /// ``serverName``, which go together. Acts on the next handshake.
    public struct TLS: Codable, Hashable, Sendable, FieldListing {
        /// `CA`, `CAAndPin` or `PinOnly`.
        public var verification: String?
        /// SHA-256 of public keys (SubjectPublicKeyInfo) in base64, 1–16: there if, and only if, ``verification`` is not `CA`.
        public var spkiHashes: [String]?
        /// `1.2` or `1.3`.
        public var minVersion: String?
        /// `1.2` or `1.3`, not under ``minVersion``.
        public var maxVersion: String?
        /// Suites of TLS 1.2 by OpenSSL's names, best first: 1–32, and not with ``minVersion`` 1.3.
        public var ciphers: [String]?
        /// Groups by OpenSSL's names, best first: 1–16.
        public var ecdhCurves: [String]?
        /// Best first: 1–8 of 1–255 characters; absent: what was negotiated with the client.
        public var alpnProtocols: [String]?
        /// A host name, or `FromClient`; only with ``verification`` `PinOnly`.
        public var serverName: String?
        public static let unreadFields: Set<String> = []

        public init() {}
    }

    /// TLS that is asked for in the backend's own protocol. Acts on the next connection.
    public struct StartTLS: Codable, Hashable, Sendable, FieldListing {
        /// `Postgres`.
        public var `protocol`: String
        public static let unreadFields: Set<String> = []

        public init(protocol: String) { self.protocol = `protocol` }
    }
}
