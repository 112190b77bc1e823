internal import CLinux
internal import EngineCore
internal import EngineModel
internal import Observability

// TLS that PostgreSQL clients ask for in their own protocol. Requests are taken off the stream and answered; the hello that
// follows is peeked at like any other. Where it is passed through, the request is repeated to the backend first.

extension Worker {
    func readStart(_ slot: Int) -> StageOutcome {
        let side = sides + 2 * slot
        guard side.pointee.flags.contains(.readable) else { return .wait }
        // One byte behind a request tells whether something follows it.
        let count = sluice_recv(side.pointee.descriptor, scratch, PostgresStart.requestLength + 1, messagePeek)
        guard count > 0 else { return peekedNothing(slot, count) }
        records[slot].opening.remove(.local)
        switch PostgresStart.parse(UnsafeRawBufferPointer(start: scratch, count: Int(count))) {
        case .needMore(let total): return awaitBytes(slot, total)
        case .sslRequest(let following):
            guard following == 0 else { return refuseStart(slot, "bytes in the clear behind a request for TLS") }
            return answer(slot, PostgresStart.accept, then: .inspect, noting: .requestedTLS)
        case .gssEncryptionRequest(let following):
            guard following == 0, !records[slot].opening.contains(.refusedGSS) else {
                return refuseStart(slot, "bytes in the clear, or the same again, behind a request for GSSAPI")
            }
            return answer(slot, PostgresStart.refuse, then: .startTLS, noting: .refusedGSS)
        case .clientHello:
            setLowWater(slot, 1)
            return .proceed(.inspect)
        case .startup, .cancelRequest: return startInTheClear(slot)
        case .notPostgres(let problem): return refuseStart(slot, "\(problem)")
        }
    }

    /// Takes a request off the stream and answers it.
    private func answer(_ slot: Int, _ byte: UInt8, then stage: Stage, noting: OpeningFlags) -> StageOutcome {
        let descriptor = sides[2 * slot].descriptor
        var answer = byte
        let sent = sluice_send(descriptor, &answer, 1, 0)
        // The kernel has no memory for it: the request stays where it is until there is room.
        if sent == wouldBlock { return .wait }
        guard sent == 1 else {
            close(slot, .clientReset, .client, reset: true)
            return .gone
        }
        guard sluice_recv(descriptor, scratch, PostgresStart.requestLength, 0) == PostgresStart.requestLength else {
            return .refuse(.internalError, .proxy)
        }
        records[slot].opening.insert(noting)
        setLowWater(slot, 1)
        return .proceed(stage)
    }

    private func refuseStart(_ slot: Int, _ detail: String) -> StageOutcome {
        refuse(slot, .startTLSError, .client, detail: detail)
        return .gone
    }

    // MARK: In the clear

    /// No name says where to: the route for what names none takes it, where the port allows that.
    private func startInTheClear(_ slot: Int) -> StageOutcome {
        guard let held = records[slot].binding else { return .refuse(.internalError, .proxy) }
        let binding = newest(held.takeUnretainedValue(), slot)
        guard case .postgres(plaintextAllowed: true) = binding.settings.startTLS else {
            return demandTLS(slot, .startTLSError)
        }
        guard case .tls(let names) = binding.traffic, let index = names.lookup(nil),
            let route = binding.listeners[Int(index)].fallback, route.configuration.id.kind == "TCPRoute"
        else { return demandTLS(slot, .noRoute) }
        // A certificate is demanded of everybody there, and none comes in the clear.
        guard !binding.listeners[Int(index)].demandsCertificates else { return demandTLS(slot, .startTLSError) }
        _ = takeBinding(slot)
        setLowWater(slot, 1)
        return enter(slot, binding.listeners[Int(index)])
    }

    /// An error in the client's own protocol, then FIN.
    private func demandTLS(_ slot: Int, _ reason: CloseReason) -> StageOutcome {
        log(.info, "connection refused", slot: slot, reason: reason, detail: "the client does not ask for TLS")
        let descriptor = sides[2 * slot].descriptor
        setLowWater(slot, 1)
        // Closing over unread bytes would send RST and lose the message.
        for _ in 0..<8 where sluice_recv(descriptor, scratch, Worker.scratchSize, 0) <= 0 { break }
        let message = PostgresErrorResponse.fatal("TLS required")
        _ = sluice_send(descriptor, message, message.count, 0)
        linger(slot, reason, .client)
        return .gone
    }

    // MARK: With the backend

    /// The backend was asked for TLS: by us, or by the client, whose TLS passes through.
    func readBackendAnswer(_ slot: Int) -> StageOutcome {
        let side = sides + (2 * slot + 1)
        guard side.pointee.flags.contains(.readable) else { return .wait }
        let count = sluice_recv(side.pointee.descriptor, scratch, 2, 0)
        guard count != wouldBlock else {
            side.pointee.flags.remove(.readable)
            return .wait
        }
        guard count > 0, let backend = records[slot].backend?.takeUnretainedValue() else {
            return attemptFailed(
                slot, .backendTLSError, .tlsError, "the connection ended before the request for TLS was answered")
        }
        let answer = scratch.load(as: UInt8.self)
        // Anything behind it came in the clear from who knows whom, and never gets into the stream (CVE-2021-23222).
        if count == 1, answer == PostgresStart.accept { return greeted(slot, backend) }
        // An error may be this endpoint's alone, such as too many clients.
        if answer == UInt8(ascii: "E") {
            return attemptFailed(slot, .backendTLSError, .tlsError, "the request for TLS was answered with an error")
        }
        let problem =
            switch (answer, count) {
            case (PostgresStart.refuse, 1): "the backend has no TLS"
            case (PostgresStart.accept, _): "bytes in the clear behind the answer to the request for TLS"
            default: "the request for TLS was answered with something else"
            }
        return backendTLSFailed(slot, backend, problem)
    }
}
