internal import Observability
internal import CLinux
internal import COpenSSL
internal import EngineCore
internal import EngineModel

// TLS with the client: the SSL is made after the ClientHello was peeked at and the route chosen.

extension Worker {
    func beginHandshake(
        _ slot: Int, _ listener: ListenerRuntime, _ route: RouteRuntime, _ hello: ClientHello
    ) -> StageOutcome {
        guard let contexts = listener.termination, let ssl = SSL_new(contexts.context(for: hello.serverName)) else {
            return .refuse(.internalError, .proxy)
        }
        let side = sides + 2 * slot
        guard SSL_set_fd(ssl, side.pointee.descriptor) == 1 else {
            SSL_free(ssl)
            return .refuse(.internalError, .proxy)
        }
        SSL_set_accept_state(ssl)
        side.pointee.tls = ssl
        sluice_set_alpn_list(ssl, route.alpn.wire)
        records[slot].stage = .handshake
        records[slot].stageDeadline = nowMilliseconds + listener.handshakeTimeout
        listener.state.counters.cells(worker: handle.index).add(ListenerField.handshaking)
        armTimer(slot)
        // Established connections go first: the handshake takes its turn.
        enqueueHandshake(slot)
        return .wait
    }

    func handshake(_ slot: Int) -> StageOutcome {
        let side = sides + 2 * slot
        guard let ssl = side.pointee.tls else { return .refuse(.internalError, .proxy) }
        ERR_clear_error()
        let result = sluice_tls_handshake(ssl)
        if result == 1 {
            // Seen to by now, unless a session came from where no certificate was demanded.
            if sluice_peer_is_missing(ssl) == 1 {
                return handshakeFailed(slot, ssl, SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
            }
            finishHandshake(slot, ssl)
            return .proceed(.admit)
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            side.pointee.flags.remove(.readable)
            return .wait
        case SSL_ERROR_WANT_WRITE:
            return .wait
        case SSL_ERROR_SYSCALL, SSL_ERROR_ZERO_RETURN:
            side.pointee.flags.insert(.tlsBroken)
            countHandshake(slot, .terminateUnknown, .clientClosed)
            close(slot, .clientReset, .client, reset: false)
            return .gone
        default:
            return handshakeFailed(slot, ssl, sluice_take_error_reason())
        }
    }

    private func finishHandshake(_ slot: Int, _ ssl: OpaquePointer) {
        sluice_forget_key_shares(ssl)
        let record = records + slot
        // Read anew: a handshake may fit into one turn, whose clock stands still.
        record.pointee.handshakenAt = sluice_monotonic_ns()
        record.pointee.stageDeadline = 0
        sides[2 * slot].flags.insert(.readable)
        endHandshaking(slot)
        countHandshake(slot, SSL_version(ssl) == TLS1_3_VERSION ? .terminate13 : .terminate12, .ok)
        record.pointee.listener?._withUnsafeGuaranteedRef { listener in
            let cells = listener.state.counters.cells(worker: handle.index)
            ListenerField.handshakeDuration.record(record.pointee.handshakenAt - record.pointee.inspectedAt, in: cells)
            if SSL_session_reused(ssl) == 1 { cells.add(ListenerField.resumptions) }
        }
    }

    /// OpenSSL has sent the alert already; it is given time to arrive.
    private func handshakeFailed(_ slot: Int, _ ssl: OpaquePointer, _ reason: Int32) -> StageOutcome {
        let sawEnd =
            sides[2 * slot].flags.contains(.hungUp) && (reason == 0 || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        sides[2 * slot].flags.insert(.tlsBroken)
        if sawEnd {
            countHandshake(slot, .terminateUnknown, .clientClosed)
            close(slot, .clientClosed, .client, reset: false)
            return .gone
        }
        let verification = reason == SSL_R_CERTIFICATE_VERIFY_FAILED ? SSL_get_verify_result(ssl) : Int(X509_V_OK)
        let result = HandshakeResult(opensslReason: reason, verification: verification)
        countHandshake(slot, .terminateUnknown, result)
        var detail = result.label
        if let text = verificationText(verification) { detail += ": " + text }
        log(.info, "TLS handshake failed", slot: slot, reason: .tlsError, detail: detail)
        linger(slot, .tlsError, result.isClients ? .client : .proxy)
        return .gone
    }

    private func verificationText(_ verification: Int) -> String? {
        guard verification != Int(X509_V_OK) else { return nil }
        if let problem = RequirementProblem(rawValue: Int32(clamping: verification)) { return problem.text }
        return X509_verify_cert_error_string(verification).map { String(cString: $0) }
    }

    func endHandshaking(_ slot: Int) {
        records[slot].listener?._withUnsafeGuaranteedRef {
            $0.state.counters.cells(worker: handle.index).subtract(ListenerField.handshaking)
        }
    }

    func countHandshake(_ slot: Int, _ kind: HandshakeKind, _ result: HandshakeResult) {
        records[slot].listener?._withUnsafeGuaranteedRef {
            $0.state.counters.cells(worker: handle.index).add(ListenerField.handshake(kind, result))
        }
    }

    func takeTLSErrorText() -> String {
        let code = ERR_peek_last_error()
        defer { ERR_clear_error() }
        guard code != 0, let text = ERR_reason_error_string(code) else {
            return "connection closed during the handshake"
        }
        return String(cString: text)
    }
}

extension HandshakeResult {
    /// `verification`: what was wrong with the client's certificate, where that is the reason.
    init(opensslReason reason: Int32, verification: Int) {
        // Alerts from the client arrive as 1000 + the alert's number (RFC 8446 §6).
        switch reason {
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE,
            SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
            self = .noSharedCipher
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_WRONG_SSL_VERSION, SSL_R_UNKNOWN_PROTOCOL,
            1000 + 70:
            self = .unsupportedVersion
        case SSL_R_NO_CERTIFICATE_SET, SSL_R_NO_CERTIFICATE_ASSIGNED: self = .noCertificate
        case 1000 + 42...1000 + 48: self = .clientRejectedCertificate
        case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, SSL_R_BAD_RECORD_TYPE, SSL_R_WRONG_VERSION_NUMBER,
            SSL_R_LENGTH_MISMATCH, SSL_R_DIGEST_CHECK_FAILED, 1000 + 20:
            self = .badRecord
        case SSL_R_UNEXPECTED_EOF_WHILE_READING: self = .clientClosed
        case SSL_R_NO_APPLICATION_PROTOCOL: self = .noApplicationProtocol
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: self = .clientCertRequired
        case SSL_R_CERTIFICATE_VERIFY_FAILED: self = HandshakeResult(verification: Int32(clamping: verification))
        default: self = .other
        }
    }

    private init(verification: Int32) {
        switch verification {
        case X509_V_ERR_CERT_REVOKED: self = .clientCertRevoked
        case RequirementProblem.names.rawValue: self = .clientCertSANMismatch
        case RequirementProblem.publicKey.rawValue: self = .clientCertKeyMismatch
        case RequirementProblem.listExpired.rawValue: self = .clientCRLExpired
        case RequirementProblem.listMissing.rawValue: self = .clientCRLMissing
        case X509_V_ERR_CERT_HAS_EXPIRED: self = .clientCertExpired
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            self = .clientCertUnknownCA
        default: self = .clientCertInvalid
        }
    }

    /// Whether it was the client who gave up.
    var isClients: Bool { self == .clientRejectedCertificate || self == .clientClosed }
}
