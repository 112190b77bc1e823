internal import COpenSSL
internal import EngineModel
internal import Platform
internal import Primitives

/// How a backend is spoken to by TLS. Verification cannot be switched off.
final class TLSClientContext: Sendable {
    private let context: TLSContext?
    private let sessions = BackendSessions()
    let configuration: BackendTLS
    /// Why it cannot be used: every connection fails closed.
    let problem: String?

    init(_ configuration: BackendTLS) {
        self.configuration = configuration
        do throws(TLSSetupError) {
            context = try TLSClientContext.make(configuration, sessions)
            problem = nil
        } catch {
            context = nil
            problem = error.message
        }
    }

    private static func make(
        _ configuration: BackendTLS, _ sessions: BackendSessions
    ) throws(TLSSetupError) -> TLSContext {
        guard let raw = sluice_client_context() else { throw TLSSetupError("no TLS context") }
        let context = TLSContext(owning: raw)
        sluice_context_set_relay_mode(raw)
        sluice_context_read_ahead(raw)
        sessions.collect(from: raw)
        sluice_context_observe_alerts(raw)
        SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nil)
        let minimum = configuration.minimumVersion.openSSLNumber
        guard sluice_context_set_versions(raw, minimum, configuration.maximumVersion.openSSLNumber) == 1 else {
            throw TLSSetupError("TLS versions")
        }
        switch configuration.trust {
        case .unusable:
            throw TLSSetupError("the BackendTLSPolicy has no usable CA")
        case .pinsOnly:
            throw TLSSetupError("pins alone are not supported")
        case .system:
            guard SSL_CTX_set_default_verify_paths(raw) == 1 else { throw TLSSetupError("system trust store") }
        case .bundles(let bundles):
            try PeerTrust(bundles).install(in: raw)
        }
        if let certificate = configuration.clientCertificate { try TLSServerContexts.install(certificate, in: raw) }
        return context
    }

    /// A client SSL with SNI and, without subjectAltNames, the host name to verify; nil when it cannot be made. Where it
    /// `resumes`, it offers the session that this endpoint granted last.
    func makeConnection(to endpoint: StreamAddress, resumes: Bool) -> OpaquePointer? {
        guard let context, let ssl = SSL_new(context.raw) else { return nil }
        guard sluice_set_server_name(ssl, configuration.hostname) == 1,
            !configuration.subjectAltNames.isEmpty || SSL_set1_host(ssl, configuration.hostname) == 1
        else {
            SSL_free(ssl)
            return nil
        }
        SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        SSL_set_connect_state(ssl)
        sessions.prepare(ssl, for: endpoint, resumes: resumes)
        return ssl
    }

    /// The handshake of a connection failed. True where that may be because it offered a session.
    func dropSession(for ssl: OpaquePointer) -> Bool { sessions.drop(for: ssl) }

    /// Whether the peer's certificate, whose chain was verified, is one of those the policy names.
    func acceptsPeer(of ssl: OpaquePointer) -> Bool {
        guard !configuration.subjectAltNames.isEmpty else { return true }
        return configuration.subjectAltNames.contains { name in
            switch name {
            case .hostname(let host): sluice_peer_has_host(ssl, host) == 1
            case .uri(let uri): sluice_peer_has_uri(ssl, uri) == 1
            }
        }
    }
}
