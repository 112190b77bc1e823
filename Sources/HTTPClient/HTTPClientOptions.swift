/// How connections are made. A request may bring its own: after a certificate was renewed, for example.
public struct HTTPClientOptions: Sendable {
    /// Whom a server's certificate is verified against.
    public enum Trust: Hashable, Sendable {
        /// The authorities of the system.
        case system
        /// These alone, in PEM.
        case pem([UInt8])
        /// Those of this file alone, in PEM; read for each new connection.
        case file(String)
    }

    /// What the client shows of itself, in PEM.
    public struct Identity: Hashable, Sendable {
        /// The leaf, then its intermediates.
        public var certificate: [UInt8]
        /// Not encrypted.
        public var privateKey: [UInt8]

        public init(certificate: [UInt8], privateKey: [UInt8]) {
            (self.certificate, self.privateKey) = (certificate, privateKey)
        }
    }

    /// One string for all requests, such as `sluice/1.0 (linux/amd64)`.
    public var userAgent: String
    public var trust = Trust.system
    public var identity: Identity?
    /// The name that is asked for by SNI and verified, where it is not the URL's host. The Host header stays the URL's.
    public var serverName: String?
    /// Verifies nothing. Only where the user said so.
    public var isInsecure = false
    /// `http://`, `https://`, `socks5://` or `socks5h://`, with user and password where it asks for them. nil: the
    /// environment's (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), which are not asked for loopback addresses.
    public var proxy: String?
    /// For name, TCP, proxy and TLS together.
    public var connectTimeout = Duration.seconds(10)
    /// The largest body of a whole answer, in bytes.
    public var responseLimit = 256 << 20
    /// The largest header of an answer, in bytes.
    public var headerLimit = 256 << 10
    /// What was sent and stays unacknowledged for so long ends the connection (TCP_USER_TIMEOUT); an idle connection is
    /// probed within it.
    public var tcpTimeout = Duration.seconds(30)
    /// Connections that a request "on a fresh connection" opened are fresh enough for others that ask so within this
    /// time: what stalled together shares a new connection together.
    public var freshWindow = Duration.seconds(5)

    public init(userAgent: String) { self.userAgent = userAgent }
}
