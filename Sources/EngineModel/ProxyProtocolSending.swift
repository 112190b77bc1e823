/// A header of the PROXY protocol before everything else that an endpoint gets (BackendPolicy.spec.proxyProtocol). The source is the
/// client's address, the destination the listener's as the client saw it.
public struct ProxyProtocolSending: Hashable, Sendable {
    public var version: Version
    /// In the order of the header; only with ``Version/v2``. What a connection has nothing for is left out.
    public var fields: [Field]

    public enum Version: Hashable, Sendable {
        /// A mix of IPv4 and IPv6 is sent as UNKNOWN.
        case v1
        case v2
    }

    /// A TLV (PROXY protocol specification, section 2.2).
    public enum Field: Hashable, Sendable {
        /// The client's server name.
        case authority
        /// What was negotiated with the client, or the first one that it offered where TLS passes through.
        case alpn
        /// Version, cipher, and of a client certificate its common name, key and signature algorithm. Only of TLS that ends here.
        case ssl
        /// The connection's id, or what the header in front of us had.
        case uniqueID
        case crc32c
        /// A TLV of the header that was received, as it is: 0xE0–0xEF.
        case forward(UInt8)
        /// 0xE0–0xEF, at most 256 bytes.
        case custom(UInt8, [UInt8])
    }

    public init(version: Version, fields: [Field] = []) {
        self.version = version
        self.fields = fields
    }
}

/// TLS that is asked for in the endpoint's protocol, before TLS itself.
public enum BackendStartTLS: Hashable, Sendable {
    /// PostgreSQL's SSLRequest; anything but `S` fails with `backend_tls_error`.
    case postgres
}
