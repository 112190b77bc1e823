internal import COpenSSL
internal import EngineModel
internal import Platform
internal import Primitives

/// How a backend is spoken to by TLS. Verification cannot be switched off. Whoever has a connection made from it, a worker or
/// the health checker, holds it until that is freed; any thread.
final class TLSClientContext: Sendable {
    private let context: TLSContext?
    private let sessions = BackendSessions()
    private let pins: BackendPins?
    let configuration: BackendTLS
    /// Why it cannot be used: every connection fails closed.
    let problem: String?

    init(_ configuration: BackendTLS) {
        self.configuration = configuration
        do throws(TLSSetupError) {
            let pins = try TLSClientContext.pins(of: configuration)
            context = try TLSClientContext.make(configuration, sessions, pins)
            (self.pins, problem) = (pins, nil)
        } catch {
            (context, pins) = (nil, nil)
            problem = error.message
        }
    }

    private static func pins(of configuration: BackendTLS) throws(TLSSetupError) -> BackendPins? {
        let areAlone = configuration.trust == .pinsOnly
        // A name that nothing is held against would let any certificate in that the CAs signed.
        guard areAlone || !configuration.hostname.isEmpty || !configuration.subjectAltNames.isEmpty else {
            throw TLSSetupError("no name that the certificate is to have")
        }
        guard areAlone || !configuration.sendsClientsName else {
            throw TLSSetupError("the client's name is sent only where nothing but pins counts")
        }
        guard let hashes = configuration.spkiHashes ?? (areAlone ? [] : nil) else { return nil }
        return try BackendPins(hashes, areAlone: areAlone)
    }

    private static func make(
        _ configuration: BackendTLS, _ sessions: BackendSessions, _ pins: BackendPins?
    ) throws(TLSSetupError) -> TLSContext {
        guard let raw = sluice_client_context() else { throw TLSSetupError("no TLS context") }
        let context = TLSContext(owning: raw)
        sluice_context_set_relay_mode(raw)
        sluice_context_read_ahead(raw)
        sessions.collect(from: raw)
        sluice_context_observe(raw)
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
        try setParameters(of: raw, configuration)
        switch configuration.trust {
        case .unusable:
            throw TLSSetupError("the BackendTLSPolicy has no usable CA")
        case .pinsOnly: break
        case .system:
            guard SSL_CTX_set_default_verify_paths(raw) == 1 else { throw TLSSetupError("system trust store") }
        case .bundles(let bundles):
            try PeerTrust(bundles).install(in: raw)
        }
        pins?.install(in: raw)
        if let certificate = configuration.clientCertificate { try TLSServerContexts.install(certificate, in: raw) }
        return context
    }

    private static func setParameters(
        of context: OpaquePointer, _ configuration: BackendTLS
    ) throws(TLSSetupError) {
        let (minimum, maximum) = (configuration.minimumVersion, configuration.maximumVersion)
        guard sluice_context_set_versions(context, minimum.openSSLNumber, maximum.openSSLNumber) == 1 else {
            throw TLSSetupError("TLS versions")
        }
        try requireKnown(ciphers: configuration.ciphers, groups: configuration.groups)
        if let ciphers = configuration.ciphers, minimum < .v13 { try setCiphers(of: context, ciphers) }
        if let groups = configuration.groups { try setGroups(of: context, groups) }
        guard let names = configuration.alpnProtocols, !names.isEmpty else { return }
        guard names.allSatisfy({ (1...255).contains($0.utf8.count) }) else { throw TLSSetupError("ALPN") }
        let wire = names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        guard SSL_CTX_set_alpn_protos(context, wire, UInt32(wire.count)) == 0 else { throw TLSSetupError("ALPN") }
    }

    /// Whether the backend is offered what was negotiated with the client.
    var offersClientsProtocol: Bool { configuration.alpnProtocols == nil }

    /// A client SSL with SNI and the host name to verify, where that is to be; nil when it cannot be made. Owned by the caller.
    /// `clientsName` is sent where the configuration wants that; where it `resumes`, the session that this endpoint granted
    /// last is offered.
    func makeConnection(
        to endpoint: StreamAddress, clientsName: UnsafePointer<CChar>? = nil, resumes: Bool
    ) -> OpaquePointer? {
        guard let context, let ssl = SSL_new(context.raw) else { return nil }
        let own = configuration.sendsClientsName ? clientsName.map { String(cString: $0) } : nil
        guard name(ssl, own ?? configuration.hostname) else {
            SSL_free(ssl)
            return nil
        }
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        SSL_set_connect_state(ssl)
        sessions.prepare(ssl, for: endpoint, name: own, resumes: resumes)
        return ssl
    }

    private func name(_ ssl: OpaquePointer, _ serverName: String) -> Bool {
        guard serverName.isEmpty || sluice_set_server_name(ssl, serverName) == 1 else { return false }
        guard configuration.trust != .pinsOnly, configuration.subjectAltNames.isEmpty else { return true }
        return SSL_set1_host(ssl, configuration.hostname) == 1
    }

    /// The handshake of a connection failed. True where that may be because it offered a session.
    func dropSession(for ssl: OpaquePointer) -> Bool { sessions.drop(for: ssl) }

    /// Once the handshake is through, also one that resumed a session: why the peer is not whom the configuration wants; nil
    /// where it is. Nothing may be sent or read before.
    func verifyPeer(of ssl: OpaquePointer) -> String? {
        if let problem = verificationProblem(of: ssl) { return problem }
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return "backend_cert_missing" }
        if let pins, !pins.contain(certificate) { return TLSClientContext.problem(BackendPins.verifyResult) }
        guard configuration.trust != .pinsOnly, !configuration.subjectAltNames.isEmpty else { return nil }
        let isNamed = configuration.subjectAltNames.contains { name in
            switch name {
            case .hostname(let host): sluice_peer_has_host(ssl, host) == 1
            case .uri(let uri): sluice_peer_has_uri(ssl, uri) == 1
            }
        }
        return isNamed ? nil : "backend_cert_name_mismatch: the certificate has none of the policy's subjectAltNames"
    }

    /// What was wrong with the peer's certificate when the handshake verified it; nil: nothing.
    func verificationProblem(of ssl: OpaquePointer) -> String? {
        let result = Int32(clamping: SSL_get_verify_result(ssl))
        return result == X509_V_OK ? nil : TLSClientContext.problem(result)
    }

    private static func problem(_ result: Int32) -> String {
        let check =
            switch result {
            case BackendPins.verifyResult: "backend_cert_key_mismatch"
            case X509_V_ERR_HOSTNAME_MISMATCH: "backend_cert_name_mismatch"
            case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID: "backend_cert_expired"
            case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
                X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
                X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
                "backend_cert_unknown_ca"
            default: "backend_cert_invalid"
            }
        guard result != BackendPins.verifyResult else {
            return check + ": its public key is none of those that are pinned"
        }
        return check + (X509_verify_cert_error_string(Int(result)).map { ": " + String(cString: $0) } ?? "")
    }
}
