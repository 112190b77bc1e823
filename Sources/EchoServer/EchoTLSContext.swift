internal import COpenSSL
internal import Certificates
internal import Primitives

/// Reserves OpenSSL's per-connection slots, once.
private let prepared: Void = sluice_tls_prepare()

/// Owns the `SSL_CTX *` of a server and the list that its ALPN callback reads.
// Sendable because it is set up in init and only makes connections afterwards, which OpenSSL allows from any thread.
final class EchoTLSContext: @unchecked Sendable {
    let pointer: OpaquePointer
    /// Protocol names in wire form, at an address that stays.
    private let protocols: UnsafeMutableBufferPointer<UInt8>

    /// nil where the configuration wants plain TCP.
    init?(_ configuration: EchoServer.Configuration) throws(EchoServerError) {
        guard let (certificatePEM, privateKeyPEM) = configuration.tls else { return nil }
        let wire = try EchoTLSContext.wire(configuration.alpn)
        let pair = try EchoTLSContext.usable(
            keyPairFacts(certificatePEM: certificatePEM, privateKeyPEM: privateKeyPEM).map(\.material))
        var trust: KeyMaterial?
        if let clientCA = configuration.clientCA {
            trust = try EchoTLSContext.usable(trustFacts(pem: clientCA).map(\.material))
        }
        guard let context = sluice_server_context() else { throw EchoServerError("OpenSSL cannot be used") }
        pointer = context
        protocols = .allocate(capacity: wire.count)
        _ = protocols.initialize(from: wire)
        _ = prepared
        sluice_context_set_relay_mode(context)
        sluice_context_observe(context)
        SSL_CTX_set_session_id_context(context, "echo", 4)
        try use(pair)
        if let trust { require(trust) }
        if !wire.isEmpty { answerALPN() }
    }

    deinit {
        SSL_CTX_free(pointer)
        protocols.deallocate()
    }

    private static func usable(_ result: Result<KeyMaterial, CertificateProblem>) throws(EchoServerError) -> KeyMaterial
    {
        switch result {
        case .success(let material): return material
        case .failure(let problem): throw EchoServerError(problem.message)
        }
    }

    private static func wire(_ names: [String]) throws(EchoServerError) -> [UInt8] {
        var bytes: [UInt8] = []
        for name in names {
            guard let count = UInt8(exactly: name.utf8.count), count > 0 else {
                throw EchoServerError("the ALPN protocol name \"\(name)\" must have 1 to 255 bytes")
            }
            bytes.append(count)
            bytes += name.utf8
        }
        return bytes
    }

    private func use(_ material: KeyMaterial) throws(EchoServerError) {
        defer { ERR_clear_error() }
        guard let pair = material.storage as? KeyPairStorage, SSL_CTX_use_certificate(pointer, pair.leaf) == 1,
            SSL_CTX_use_PrivateKey(pointer, pair.privateKey) == 1,
            pair.chain.allSatisfy({ sluice_context_add_chain_certificate(pointer, $0) == 1 })
        else { throw EchoServerError("OpenSSL refuses the key pair") }
    }

    private func require(_ material: KeyMaterial) {
        guard let trust = material.storage as? TrustStorage else { return }
        for certificate in trust.certificates {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(pointer), certificate)
            SSL_CTX_add_client_CA(pointer, certificate)
        }
        SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    /// RFC 7301 §3.2: no common protocol is fatal. The context outlives its connections' handshakes, so what the callback
    /// is handed unretained stays.
    private func answerALPN() {
        SSL_CTX_set_alpn_select_cb(
            pointer,
            { _, chosen, length, offered, offeredLength, argument in
                guard let argument else { return SSL_TLSEXT_ERR_NOACK }
                let own = Unmanaged<EchoTLSContext>.fromOpaque(argument).takeUnretainedValue().protocols
                var found: UnsafeMutablePointer<UInt8>?
                let result = SSL_select_next_proto(
                    &found, length, own.baseAddress, UInt32(own.count), offered, offeredLength)
                guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen?.pointee = UnsafePointer(found)
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
