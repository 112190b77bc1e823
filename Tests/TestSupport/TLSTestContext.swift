internal import COpenSSL

/// Reserves OpenSSL's per-connection slots, once.
private let prepared: Void = sluice_tls_prepare()

/// Owns one `SSL_CTX *`.
// Sendable because it is set up in init and only makes connections afterwards, which OpenSSL allows from any thread.
final class TLSTestContext: @unchecked Sendable {
    let pointer: OpaquePointer
    /// Read by the callback that chooses: lives as long as the context.
    private let protocols: ALPNList

    init(client options: TLSClientOptions) throws {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw TestFailure(openSSLErrors()) }
        pointer = context
        protocols = ALPNList(options.alpn)
        try setVersions(options.minVersion, options.maxVersion)
        if let trust = options.trust {
            try add(trust: trust)
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        }
        if let certificate = options.certificate { try use(certificate) }
        if let files = options.certificateFiles {
            try check(SSL_CTX_use_certificate_chain_file(pointer, files.chain) == 1)
            try check(SSL_CTX_use_PrivateKey_file(pointer, files.key, SSL_FILETYPE_PEM) == 1)
        }
        if !options.alpn.isEmpty {
            let wire = protocols.wire
            try check(SSL_CTX_set_alpn_protos(context, wire.baseAddress, UInt32(wire.count)) == 0)
        }
        if let ciphers = options.ciphers { try check(SSL_CTX_set_cipher_list(context, ciphers) == 1) }
        if let groups = options.groups { try check(sluice_context_set_groups(context, groups) == 1) }
        if let algorithms = options.signatureAlgorithms {
            try check(sluice_context_set_signature_algorithms(context, algorithms) == 1)
        }
    }

    init(server options: TLSServerOptions) throws {
        guard let context = SSL_CTX_new(TLS_server_method()) else { throw TestFailure(openSSLErrors()) }
        pointer = context
        protocols = ALPNList(options.alpn)
        try setVersions(options.minVersion, options.maxVersion)
        for certificate in options.certificates { try use(certificate) }
        if !options.lacksSessionContext { SSL_CTX_set_session_id_context(context, "test", 4) }
        if let trust = options.clientTrust {
            try add(trust: trust)
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
        }
        if let ciphers = options.ciphers { try check(SSL_CTX_set_cipher_list(context, ciphers) == 1) }
        if let groups = options.groups { try check(sluice_context_set_groups(context, groups) == 1) }
        guard !options.alpn.isEmpty else { return }
        SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, length, offered, offeredLength, argument in
                guard let argument, let offered else { return SSL_TLSEXT_ERR_NOACK }
                let own = Unmanaged<ALPNList>.fromOpaque(argument).takeUnretainedValue().wire
                var found: UnsafeMutablePointer<UInt8>?
                let result = SSL_select_next_proto(
                    &found, length, own.baseAddress, UInt32(own.count), offered, offeredLength)
                guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                chosen?.pointee = UnsafePointer(found)
                return SSL_TLSEXT_ERR_OK
            }, Unmanaged.passUnretained(protocols).toOpaque())
    }

    deinit { SSL_CTX_free(pointer) }

    private func setVersions(_ lowest: TLSVersion, _ highest: TLSVersion) throws {
        try check(sluice_context_set_versions(pointer, lowest.rawValue, highest.rawValue) == 1)
        // As a relay does: a FIN without close_notify is seen as such, and the other direction goes on.
        _ = prepared
        sluice_context_set_relay_mode(pointer)
        sluice_context_observe(pointer)
    }

    private func use(_ certificate: TestCertificate) throws {
        let chain = try certificates(in: certificate.chainPEM)
        defer { for certificate in chain { X509_free(certificate) } }
        guard let leaf = chain.first else { throw TestFailure("no certificate") }
        try check(SSL_CTX_use_certificate(pointer, leaf) == 1)
        try check(SSL_CTX_use_PrivateKey(pointer, certificate.key.pointer) == 1)
        for intermediate in chain.dropFirst() {
            try check(sluice_context_add_chain_certificate(pointer, intermediate) == 1)
        }
    }

    private func add(trust: String) throws {
        for certificate in try certificates(in: trust) {
            X509_STORE_add_cert(SSL_CTX_get_cert_store(pointer), certificate)
            SSL_CTX_add_client_CA(pointer, certificate)
            X509_free(certificate)
        }
    }

    private func check(_ succeeded: Bool) throws {
        guard succeeded else { throw TestFailure("TLS context: \(openSSLErrors())") }
    }
}

/// Protocol names in wire form, at an address that stays.
// Sendable because the bytes are written in init only.
private final class ALPNList: @unchecked Sendable {
    let wire: UnsafeBufferPointer<UInt8>

    init(_ names: [String]) {
        let bytes = names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = buffer.initialize(from: bytes)
        wire = UnsafeBufferPointer(buffer)
    }

    deinit { wire.deallocate() }
}

private func certificates(in pem: String) throws -> [OpaquePointer] {
    let bytes = Array(pem.utf8)
    var found: [OpaquePointer] = []
    try bytes.withUnsafeBytes { buffer in
        guard let source = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else {
            throw TestFailure("no memory")
        }
        defer { BIO_free(source) }
        while let certificate = PEM_read_bio_X509(source, nil, nil, nil) { found.append(certificate) }
    }
    ERR_clear_error()
    guard !found.isEmpty else { throw TestFailure("no certificate in the PEM given") }
    return found
}
