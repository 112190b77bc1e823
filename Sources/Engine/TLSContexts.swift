internal import COpenSSL
internal import Certificates
internal import EngineModel
internal import Observability
internal import Platform
internal import Primitives

/// Owns one `SSL_CTX *`. OpenSSL counts references atomically: any worker may make connections from it.
final class TLSContext: @unchecked Sendable {
    // Sendable because the context is only configured before it is shared.
    let raw: OpaquePointer

    init(owning raw: OpaquePointer) { self.raw = raw }
    deinit { SSL_CTX_free(raw) }
}

extension TLSVersion {
    var openSSLNumber: Int32 { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

struct TLSSetupError: Error {
    var message: String

    /// Takes the newest error of this thread's queue.
    init(_ what: String) {
        var text = [CChar](repeating: 0, count: 256)
        let code = ERR_get_error()
        ERR_error_string_n(code, &text, text.count)
        ERR_clear_error()
        let reason = text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        message = code == 0 ? what : "\(what): \(reason)"
    }
}

/// SHA-256 of a text.
func sha256(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var digest = [UInt8](repeating: 0, count: 32)
    SHA256(bytes, bytes.count, &digest)
    return digest
}

/// The contexts of one terminating listener: one per distinct set of certificates. The set is chosen from the peeked
/// SNI before the SSL is made, so no servername callback and no SSL_set_SSL_CTX are needed.
final class TLSServerContexts: Sendable {
    let configuration: TLSTermination
    private let contexts: [TLSContext]
    private let exact: [String: Int]
    private let wildcard: [String: Int]

    /// Sessions resume only at this listener.
    init(_ termination: TLSTermination, listener: ListenerID) throws(TLSSetupError) {
        let validation = termination.clientValidation
        let trust: PeerTrust?
        if let validation { trust = try PeerTrust(validation.trust) } else { trust = nil }
        let sessions = sessionContext(of: listener, validation)
        var sets: [[Int]: Int] = [:]
        var contexts: [TLSContext] = []
        func context(_ certificates: [Int]) throws(TLSSetupError) -> Int {
            if let known = sets[certificates] { return known }
            let chosen = certificates.map { termination.certificates[$0] }
            contexts.append(try TLSServerContexts.make(termination, chosen, trust, sessions))
            sets[certificates] = contexts.count - 1
            return contexts.count - 1
        }
        // The default is the first certificate, beside it those of other key types for one of its names.
        let first = Set(termination.certificates.first?.dnsNames ?? [])
        let alike = termination.certificates.indices.filter { index in
            index == 0 || !first.isDisjoint(with: termination.certificates[index].dnsNames)
        }
        _ = try context(TLSServerContexts.onePerKeyType(alike, termination))
        var exactNames: [String: [Int]] = [:]
        var wildcardNames: [String: [Int]] = [:]
        for (index, certificate) in termination.certificates.enumerated() {
            for name in certificate.dnsNames {
                switch name {
                case .exact(let name): exactNames[name, default: []].append(index)
                case .wildcard(let suffix): wildcardNames[suffix, default: []].append(index)
                }
            }
        }
        var exact: [String: Int] = [:]
        var wildcard: [String: Int] = [:]
        for (name, own) in exactNames {
            // A wildcard certificate of another key type stands in where no exact one has that type.
            let parent = name.firstIndex(of: ".").map { String(name[name.index(after: $0)...]) }
            let candidates = own + (parent.flatMap { wildcardNames[$0] } ?? [])
            exact[name] = try context(TLSServerContexts.onePerKeyType(candidates, termination))
        }
        for (suffix, own) in wildcardNames {
            wildcard[suffix] = try context(TLSServerContexts.onePerKeyType(own, termination))
        }
        configuration = termination
        self.contexts = contexts
        self.exact = exact
        self.wildcard = wildcard
    }

    /// The context for a name: exact certificate, then wildcard (one label, RFC 6125 §6.4.3), else the default.
    func context(for serverName: String?) -> OpaquePointer {
        guard let serverName else { return contexts[0].raw }
        if let index = exact[serverName] { return contexts[index].raw }
        if !wildcard.isEmpty, let dot = serverName.firstIndex(of: "."),
            let index = wildcard[String(serverName[serverName.index(after: dot)...])]
        {
            return contexts[index].raw
        }
        return contexts[0].raw
    }

    /// The first certificate of each key type, in the listener's order.
    private static func onePerKeyType(_ candidates: [Int], _ termination: TLSTermination) -> [Int] {
        var seen: Set<String> = []
        return candidates.filter { index in
            let type =
                switch termination.certificates[index].keyType {
                case .rsa: "rsa"
                case .ecdsa: "ecdsa"
                case .other(let name): name
                }
            return seen.insert(type).inserted
        }
    }

    private static func make(
        _ termination: TLSTermination, _ certificates: [KeyPairFacts], _ trust: PeerTrust?, _ sessionContext: [UInt8]
    ) throws(TLSSetupError) -> TLSContext {
        guard let raw = sluice_server_context() else { throw TLSSetupError("no TLS context") }
        let context = TLSContext(owning: raw)
        sluice_context_set_relay_mode(raw)
        sluice_context_read_ahead(raw)
        sluice_context_prefer_server_ciphers(raw)
        sluice_context_disable_session_cache(raw)
        sluice_context_select_alpn_per_connection(raw)
        sluice_context_observe_alerts(raw)
        // One ticket instead of two saves 5 % of a full handshake.
        SSL_CTX_set_num_tickets(raw, 1)
        let minimum = termination.minimumVersion.openSSLNumber
        guard sluice_context_set_versions(raw, minimum, termination.maximumVersion.openSSLNumber) == 1 else {
            throw TLSSetupError("TLS versions")
        }
        guard SSL_CTX_set_session_id_context(raw, sessionContext, UInt32(sessionContext.count)) == 1 else {
            throw TLSSetupError("session context")
        }
        sluice_context_judge_tickets(raw)
        if let trust, let validation = termination.clientValidation {
            try trust.install(in: raw, mode: validation.mode)
        }
        for certificate in certificates { try install(certificate, in: raw) }
        return context
    }

    static func install(_ certificate: KeyPairFacts, in context: OpaquePointer) throws(TLSSetupError) {
        guard let pair = certificate.material.storage as? KeyPairStorage else {
            throw TLSSetupError("key pair \(certificate.material) is not loaded")
        }
        guard SSL_CTX_use_certificate(context, pair.leaf) == 1 else { throw TLSSetupError("certificate") }
        guard SSL_CTX_use_PrivateKey(context, pair.privateKey) == 1 else { throw TLSSetupError("private key") }
        for issuer in pair.chain where sluice_context_add_chain_certificate(context, issuer) != 1 {
            throw TLSSetupError("certificate chain")
        }
    }
}

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
