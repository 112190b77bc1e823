internal import COpenSSL

public enum TLSVersion: Int32, Sendable, Comparable {
    case tls10 = 0x0301
    case tls11 = 0x0302
    case tls12 = 0x0303
    case tls13 = 0x0304

    public static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }
}

/// What a TLS client of a test says and demands.
public struct TLSClientOptions: Sendable {
    /// SNI; nil sends none.
    public var serverName: String?
    public var alpn: [String] = []
    /// CA certificates in PEM; nil verifies nothing.
    public var trust: String?
    /// The host name or IP address that the server's certificate must hold, where `trust` is given; nil: any.
    public var verifyName: String?
    /// Our own certificate chain and key.
    public var certificate: TestCertificate?
    /// Instead of it: paths of PEM files.
    public var certificateFiles: (chain: String, key: String)?
    public var minVersion: TLSVersion = .tls12
    public var maxVersion: TLSVersion = .tls13
    /// A session to resume.
    public var session: TLSTestSession?
    /// Sent with the hello, in a session that is resumed, though the server may not have said that it takes any.
    public var earlyData: [UInt8] = []
    /// TLS 1.2 cipher list in OpenSSL's form: `ECDHE-RSA-AES128-GCM-SHA256`, `aRSA`. Below TLS 1.2 add `@SECLEVEL=0`.
    public var ciphers: String?
    /// Key exchange groups in OpenSSL's form: `P-256:X25519`.
    public var groups: String?
    /// TLS 1.3 signature algorithms, to choose between RSA and ECDSA: `ECDSA+SHA256`.
    public var signatureAlgorithms: String?

    public init(serverName: String? = nil, trust: String? = nil, alpn: [String] = []) {
        self.serverName = serverName
        self.trust = trust
        self.alpn = alpn
        verifyName = serverName
    }
}

/// What a TLS server of a test offers and demands.
public struct TLSServerOptions: Sendable {
    /// One of each key type at most; the server picks by what the client can verify.
    public var certificates: [TestCertificate]
    /// CA certificates in PEM; where given, a client certificate is demanded.
    public var clientTrust: String?
    /// As with servers that were never told to: OpenSSL lets no session of a client with a certificate resume, by an alert.
    public var lacksSessionContext = false
    /// In our order; a client that offers others only gets no_application_protocol.
    public var alpn: [String] = []
    public var minVersion: TLSVersion = .tls12
    public var maxVersion: TLSVersion = .tls13
    /// As of a client.
    public var ciphers: String?
    public var groups: String?

    public init(_ certificates: TestCertificate...) { self.certificates = certificates }
}

/// A session that a client got from a server.
// Sendable because it is not changed after init and OpenSSL's reference counts are atomic.
public final class TLSTestSession: @unchecked Sendable {
    let pointer: OpaquePointer
    init(owning pointer: OpaquePointer) { self.pointer = pointer }
    deinit { SSL_SESSION_free(pointer) }
}
