internal import COpenSSL

extension TLSTestConnection {
    /// `TLSv1.3`.
    public var version: String { withSSL { String(cString: SSL_get_version($0)) } }

    public var cipher: String {
        withSSL { ssl in SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "" }
    }

    /// What was agreed on; nil without ALPN.
    public var alpn: String? {
        withSSL { ssl in
            var bytes: UnsafePointer<UInt8>?
            var count: UInt32 = 0
            SSL_get0_alpn_selected(ssl, &bytes, &count)
            guard let bytes, count > 0 else { return nil }
            return String(decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
        }
    }

    /// The name in the ClientHello; nil without one.
    public var serverName: String? {
        withSSL { ssl in SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) } }
    }

    /// SHA-256 of the peer's leaf in DER, lower-case hex; nil where it sent none.
    public var peerFingerprint: String? {
        withSSL { ssl in
            guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
            defer { X509_free(certificate) }
            return certificateFingerprint(certificate)
        }
    }

    /// Certificates that the server sent, the leaf included (on a client).
    public var peerChainLength: Int {
        withSSL { ssl in SSL_get_peer_cert_chain(ssl).map { max(0, Int(OPENSSL_sk_num($0))) } ?? 0 }
    }

    /// The names of the CAs that the server takes certificates from (on a client), as it sent them: `CN = Test CA`.
    public var acceptableIssuers: [String] {
        withSSL { ssl in
            guard let names = SSL_get0_peer_CA_list(ssl) else { return [] }
            return (0..<max(0, OPENSSL_sk_num(names))).compactMap { index in
                guard let name = OPENSSL_sk_value(names, index), let output = BIO_new(BIO_s_mem()) else { return nil }
                defer { BIO_free(output) }
                sluice_x509_name_print(output, OpaquePointer(name))
                var bytes = [UInt8](repeating: 0, count: 256)
                let count = BIO_read(output, &bytes, Int32(bytes.count))
                return String(decoding: bytes.prefix(max(0, Int(count))), as: UTF8.self)
            }
        }
    }

    /// Whether the handshake took up an earlier session.
    public var isResumed: Bool { withSSL { SSL_session_reused($0) == 1 } }

    /// A session to resume, nil where the server gave none. With TLS 1.3 it comes with the first bytes received.
    public var session: TLSTestSession? {
        withSSL { ssl in
            // A copy: the connection's own is spoiled when that one ends without close_notify.
            guard let own = SSL_get_session(ssl), let session = SSL_SESSION_dup(own) else { return nil }
            guard SSL_SESSION_is_resumable(session) == 1 else {
                SSL_SESSION_free(session)
                return nil
            }
            return TLSTestSession(owning: session)
        }
    }
}

/// The bytes of the ClientHello record that a client with these options sends first.
public func clientHelloBytes(_ options: TLSClientOptions) throws -> [UInt8] {
    let context = try TLSTestContext(client: options)
    let owner = try SSLOwner(context)
    try owner.prepare(options)
    guard let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem()) else { throw TestFailure("no memory") }
    SSL_set_bio(owner.pointer, input, output)
    SSL_connect(owner.pointer)
    ERR_clear_error()
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = BIO_read(output, &bytes, Int32(bytes.count))
    guard count > 0 else { throw TestFailure("no ClientHello") }
    return Array(bytes.prefix(Int(count)))
}
