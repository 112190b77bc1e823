internal import COpenSSL

extension TLSTestConnection {
    /// The key shares of the handshake that are still held: two after a TLS 1.3 handshake.
    public var keyShares: Int { withSSL { Int(sluice_key_shares($0)) } }

    public func forgetKeyShares() { withSSL { sluice_forget_key_shares($0) } }

    /// New keys for what is sent from now on, announced with the next bytes; the peer is asked to do the same.
    public func updateKeys() throws {
        try withSSL { ssl in
            guard SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1 else { throw TestFailure(openSSLErrors()) }
        }
    }

    /// New keys for what is sent from now on, announced at once: a message, and no data.
    public func announceKeys() throws {
        try withSSL { ssl in
            guard SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1, SSL_do_handshake(ssl) == 1 else {
                throw TestFailure(openSSLErrors())
            }
        }
    }

    /// TLS 1.2: asks the server to negotiate anew. The next receive says what it answers.
    public func askToNegotiateAnew() throws {
        try withSSL { ssl in
            // SSL_OP_NO_RENEGOTIATION, a macro, which would keep this client from asking.
            SSL_clear_options(ssl, 1 << 30)
            guard SSL_renegotiate(ssl) == 1 else { throw TestFailure(openSSLErrors()) }
            _ = SSL_do_handshake(ssl)
            let answer = openSSLErrors()
            if answer.contains("renegotiation") { throw StreamError.tls(answer) }
        }
    }

    /// Whether the server took what was sent before the handshake.
    public var isEarlyDataAccepted: Bool { withSSL { SSL_get_early_data_status($0) == SSL_EARLY_DATA_ACCEPTED } }

    /// Sends it behind the ClientHello, whether or not the server has said that it takes any.
    func sendEarly(_ bytes: [UInt8]) throws {
        try withSSL { ssl in
            var count = 0
            guard SSL_write_early_data(ssl, bytes, bytes.count, &count) == 1, count == bytes.count else {
                throw TestFailure(openSSLErrors())
            }
        }
    }
}
