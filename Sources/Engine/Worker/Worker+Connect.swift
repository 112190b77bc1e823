internal import Primitives
internal import CLinux
internal import COpenSSL
internal import EngineCore
internal import EngineModel
internal import Glibc
internal import Platform
internal import Synchronization

// From an endpoint to a connected, and where asked encrypted, backend side.

extension Worker {
    func dial(_ slot: Int, _ backend: BackendRuntime, _ endpoint: EndpointState) -> StageOutcome {
        let record = records + slot
        releaseEndpoint(slot)
        if backend.circuit != nil, !takeRoom(slot, backend, endpoint) { return .proceed(.choose) }
        record.pointee.endpoint = .passRetained(endpoint)
        endpoint.active.add(1, ordering: .relaxed)
        record.pointee.attempts = min(record.pointee.attempts, 254) + 1
        record.pointee.dialledAt = now
        let deadline = min(nowMilliseconds + backend.connectTimeout, record.pointee.totalDeadline)
        record.pointee.stageDeadline = deadline
        let family = endpoint.family
        var descriptor = sluice_socket(family, streamType, 0)
        if descriptor >= shared.options.backendDescriptorCeiling {
            _ = sluice_close(descriptor)
            descriptor = -EMFILE
        }
        guard descriptor >= 0 else {
            // Want of descriptors or memory is ours: nothing is counted against the endpoint, nor would another one help.
            logFailure(slot, .overload, "no socket for a connection to the backend", "\(Errno(rawValue: -descriptor))")
            pauseAccepting(.descriptors)
            return .refuse(.overload, .proxy)
        }
        sides[2 * slot + 1].descriptor = descriptor
        if family != AF_UNIX { _ = sluice_set_option(descriptor, protocolTCP, TCP_NODELAY, 1) }
        let result = endpoint.kernelAddress.withPointer { sluice_connect(descriptor, $0, $1) }
        if backend.hasAlternates, result != 0 { prepareRace(slot, backend, endpoint) }
        guard result == 0 || result == -EINPROGRESS else { return connectFailed(slot, -result) }
        let token = EventToken.connection(slot: slot, life: record.pointee.life, side: 1)
        let added = sluice_epoll_control(epoll.raw, epollAdd, descriptor, connectionEvents, token)
        guard added == 0 else { return connectFailed(slot, -added) }
        armTimer(slot)
        record.pointee.stage = .connect
        // A unix socket is connected at once.
        return result == 0 ? connected(slot) : .wait
    }

    /// The backend's socket reported something.
    func finishConnect(_ slot: Int) -> StageOutcome {
        if !races.isEmpty { judgeRace(slot) }
        let side = sides + (2 * slot + 1)
        if side.pointee.flags.contains(.failed) {
            return connectFailed(slot, sluice_socket_error(side.pointee.descriptor))
        }
        guard side.pointee.flags.contains(.writable) else { return .wait }
        return connected(slot)
    }

    private func connected(_ slot: Int) -> StageOutcome {
        let record = records + slot
        record.pointee.connectedAt = now
        guard let backend = record.pointee.backend?.takeUnretainedValue() else {
            return .refuse(.internalError, .proxy)
        }
        if backend.greets { return greet(slot, backend) }
        if backend.tls == nil, record.pointee.opening.contains(.requestedTLS), record.pointee.tlsMode == .passthrough {
            return greet(slot, backend)
        }
        return greeted(slot, backend)
    }

    /// The endpoint is connected, and was told what it has to be told in the clear.
    func greeted(_ slot: Int, _ backend: BackendRuntime) -> StageOutcome {
        guard let tls = backend.tls else {
            countConnected(slot, backend)
            return .proceed(.relay)
        }
        let record = records + slot
        guard let address = record.pointee.endpoint?.takeUnretainedValue().address,
            let ssl = tls.makeConnection(
                to: address, clientsName: record.pointee.serverName, resumes: record.pointee.attempts == 1)
        else {
            countAttempt(slot, backend, .tlsError)
            let problem = tls.problem ?? "no memory"
            logFailure(slot, .backendTLSError, "TLS to the backend cannot be set up", problem)
            refuse(slot, .backendTLSError, .proxy, detail: problem)
            return .gone
        }
        let side = sides + (2 * slot + 1)
        guard SSL_set_fd(ssl, side.pointee.descriptor) == 1 else {
            SSL_free(ssl)
            return .refuse(.internalError, .proxy)
        }
        side.pointee.tls = ssl
        if tls.offersClientsProtocol { offerClientsALPN(slot, ssl) }
        // It takes its turn with the other handshakes.
        record.pointee.stage = .backendHandshake
        enqueueHandshake(slot)
        return .wait
    }

    /// Where the client negotiated a protocol, the backend is offered the same one.
    private func offerClientsALPN(_ slot: Int, _ backend: OpaquePointer) {
        guard let client = sides[2 * slot].tls else { return }
        var chosen: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(client, &chosen, &length)
        guard let chosen, length > 0 else { return }
        let wire = [UInt8(length)] + UnsafeBufferPointer(start: chosen, count: Int(length))
        SSL_set_alpn_protos(backend, wire, UInt32(wire.count))
    }

    func backendHandshake(_ slot: Int) -> StageOutcome {
        let side = sides + (2 * slot + 1)
        guard let ssl = side.pointee.tls, let backend = records[slot].backend?.takeUnretainedValue() else {
            return .refuse(.internalError, .proxy)
        }
        ERR_clear_error()
        let result = sluice_tls_handshake(ssl)
        if result == 1 {
            guard let tls = backend.tls else { return .refuse(.internalError, .proxy) }
            if let problem = tls.verifyPeer(of: ssl) { return backendTLSFailed(slot, backend, problem) }
            sluice_forget_key_shares(ssl)
            side.pointee.flags.insert(.readable)
            countConnected(slot, backend)
            return .proceed(.relay)
        }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            side.pointee.flags.remove(.readable)
            return .wait
        case SSL_ERROR_WANT_WRITE: return .wait
        case SSL_ERROR_SYSCALL, SSL_ERROR_ZERO_RETURN:
            // It went away: another endpoint may not.
            side.pointee.flags.insert(.tlsBroken)
            dropSession(slot, backend)
            return attemptFailed(slot, .backendTLSError, .tlsError, "the connection ended during the TLS handshake")
        default:
            if let problem = backend.tls?.verificationProblem(of: ssl) {
                return backendTLSFailed(slot, backend, problem)
            }
            let hasEnded = ERR_peek_last_error() & 0x7f_ffff == UInt(SSL_R_UNEXPECTED_EOF_WHILE_READING)
            let text = takeTLSErrorText()
            // It may be the session that it does not take: once more without. One that went away is as any that goes away.
            if dropSession(slot, backend) || hasEnded { return attemptFailed(slot, .backendTLSError, .tlsError, text) }
            return backendTLSFailed(slot, backend, text)
        }
    }

    /// A certificate that is refused once is refused again: no retry on another endpoint hides it.
    func backendTLSFailed(_ slot: Int, _ backend: BackendRuntime, _ problem: String) -> StageOutcome {
        sides[2 * slot + 1].flags.insert(.tlsBroken)
        dropSession(slot, backend)
        noteFailedAttempt(slot, backend)
        countAttempt(slot, backend, .tlsError)
        logFailure(slot, .backendTLSError, "TLS handshake with the backend failed", problem)
        refuse(slot, .backendTLSError, .backend, detail: problem)
        return .gone
    }

    /// A handshake failed. True where that may be because it offered a session.
    @discardableResult
    func dropSession(_ slot: Int, _ backend: BackendRuntime) -> Bool {
        guard let ssl = sides[2 * slot + 1].tls else { return false }
        return backend.tls?.dropSession(for: ssl) ?? false
    }

    // MARK: Failures and retries

    func connectFailed(_ slot: Int, _ error: Int32) -> StageOutcome {
        let (reason, result) = Worker.failure(error)
        return attemptFailed(
            slot, reason, result, "\(Errno(rawValue: error))", isOurs: Worker.isShortage(error))
    }

    /// Want of ports or memory is ours, and says nothing of the endpoint.
    static func isShortage(_ error: Int32) -> Bool {
        switch error {
        case EADDRNOTAVAIL, ENOMEM, ENOBUFS, ENOSPC, EMFILE, ENFILE: true
        default: false
        }
    }

    static func failure(_ error: Int32) -> (CloseReason, ConnectResult) {
        switch error {
        // EPIPE: reset behind an end in order.
        case ECONNREFUSED, ENOENT, ECONNRESET, EPIPE: (.connectRefused, .refused)
        case ETIMEDOUT: (.connectTimeout, .timeout)
        default: (.connectUnreachable, .unreachable)
        }
    }

    /// Another endpoint is tried after a pause while retries and time are left, else the last failure is the reason.
    func attemptFailed(
        _ slot: Int, _ reason: CloseReason, _ result: ConnectResult, _ problem: String, isOurs: Bool = false
    ) -> StageOutcome {
        if !races.isEmpty, let outcome = outliveFailure(slot, reason, result, problem, isOurs) { return outcome }
        let record = records + slot
        closeBackendSide(slot)
        guard let backend = record.pointee.backend?.takeUnretainedValue() else { return .refuse(reason, .backend) }
        countAttempt(slot, backend, result)
        if !isOurs { noteFailedAttempt(slot, backend) }
        logFailure(slot, reason, "connecting to the backend failed", problem)
        let settings = backend.configuration.settings
        guard Int(record.pointee.attempts) <= settings.retries else { return .refuse(reason, .backend) }
        let due = nowMilliseconds + settings.retryPause(after: record.pointee.attempts, random: random.next())
        guard due < record.pointee.totalDeadline else { return .refuse(reason, .backend) }
        backend.cells[handle.index].add(BackendField.retries)
        // Nobody is being connected to during the pause.
        releaseEndpoint(slot)
        record.pointee.stage = .retry
        record.pointee.stageDeadline = due
        armTimer(slot)
        return .wait
    }

    func countConnected(_ slot: Int, _ backend: BackendRuntime) {
        countAttempt(slot, backend, .ok)
        BackendField.connectDuration.record(now - records[slot].dialledAt, in: backend.cells[handle.index])
    }

    /// With the connection's endpoint.
    func countAttempt(_ slot: Int, _ backend: BackendRuntime, _ result: ConnectResult) {
        backend.cells[handle.index].add(BackendField.connects(result))
        guard backend.state.countsEndpoints.load(ordering: .relaxed) else { return }
        records[slot].endpoint?._withUnsafeGuaranteedRef { $0.traffic.count(result) }
    }

    /// Bytes that went to and from an endpoint, when it is let go.
    private func countBytes(_ slot: Int, of endpoint: Unmanaged<EndpointState>) {
        let (request, response) = (flows[2 * slot].bytes, flows[2 * slot + 1].bytes)
        guard request | response != 0, let backend = records[slot].backend,
            backend._withUnsafeGuaranteedRef({ $0.state.countsEndpoints.load(ordering: .relaxed) })
        else { return }
        endpoint._withUnsafeGuaranteedRef { $0.traffic.count(request: request, response: response) }
    }

    func releaseEndpoint(_ slot: Int) {
        guard let endpoint = records[slot].endpoint else { return }
        countBytes(slot, of: endpoint)
        if records[slot].room != nil { leaveRoom(slot) }
        endpoint._withUnsafeGuaranteedRef { _ = $0.active.subtract(1, ordering: .relaxed) }
        endpoint.release()
        records[slot].endpoint = nil
    }

    func closeBackendSide(_ slot: Int) {
        let side = sides + (2 * slot + 1)
        if records[slot].greeting != nil { dropGreeting(slot) }
        if !races.isEmpty { dropRace(slot) }
        if let ssl = side.pointee.tls { SSL_free(ssl) }
        if side.pointee.descriptor >= 0 { _ = sluice_close(side.pointee.descriptor) }
        side.initialize(to: Side())
    }
}
