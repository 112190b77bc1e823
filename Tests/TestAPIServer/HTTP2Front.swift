internal import Platform
public import Primitives
public import TestSupport

/// ``Nghttpx`` before a server, with an authority of its own that issues its certificates: TLS with HTTP/2 and HTTP/1.1 by
/// ALPN on a loopback port.
public final class HTTP2Front: Sendable {
    private let authority: Locked<TestCA>
    private let names: [String]
    private let proxy: Nghttpx

    /// Waits until it takes a connection. `names`: what the certificate is for beside 127.0.0.1.
    /// `clientAuthorityPEM`: clients must show a certificate of that authority.
    ///
    /// - Throws: with the command that installs nghttpx, where it is missing.
    public init(
        before server: SocketAddress, authority: TestCA? = nil, names: [String] = ["kubernetes.default.svc"],
        clientAuthorityPEM: String? = nil
    ) throws {
        let authority = try authority ?? TestPKI.makeCA("Test API server CA")
        (self.authority, self.names) = (Locked(authority), names)
        proxy = try Nghttpx(before: server, try authority.certificate(names), clientCA: clientAuthorityPEM)
    }

    public var address: SocketAddress { proxy.address }
    /// Such as `https://127.0.0.1:43127`.
    public var url: String { proxy.url }
    /// The authority that signed its certificates, in PEM.
    public var authorityPEM: String { authority.withLock { $0.pem } }

    /// Ends it at once; its connections break.
    public func stop() { proxy.stop() }

    /// Starts it again on the same port with a new certificate, of the same authority or of another.
    public func restart(authority other: TestCA? = nil) throws {
        if let other { authority.withLock { $0 = other } }
        try proxy.restart(try authority.withLock { $0 }.certificate(names))
    }
}

extension TestCA {
    fileprivate func certificate(_ names: [String]) throws -> TestCertificate {
        try issue(dnsNames: names + ["localhost"], ips: ["127.0.0.1"])
    }
}
