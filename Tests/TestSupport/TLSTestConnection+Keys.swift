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
}
